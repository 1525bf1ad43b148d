"""What an exported model says of itself, taken only where it can be true."""

import math

# Hz, as `sertk.audio.read` takes them; and a day.
RATES, LONGEST = (1, 768_000), 86_400


def checked(described, path):
    """Refuses a description with what no export writes.

    Args:
        described: dict, what the file holds.
        path: the file, or its name, for the message.

    Returns:
        The dict.

    Raises:
        ValueError: if something is missing or absurd.
    """
    classes, recipe = described.get("classes"), described.get("recipe", {})
    model = recipe.get("model", {}) if isinstance(recipe, dict) else None
    sound = {
        "classes": isinstance(classes, list)
        and len(classes) > 0
        and all(isinstance(name, str) for name in classes)
        and len(set(classes)) == len(classes),
        "sample_rate": _number(described.get("sample_rate"), *RATES, kinds=int),
        "seconds": "seconds" in described and _number(described["seconds"], 0, LONGEST, none=True),
        # Of a model of chunks the seconds are a chunk's.
        "chunks_top_db": _number(described.get("chunks_top_db"), 0, 1000, none=True)
        and not (described.get("seconds") is None and described.get("chunks_top_db") is not None),
        "shortest": _number(described.get("shortest", 1), 1, RATES[1] * LONGEST, kinds=int),
        "max_seconds": _number(described.get("max_seconds", 1), 0, LONGEST),
        "recipe": isinstance(model, dict) and isinstance(model.get("options", {}), dict),
    }
    wrong = [name for name, fits in sound.items() if not fits]
    if wrong:
        raise ValueError(
            f"{path}: must say of its model what `sertk export` writes; `{wrong[0]}` is missing or absurd. "
            f"Received: {str(described.get(wrong[0]))[:100]}"
        )
    return described


def _number(value, least, most, *, kinds=int | float, none=False):
    if value is None:
        return none
    return isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value) and least <= value <= most

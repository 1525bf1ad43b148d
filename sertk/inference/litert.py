"""A LiteRT model that sertk exported, asked by `ai-edge-litert` alone."""

import json
import zipfile

import numpy as np

from sertk.inference.description import checked

METADATA_FILE, LABELS = "sertk.json", "labels.txt"
# Bytes. A description takes some thousand; an archive may promise any size in a few.
LARGEST = 1 << 20
NEEDED = ("classes", "sample_rate", "seconds", "shortest")


def load_litert(path):
    """Loads a `.tflite` file.

    Args:
        path: pathlib.Path of the file.

    Returns:
        A function from float32 `(batch, samples)` to float32 `(batch, classes)`, and the file's description, a dict.

    Raises:
        ValueError: if it is no LiteRT model of sertk.
        ImportError: if ai-edge-litert is not installed.
    """
    described = read_description(path)
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise ImportError(
            f"{path}: needs ai-edge-litert, which is not installed: pip install 'sertk[litert]'"
        ) from None
    try:
        ask = Interpreter(model_path=str(path)).get_signature_runner()
        takes, gives = ask.get_input_details(), ask.get_output_details()
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{path}: can't be loaded; export it again with `sertk export`. Received: {error}") from None
    fits = list(takes) == ["waveform"] and list(gives) == ["probabilities"]
    if not fits or gives["probabilities"]["shape"][-1] != len(described["classes"]):
        raise ValueError(
            f"{path}: does not take a waveform and give a probability for each of its {len(described['classes'])} "
            f"classes; export it again with `sertk export`. Received: {', '.join(takes)} to {', '.join(gives)}"
        )

    def answer(waveforms):
        # A file is for a clip at a time.
        return np.concatenate([ask(waveform=np.asarray(one[None], "float32"))["probabilities"] for one in waveforms])

    return answer, described


def read_description(path):
    """What a `.tflite` file says of itself: classes, sample rate (Hz), seconds that it hears, recipe.

    Args:
        path: the file.

    Returns:
        dict.

    Raises:
        ValueError: if it is no LiteRT model of sertk, or says what no export writes.
    """
    foreign = (
        f"{path}: is no LiteRT model of sertk, which would have {METADATA_FILE} in it; export it with `sertk export`"
    )
    try:
        with zipfile.ZipFile(path) as archive, archive.open(METADATA_FILE) as file:
            content = file.read(LARGEST + 1)
        described = json.loads(content) if len(content) <= LARGEST else None
    except PermissionError:
        raise
    except Exception:  # a damaged archive, and each way of packing, has other words for it
        raise ValueError(foreign) from None
    if not isinstance(described, dict) or not all(name in described for name in NEEDED):
        raise ValueError(foreign)
    return checked(described, f"{path}, {METADATA_FILE}")

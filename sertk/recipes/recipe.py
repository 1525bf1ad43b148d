"""A recipe: everything that fixes an experiment but the corpus itself, as plain data."""

import dataclasses
import difflib
import types
from dataclasses import dataclass, field

from sertk.recipes.groups import (
    Adversarial,
    Audio,
    Augmentation,
    Chunks,
    Contrastive,
    Features,
    Graph,
    Model,
    Noise,
    Split,
    Start,
    Teacher,
    Training,
    Upstream,
)


@dataclass(frozen=True)
class Recipe:
    """An experiment: names and sources, then one group of settings a step.

    `labels` names a label map of `sertk.corpora.LABEL_MAPS`, or is None for the corpus's own emotions.
    """

    name: str
    title: str
    source: str
    labels: str | None = "seven"
    split: Split = field(default_factory=Split)
    audio: Audio = field(default_factory=Audio)
    chunks: Chunks = field(default_factory=Chunks)
    features: Features = field(default_factory=Features)
    noise: Noise = field(default_factory=Noise)
    augmentation: Augmentation = field(default_factory=Augmentation)
    model: Model = field(default_factory=Model)
    start: Start = field(default_factory=Start)
    contrastive: Contrastive = field(default_factory=Contrastive)
    teacher: Teacher = field(default_factory=Teacher)
    upstream: Upstream = field(default_factory=Upstream)
    graph: Graph = field(default_factory=Graph)
    adversarial: Adversarial = field(default_factory=Adversarial)
    training: Training = field(default_factory=Training)

    @property
    def length(self):
        """float, seconds: how much the network hears at once, a chunk or a clip; None for all of any clip."""
        return self.chunks.seconds or self.audio.seconds

    def to_dict(self):
        """The recipe as nested dicts and lists, ready for JSON."""
        return _jsonable(dataclasses.asdict(self))

    @classmethod
    def from_dict(cls, values):
        """The recipe that `to_dict` wrote.

        Raises:
            ValueError: if a setting is unknown or has a value of the wrong type.
        """
        model = values.get("model", {"builder": "", "options": {}}) if isinstance(values, dict) else None
        if not (isinstance(model, dict) and isinstance(model.get("options"), dict) and "builder" in model):
            raise ValueError(
                "A recipe must be an object of groups of settings, as `to_dict` gives it, its `model` one of `builder` "
                f"and `options`. Received: {str(values)[:100]}"
            )
        names = {name: str(values.get(name, "")) for name in ("name", "title", "source")}
        changes = {}
        for key, value in values.items():
            if key in names:
                continue
            if key == "model":
                changes["model.builder"] = value["builder"]
                changes |= {f"model.{option}": setting for option, setting in value["options"].items()}
            elif isinstance(value, dict):
                changes |= {f"{key}.{setting}": inner for setting, inner in value.items()}
            else:
                changes[key] = value
        return override(cls(**names), changes)


UNFIT = object()
GROUPS = tuple(
    group.name for group in dataclasses.fields(Recipe) if group.name not in ("name", "title", "source", "labels")
)


def override(recipe, changes):
    """A copy of a recipe with some settings changed.

    Args:
        recipe: `Recipe`.
        changes: dict from a setting to its value. A setting is `"labels"`, or `"group.name"`, such as
            `"training.learning_rate"`; the group may be left out where only one has that name. `"model.x"` is the
            option `x` of the builder.

    Returns:
        `Recipe`.

    Raises:
        ValueError: if there is no such setting, the short name is in several groups, or the value has the wrong type.

    Example:
        >>> override(get("004-cnn-mfcc"), {"learning_rate": 1e-3, "split.kind": "speaker"})
    """
    for key, value in changes.items():
        recipe = _override_one(recipe, key, value)
    return recipe


def settings(recipe):
    """Every setting of a recipe by its full name, `group.name`, with its value.

    Args:
        recipe: `Recipe`.

    Returns:
        dict.
    """
    values = {"labels": recipe.labels}
    for group in GROUPS:
        for name, value in vars(getattr(recipe, group)).items():
            if (group, name) == ("model", "options"):
                values |= {f"model.{option}": setting for option, setting in value.items()}
            else:
                values[f"{group}.{name}"] = value
    return values


def _override_one(recipe, key, value):
    if key == "labels":
        return dataclasses.replace(recipe, labels=_checked(key, value, str | None))
    group_name, _, name = _full_name(recipe, key).partition(".")
    group = getattr(recipe, group_name)
    if group_name == "model" and name != "builder":
        changed = dataclasses.replace(group, options={**group.options, name: value})
    else:
        kind = {setting.name: setting.type for setting in dataclasses.fields(group)}[name]
        changed = dataclasses.replace(group, **{name: _checked(key, value, kind)})
    return dataclasses.replace(recipe, **{group_name: changed})


def _full_name(recipe, key):
    known = settings(recipe)
    if key in known or key.startswith("model."):
        return key
    matches = [name for name in known if name.partition(".")[2] == key]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise ValueError(f"`{key}` is a setting of several groups; write {' or '.join(matches)}. Received: {key}")
    near = difflib.get_close_matches(key, [*known, *(name.partition(".")[2] for name in known)], n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(known)}."
    raise ValueError(f"There is no setting `{key}`; {hint} Received: {key}")


def _checked(key, value, kind):
    """The value, made the field's type where nothing is lost by it."""
    wanted = str(kind) if isinstance(kind, types.UnionType) else kind.__name__
    for one in kind.__args__ if isinstance(kind, types.UnionType) else (kind,):
        fitting = _fitting(value, one)
        if fitting is not UNFIT:
            return fitting
    raise ValueError(f"`{key}` must be of type {wanted}. Received: {key}={value!r}")


def _fitting(value, kind):
    """The value as that type, or UNFIT."""
    # JSON may hold integers of thousands of digits, which are no float's.
    number = isinstance(value, float) or (isinstance(value, int) and type(value) is not bool and abs(value) < 2**63)
    if kind is float and number:
        return float(value)
    if kind is int and number and (isinstance(value, int) or value.is_integer()):
        return int(value)
    if kind is tuple and isinstance(value, list | tuple) and all(isinstance(part, int | float) for part in value):
        return tuple(value)
    return value if kind in (bool, str, dict, types.NoneType) and isinstance(value, kind) else UNFIT


def _jsonable(value):
    if isinstance(value, dict):
        return {key: _jsonable(inner) for key, inner in value.items()}
    return [_jsonable(inner) for inner in value] if isinstance(value, list | tuple) else value

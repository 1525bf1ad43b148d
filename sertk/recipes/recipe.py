"""A recipe: everything that fixes an experiment but the corpus itself, as plain data."""

import dataclasses
import difflib
import types
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Split:
    """How the corpus is divided: the arguments of `sertk.corpora.divide`. Of several folds each is trained on."""

    kind: str = "random"
    fractions: tuple = (0.8, 0.1, 0.1)
    k: int = 5
    validation: float = 0.1
    file: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Audio:
    """What a clip is: sample rate in Hz, and the arguments of `sertk.audio.FixedLength`, its length in seconds.

    `seconds="longest"` is the length of the corpus's longest clip. With `pad="batch"` clips are cropped to `seconds` at
    most, None for not at all, and padded to the longest of their batch; the network is told their lengths. Recordings
    over `max_seconds` are refused.
    """

    sample_rate: int = 16_000
    seconds: float | str | None = 3.0
    crop: str = "center"
    pad: str = "zero"
    trim_top_db: float | None = None
    max_seconds: float = 3600.0


@dataclass(frozen=True)
class Chunks:
    """Pieces of the clips as examples, where `seconds` is not None: `sertk.corpora.cut_chunks`.

    Of the voiced parts (louder than `top_db` below the loudest frame). `counts` are drawn for training, validation and
    test, evenly from the emotions; None takes all. `together` keeps the chunks of a clip in the part of their clip;
    False scatters them over all parts whatever `split` says, which leaks.
    """

    seconds: float | None = None
    top_db: float = 30.0
    counts: tuple | None = None
    together: bool = True


@dataclass(frozen=True)
class Features:
    """What the network sees: `kind` is "waveform", "mfcc", "log_mel", "mel_image", "stft_image" or "embedding".

    An embedding is what a frozen network makes of a clip: `source`, a checkpoint's name or folder or a run's folder,
    its hidden state `layer` and the `pooling` over time, as `sertk.embeddings.embedder` tells.

    The rest are the layer's arguments; the waveform itself has none. Without `center`, the first frame begins at the
    first sample. `height` to `max_db` are an image's, `n_mels` and
    `n_mfcc` those of the kinds that have them. With `normalize`, each band is shifted and scaled by the mean and the
    variance of the training part.
    """

    kind: str = "mfcc"
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 128
    n_mfcc: int = 128
    fmin: float = 0.0
    fmax: float | None = None
    top_db: float | None = 80.0
    center: bool = True
    height: int = 224
    width: int = 224
    colormap: str = "viridis"
    min_db: float = -80.0
    max_db: float = 20.0
    normalize: bool = False
    source: str | None = None
    layer: int | str | None = None
    pooling: str = "mean"


@dataclass(frozen=True)
class Noise:
    """White noise on the training part: `copies` that stay the same, or `fresh` noise on every clip every epoch."""

    copies: int = 0
    fresh: bool = False
    snr: tuple = (15.0, 30.0)


@dataclass(frozen=True)
class Model:
    """The network: the name of a builder of `sertk.models`, and its options."""

    builder: str = "cnn_transformer"
    options: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Upstream:
    """The larger network whose knowledge is to be passed on: where its embeddings come from.

    `source` is a run's folder, or a checkpoint's name or folder; `layer` and `pooling` as in `Features`. Its embeddings
    make the graph of `Graph`, or meet those of a downstream network, `model.fusion`.
    """

    source: str | None = None
    layer: int | str | None = None
    pooling: str = "mean"


@dataclass(frozen=True)
class Graph:
    """Neural structured learning: clips that the upstream finds alike are neighbours, and kept close.

    Each clip brings up to `neighbors` others with it, 0 for no graph at all: training clips whose embeddings have a
    cosine similarity over `threshold`, or over what gives a clip `degree` of them on average, before `neighbors` caps
    them; or those of a graph that is in a `file`, .npz or .tsv. `multiplier` times the `distance` to them is added to
    the loss: "cosine", "l1", "l2", "kl_divergence" or "jensen_shannon_divergence", on what leaves the `layer` of that
    name, None for the network's output.
    """

    neighbors: int = 0
    multiplier: float = 0.1
    distance: str = "cosine"
    layer: str | None = None
    threshold: float | None = 0.99
    degree: float | None = None
    file: str | None = None


@dataclass(frozen=True)
class Adversarial:
    """NSL's other half: `multiplier` times the loss on inputs moved a `step` in the direction that raises it most.

    The step is measured in the `norm` "l2", "l1" or "infinity", on what the network is trained on. 0 for none.
    """

    multiplier: float = 0.0
    step: float = 0.001
    norm: str = "l2"


@dataclass(frozen=True)
class Training:
    """How it learns: the optimiser, and the arguments of `sertk.learning.fit`.

    The `optimizer` is "adam", "adadelta", or "adamw" with its `weight_decay`; None for `epsilon` is its own. The
    gradient of each weight is clipped to a norm of `clip_norm`, or all together to one of `global_clip_norm`. The
    `schedule` is "constant", or "cosine" or "linear" down to 0 at the last epoch, or "staircase", the rate times
    `decay_rate` after every `decay_epochs`; before the first two the rate may climb from 0 for `warmup` epochs.

    With `patience`, the weights of the epoch that is best on the validation part are kept, best by `monitor`, "loss"
    or "accuracy"; without, all epochs are trained and the last one's are kept. With `retrain`, the network is trained
    anew for the best number of epochs, as paper 004 does, and the last epoch's weights are kept. With
    `join_validation`, the validation part trains too: settings that were chosen on it are measured on the test part.

    The weights are changed once for `accumulation` batches, by the mean of their gradients: a step. The validation part
    is judged and a checkpoint written after each epoch, or after every `evaluate_every` steps; `patience` then counts
    these rounds.

    Of several `members`, each is a network trained by itself, with the weights and the dropout of the seeds `seed`,
    `seed + 1` and so on, on the same clips in the same order; the run's model averages their probabilities. Runs with
    several seeds of an ensemble want seeds as far apart as it has members.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-4
    schedule: str = "constant"
    warmup: float = 0.0
    decay_rate: float = 0.9
    decay_epochs: float = 5.0
    epsilon: float | None = None
    weight_decay: float = 0.0
    clip_norm: float | None = None
    global_clip_norm: float | None = None
    label_smoothing: float = 0.0
    batch_size: int = 32
    accumulation: int = 1
    evaluate_every: int | None = None
    epochs: int = 100
    patience: int | None = 20
    monitor: str = "loss"
    retrain: bool = False
    join_validation: bool = False
    members: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Recipe:
    """An experiment: names and sources, then one group of settings a step.

    `labels` names a label map of `sertk.corpora.LABEL_MAPS`, or is None for the corpus's own emotions.
    """

    name: str
    title: str
    source: str
    labels: str | None = "seven"
    split: Split = Split()
    audio: Audio = Audio()
    chunks: Chunks = Chunks()
    features: Features = Features()
    noise: Noise = Noise()
    model: Model = Model()
    upstream: Upstream = Upstream()
    graph: Graph = Graph()
    adversarial: Adversarial = Adversarial()
    training: Training = Training()

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
        names = {name: values.get(name, "") for name in ("name", "title", "source")}
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
GROUPS = ("split", "audio", "chunks", "features", "noise", "model", "upstream", "graph", "adversarial", "training")


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
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float and number:
        return float(value)
    if kind is int and number and value == int(value):
        return int(value)
    if kind is tuple and isinstance(value, list | tuple) and all(isinstance(part, int | float) for part in value):
        return tuple(value)
    return value if kind in (bool, str, dict, types.NoneType) and isinstance(value, kind) else UNFIT


def _jsonable(value):
    if isinstance(value, dict):
        return {key: _jsonable(inner) for key, inner in value.items()}
    return [_jsonable(inner) for inner in value] if isinstance(value, list | tuple) else value

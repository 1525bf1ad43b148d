"""The groups of a recipe's settings, one a step: plain data with the papers' usual defaults."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Split:
    """How the corpus is divided: the arguments of `sertk.corpora.divide`. Of several folds each is trained on.

    `labelled` is the share of the training part that keeps its labels, drawn with `seed` from each emotion; the rest
    trains only what needs none: contrastive learning, and a student whose teacher tells it.
    """

    labelled: float = 1.0
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
class Augmentation:
    """Changes of the features in training, drawn anew every time: `sertk.augment.SpectrogramAugmentation`.

    So many `time_masks` and `frequency_masks`, each at most `max_width` of its axis wide. Of the share `tri_cut` of the
    clips a triangle is removed, and into the share `tri_mix` one of another clip is pasted, the labels mixed by its
    size, which is within `area`, shares of the spectrogram. Where it lies is chosen `by` "energy", little of it for
    tri-cut and much for tri-mix, or "random".
    """

    time_masks: int = 0
    frequency_masks: int = 0
    max_width: float = 0.1
    tri_cut: float = 0.0
    tri_mix: float = 0.0
    area: tuple = (0.05, 0.2)
    by: str = "energy"


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
class Start:
    """Where the weights come from, if not from chance: the encoder of a finished run with the same `model`.

    `source` is its folder. Of a run of contrastive learning the first `layer` layers of the projection head stay
    between the encoder and the classifier, with their ReLU: 1 is SimCLRv2's fine-tuning from the middle. With `frozen`
    only the classifier learns, which is linear evaluation.
    """

    source: str | None = None
    layer: int = 0
    frozen: bool = False


@dataclass(frozen=True)
class Contrastive:
    """Learning to tell clips apart instead of emotions: two augmented views of a clip are to be alike.

    `loss` is "nt_xent", which needs no labels, "supervised", where the clips of an emotion are alike too, or None for
    none of this. `temperature` divides the similarities. `projection` has the units of the projection head's layers,
    which follow the encoder in training.
    """

    loss: str | None = None
    temperature: float = 0.1
    projection: tuple = (256, 128)


@dataclass(frozen=True)
class Teacher:
    """Distillation: the network learns what another one says, of clips without labels too.

    `source` is the teacher's run, on the same emotions, which hears the clips as they are; None is for no teacher, and
    "" for one that is still to be named. Both answers are softened by `temperature`. `multiplier` is the share of the
    teacher in the loss, paper 000's alpha; the rest is that of the labels, where there are any. Clips without one may
    have it from a table, `labels`, a CSV file with `path` and `emotion` such as `sertk simclrv2` writes.
    """

    source: str | None = None
    temperature: float = 1.0
    multiplier: float = 1.0
    labels: str | None = None


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

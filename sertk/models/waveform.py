"""From waveform to probabilities in one model: the same steps before a network in training and in serving."""

import zipfile
from pathlib import Path

import keras

from sertk.models.keras_file import check_keras_file, damaged
from sertk.models.whole_lengths import WholeLengths


def from_waveform(
    network,
    features=None,
    *,
    samples=None,
    fixed_length=None,
    noise=None,
    normalization=None,
    augmentation=None,
    embedder=None,
    name=None,
):
    """Puts the steps from waveform to features before a network, in one functional model.

    They run in this order: `fixed_length`, `noise`, `features`, `normalization`, `augmentation`, `network`; those that
    are None are left out. Models that share their layers share their weights: one for training takes clips that are cut
    already and changes them, one for serving takes any length and changes nothing.

    Where the network takes an embedding too, as `cnn6(fusion="add")` does, an `embedder` makes it of the whole
    waveform, as it comes in; without one it is an input of its own.

    Input: waveforms at the features' sample rate, `(batch, samples)`, named "waveform"; or a dict of these and of
        "embedding", `(batch, channels)`.
    Output: that of `network`.

    Args:
        network: keras.Model on features, such as `sertk.models.cnn()`, or on waveforms.
        features: layer from waveforms to features, such as `sertk.features.MFCC()`, or None where the network takes
            waveforms. Defaults to None.
        samples: int, the length of the input, or None for any length. Defaults to None.
        fixed_length: layer, usually `sertk.audio.FixedLength`. Defaults to None.
        noise: layer that changes waveforms in training, such as `sertk.augment.AWGN`. Defaults to None.
        normalization: `keras.layers.Normalization` fitted on the training part's features. Defaults to None.
        augmentation: layer that changes features in training, such as `sertk.augment.SpectrogramAugmentation`. Defaults
            to None.
        embedder: keras.Model from `[waveform, lengths]` to embeddings, as `sertk.embeddings.embedder` builds it.
            Defaults to None.
        name: str. Defaults to the network's name.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: if the features do not fit the network; the message gives both shapes.

    Example:
        >>> mfcc = sertk.features.MFCC(n_mfcc=128)
        >>> model = from_waveform(sertk.models.cnn(), mfcc, fixed_length=sertk.audio.FixedLength(48_000))
        >>> model.predict(waveforms).shape
        (8, 7)
    """
    waveforms = keras.Input((samples,), name="waveform")
    x = waveforms
    for step in (fixed_length, noise, features, normalization, augmentation):
        if step is not None:
            x = step(x)
    expected = network.inputs[0].shape
    fits = len(x.shape) == len(expected) and all(
        want is None or have == want for have, want in zip(x.shape[1:], expected[1:], strict=True)
    )
    if not fits:
        raise ValueError(
            f"The features must have the shape that the network takes, {expected[1:]}; build the network with "
            f"`input_shape={tuple(x.shape[1:])}`, or change the clips' length or the features. "
            f"Received: {tuple(x.shape[1:])}"
        )
    if not takes_embedding(network):
        return keras.Model(waveforms, network(x), name=name or network.name)
    if embedder is None:
        embedding = _embedding_input(network)
        inputs = {"waveform": waveforms, "embedding": embedding}
    else:
        inputs, embedding = waveforms, embedder([waveforms, WholeLengths(name="lengths")(waveforms)])
    return keras.Model(inputs, network([x, embedding]), name=name or network.name)


def takes_embedding(network):
    """Whether a network takes an embedding beside its features.

    Args:
        network: keras.Model.
    """
    return any(tensor.name == "embedding" for tensor in network.inputs)


def _embedding_input(network):
    shape = next(tensor.shape for tensor in network.inputs if tensor.name == "embedding")
    return keras.Input(shape[1:], name="embedding")


def from_features(network, *, normalization=None, augmentation=None, name=None):
    """The part of `from_waveform`'s model behind the features, for training on features that are at hand already.

    Input: features, of the network's input shape, named "features"; where the network takes an embedding too, a dict of
        "features" and "embedding".
    Output: that of `network`.

    Args:
        network: keras.Model on features.
        normalization, augmentation: as in `from_waveform`. Defaults to None.
        name: str. Defaults to the network's name.

    Returns:
        A functional `keras.Model` that shares all its layers with the network.
    """
    features = x = keras.Input(network.inputs[0].shape[1:], name="features")
    for step in (normalization, augmentation):
        if step is not None:
            x = step(x)
    if not takes_embedding(network):
        return keras.Model(features, network(x), name=name or network.name)
    inputs = {"features": features, "embedding": _embedding_input(network)}
    return keras.Model(inputs, network([x, inputs["embedding"]]), name=name or network.name)


def from_padded(network, maximum_length, *, embedder=None, normalization=None, name=None):
    """Puts a maximum length before a network that takes waveforms of any length, padded, with their lengths.

    With an `embedder`, that one takes them, and the network its embeddings.

    Input: a dict of `waveform`, `(batch, samples)`, zeros behind the shorter ones, and `lengths`, int32 `(batch,)`, in
        samples.
    Output: that of `network`.

    Args:
        network: keras.Model with these two inputs, such as `sertk.models.ssl_classifier(padded=True)`.
        maximum_length: `sertk.audio.MaximumLength`.
        embedder: keras.Model from `[waveform, lengths]` to embeddings, as `sertk.embeddings.embedder` builds it.
            Defaults to None.
        normalization: `keras.layers.Normalization` fitted on the training part's embeddings. Defaults to None.
        name: str. Defaults to the network's name.

    Returns:
        A functional `keras.Model` that shares its weights with the network.
    """
    waveform = keras.Input((None,), name="waveform")
    lengths = keras.Input((), dtype="int32", name="lengths")
    cropped, left = maximum_length(waveform, lengths)
    given = {"waveform": cropped, "lengths": left}
    hearing = embedder or network
    x = hearing([given[tensor.name] for tensor in hearing.inputs])
    if embedder is not None:
        x = network(x if normalization is None else normalization(x))
    return keras.Model({"waveform": waveform, "lengths": lengths}, x, name=name or network.name)


def from_embeddings(model):
    """The two parts of a model that `from_padded` built with an embedder.

    Args:
        model: that model, loaded or not.

    Returns:
        The embedder, and a functional `keras.Model` from embeddings to the model's output, which share its weights.

    Raises:
        ValueError: if the model has no embedder.
    """
    names = [layer.name for layer in model.layers]
    if "embedder" not in names:
        raise ValueError(f"`model` must have a layer called embedder. Received: a model of {', '.join(names)}")
    place = names.index("embedder")
    embedder = model.layers[place]
    embeddings = x = keras.Input(embedder.output_shape[1:], name="embeddings")
    for layer in model.layers[place + 1 :]:
        x = layer(x)
    return embedder, keras.Model(embeddings, x, name=model.name)


def without_fixed_length(model):
    """The same network for clips that are cut to their length already, as `sertk.pipeline.Clips` gives them.

    Args:
        model: what `from_waveform` built with a `fixed_length`.

    Returns:
        A functional `keras.Model` with the same layers and weights, but for the fixed length.

    Raises:
        ValueError: if `model` does not begin with a fixed length.
    """
    _, fixed_length, *steps = model.layers
    if not hasattr(fixed_length, "samples"):
        raise ValueError(
            "`model` must begin with a fixed length, as `from_waveform(..., fixed_length=...)` builds it. "
            f"Received: a model that begins with {type(fixed_length).__name__}"
        )
    waveforms = x = keras.Input((fixed_length.samples,), name="waveform")
    for step in steps:
        x = step(x)
    return keras.Model(waveforms, x, name=model.name)


def load(path):
    """Loads a `.keras` file with sertk's layers in it, in Keras's safe mode.

    The file may be a stranger's: what it holds is looked at first (`sertk.models.keras_file`).

    Args:
        path: the file.

    Returns:
        The `keras.Model`, not compiled.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no Keras model, or one that `check_keras_file` refuses.
    """
    # Imported for what they register: the layers that a saved model may name.
    import keras_nlp.layers  # noqa: F401

    import sertk.audio.fixed_length
    import sertk.audio.maximum_length
    import sertk.augment.awgn
    import sertk.augment.image_augmentation
    import sertk.augment.spectrogram_augmentation
    import sertk.features.image
    import sertk.features.mfcc
    import sertk.models.attentive_pooling
    import sertk.models.batch_norm
    import sertk.models.imagenet_preprocessing
    import sertk.models.ssl_classifier  # noqa: F401

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such model file")
    if not _is_whole(path):
        raise ValueError(
            f"{path}: is no `.keras` file, or only a part of one; save or copy the model again. "
            f"Received: a file of {path.stat().st_size:,} bytes"
        )
    check_keras_file(path)
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # weights that do not fit their layers
        raise damaged(path, error) from error


def _is_whole(path):
    """Whether a file is an archive with a model's description in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    except PermissionError:
        raise
    except Exception:  # a damaged list of members has many ways to be told
        return False

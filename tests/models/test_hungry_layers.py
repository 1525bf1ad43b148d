"""`.keras` files of a few kilobytes whose layers would ask for gigabytes: refused before any is built, in one line."""

import json
import zipfile

import keras
import pytest

from sertk.audio import FixedLength, MaximumLength
from sertk.augment import AWGN, SpectrogramAugmentation, TimeMask, TriCut
from sertk.features import MFCC, LogMelSpectrogram, SpectrogramImage
from sertk.models import from_waveform, load, ssl_encoder
from sertk.models.ssl.config import SpeechEncoderConfig
from sertk.models.ssl.context_network import ContextNetwork
from sertk.models.ssl.spec_augment import SpecAugment


def saved(model, path, kind, changes):
    """Saves a model, changes what its file says of the layers of one kind, and returns the file."""
    sound = path / "sound.keras"
    model.save(sound)
    with zipfile.ZipFile(sound) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    description, found = json.loads(members["config.json"]), 0
    left = [description]
    while left:
        value = left.pop()
        left += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        if isinstance(value, dict) and value.get("class_name") == kind:
            value["config"] |= changes
            found += 1
    assert found
    members["config.json"] = json.dumps(description)
    with zipfile.ZipFile(path / "model.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path / "model.keras"


def refused(path, words):
    with pytest.raises(ValueError, match="Received: ") as told:
        load(path)
    message = str(told.value)
    assert message.startswith(f"{path}: ")
    assert words in message
    assert "\n" not in message
    assert len(message) < 700


def on_waveforms(layer):
    return keras.Sequential([keras.Input((None,)), layer])


def on_features(layer):
    return keras.Sequential([keras.Input((94, 64)), layer])


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        # As a rule the value below which nothing is said, and one more.
        (lambda: on_waveforms(FixedLength(100)), "samples", (1 << 26) + 1),
        (lambda: on_waveforms(FixedLength(100)), "samples", 10**30),
        (lambda: on_waveforms(LogMelSpectrogram()), "n_fft", 16_385),
        (lambda: on_waveforms(LogMelSpectrogram()), "n_fft", 10**30),
        (lambda: on_waveforms(LogMelSpectrogram()), "n_mels", 1_025),
        (lambda: on_waveforms(LogMelSpectrogram()), "hop_length", 10**30),
        (lambda: on_waveforms(LogMelSpectrogram()), "hop_length", 31),
        (lambda: on_waveforms(MFCC()), "n_fft", 10**6),
        (lambda: on_waveforms(MFCC()), "n_mels", 10**5),
        (lambda: on_waveforms(MFCC()), "hop_length", 1),
        (lambda: on_waveforms(SpectrogramImage()), "height", 2_049),
        (lambda: on_waveforms(SpectrogramImage()), "width", 10**9),
        (lambda: on_waveforms(SpectrogramImage(kind="stft")), "n_fft", 10**6),
        (lambda: on_waveforms(SpectrogramImage(kind="stft")), "hop_length", 1),
        (lambda: on_features(TimeMask()), "count", 1_001),
        (lambda: on_features(TriCut()), "candidates", 10**9),
        (lambda: on_features(SpectrogramAugmentation()), "frequency_masks", 10**9),
        (lambda: on_features(SpectrogramAugmentation()), "candidates", 10**9),
        (lambda: on_features(SpecAugment()), "time_length", 10**9),
        (lambda: on_features(SpecAugment()), "channel_length", 10**9),
        (lambda: on_features(ContextNetwork(1, 2, 8, kernel=4, groups=2)), "depth", 10**9),
    ],
)
def test_absurd_sizes_are_refused_by_the_layer_that_would_take_them(tmp_path, model, name, value):
    model = model()
    refused(saved(model, tmp_path, type(model.layers[0]).__name__, {name: value}), f"`{name}` must be ")


def test_layers_inside_a_network_are_looked_at_too(tmp_path):
    network = keras.Sequential([keras.Input((None, 64)), keras.layers.GlobalAveragePooling1D()])
    model = from_waveform(network, LogMelSpectrogram(n_mels=64), fixed_length=FixedLength(16_000), noise=AWGN())
    refused(saved(model, tmp_path, "LogMelSpectrogram", {"n_fft": 1 << 40}), "`n_fft` must be at most 16,384.")


def test_the_longest_crop_takes_no_memory(tmp_path):
    """What crops never makes a clip longer."""
    model = on_waveforms(MaximumLength(100))
    with pytest.raises(ValueError, match="`samples` must be at most 2,147,483,647, or None"):
        MaximumLength(10**30)
    refused(saved(model, tmp_path, "MaximumLength", {"samples": 10**30}), "`samples` must be at most")


def test_a_checkpoint_of_a_billion_layers_is_refused():
    with pytest.raises(ValueError, match="`depth` must be at most 256"):
        ssl_encoder(SpeechEncoderConfig(num_hidden_layers=10**9))


def keras_layers(layer, shape):
    return keras.Sequential([keras.Input(shape), layer])


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (lambda: keras_layers(keras.layers.RepeatVector(2), (4,)), {"n": 10**9}),
        (lambda: keras_layers(keras.layers.UpSampling1D(2), (4, 2)), {"size": 10**9}),
        (lambda: keras_layers(keras.layers.UpSampling2D(2), (4, 4, 2)), {"size": [10**5, 10**5]}),
        (lambda: keras_layers(keras.layers.ZeroPadding1D(2), (4, 2)), {"padding": [10**9, 0]}),
        (lambda: keras_layers(keras.layers.ZeroPadding2D(2), (4, 4, 2)), {"padding": [[10**5, 0], [0, 10**5]]}),
        (lambda: keras_layers(keras.layers.Resizing(4, 4), (8, 8, 3)), {"height": 10**5, "width": 10**5}),
        (lambda: keras_layers(keras.layers.Resizing(4, 4), (None, None, 3)), {"height": 10**5, "width": 10**5}),
        (lambda: keras_layers(keras.layers.CenterCrop(4, 4), (8, 8, 3)), {"height": 10**5, "width": 10**5}),
        (lambda: keras_layers(keras.layers.Conv1DTranspose(1, 1, 2), (8, 1)), {"strides": [10**9]}),
        (lambda: keras_layers(keras.layers.CategoryEncoding(4), (3,)), {"num_tokens": 10**9}),
        (lambda: keras_layers(keras.layers.Flatten(), (4,)), {"batch_shape": [10**6, 10**6]}),
    ],
)
def test_kerass_own_layers_are_refused_by_what_would_come_out(tmp_path, model, changes):
    model = model()
    kind = "InputLayer" if "batch_shape" in changes else type(model.layers[-1]).__name__
    refused(saved(model, tmp_path, kind, changes), "describes a layer of more values than memory holds")


def test_an_operation_between_layers_is_refused_too(tmp_path):
    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, keras.layers.GlobalMaxPooling1D()(keras.ops.repeat(inputs, 3, axis=1)))
    path = saved(model, tmp_path, "Repeat", {"repeats": 10**9})
    refused(path, "describes a layer of more values than memory holds")


def test_a_model_inside_a_model_is_refused_too(tmp_path):
    inner = keras.Sequential([keras.Input((4,)), keras.layers.RepeatVector(2), keras.layers.GlobalMaxPooling1D()])
    model = keras.Sequential([keras.Input((4,)), inner])
    refused(saved(model, tmp_path, "RepeatVector", {"n": 10**9}), "describes a layer of more values than memory holds")


@pytest.mark.parametrize(
    "layer",
    [
        lambda: keras.layers.IntegerLookup(vocabulary=[1, 2], output_mode="one_hot"),
        lambda: keras.layers.StringLookup(vocabulary=["a"]),
        lambda: keras.layers.TextVectorization(vocabulary=["a"]),
    ],
)
def test_layers_of_vocabularies_are_refused(tmp_path, layer):
    """Some read files or make lists while they are described; no network on sound has one."""
    layer = layer()
    shape, dtype = ((3,), "int64") if isinstance(layer, keras.layers.IntegerLookup) else ((1,), "string")
    model = keras.Sequential([keras.Input(shape, dtype=dtype), layer])
    refused(saved(model, tmp_path, type(layer).__name__, {}), f"holds a {type(layer).__name__} layer, ")

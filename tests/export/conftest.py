"""WAV files put together byte by byte, and finished runs of every family that nobody trained."""

import struct

import numpy as np
import pytest

CLASSES = ["angry", "calm", "happy", "sad"]
GUID = bytes.fromhex("0000 0000 1000 8000 00aa00389b71")
# What makes the networks of the papers small enough to be exported by the dozen.
SECOND = {"audio.seconds": 1.0}
SPECTROGRAM = {"features.n_mels": 32, "features.n_mfcc": 32}
IMAGE = {"features.height": 48, "features.width": 48, "model.weights": None, "training.retrain": False}
FAMILIES = {
    "cnn": ("004-cnn-mfcc", SPECTROGRAM),
    "two_cnn": ("004-two-cnn-mfcc", SPECTROGRAM),
    "parallel": ("004-parallel-mfcc", SPECTROGRAM),
    "published": ("004-parallel-mfcc", {**SPECTROGRAM, "model.attend_over": "batch"}),
    "attentive": ("attentive-mel", {"features.n_mels": 32, "training.members": 1}),
    "ensemble": ("004-cnn-mfcc", {**SPECTROGRAM, "training.members": 2}),
    "vgg16": ("004-vgg16-1", IMAGE),
    "transfer_head": ("004-vgg16-1", {**IMAGE, "model.backbone": "squeezenet"}),
    "vgg15": ("003-vgg15", {}),
    "resnet9": ("003-resnet9", {}),
    "cnn6": ("003-cnn6", {}),
    "fused": ("003-cnn6-add", {"model.units": 16}),
    "chunks": ("004-cnn-mfcc", {"chunks.seconds": 0.2, "features.n_fft": 256, "features.hop_length": 80}),
    "speech_encoder": ("004-wav2vec2", {"audio.pad": "batch", "audio.seconds": None}),
    "trimmed": ("004-cnn-mfcc", {**SPECTROGRAM, "audio.trim_top_db": 30.0, "audio.pad": "repeat"}),
}


def wav(
    data, bits=16, channels=1, rate=16_000, *, tag=1, extensible=False, size=None, riff=None, before=b"", after=b""
):
    """A WAV file of `data`; `size` and `riff` are what it says of its samples' size and its own, right by default."""
    align = channels * bits // 8
    fields = (channels, rate, rate * align % 2**32, align % 2**16, bits)
    fmt = struct.pack("<HHIIHH", tag, *fields)
    if extensible:
        fmt = struct.pack("<HHIIHHHHIH", 0xFFFE, *fields, 22, bits, 0, tag) + GUID
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + before
    body += b"data" + struct.pack("<I", len(data) if size is None else size) + data + after
    return b"RIFF" + struct.pack("<I", len(body) if riff is None else riff) + body


def noise(samples, rate=16_000, seed=0):
    """Noise as a WAV file of 16 bits."""
    return wav((3_000 * np.random.default_rng(seed).standard_normal(samples)).astype("<i2").tobytes(), rate=rate)


@pytest.fixture(scope="session")
def by_hand():
    """The functions that put WAV files together: `wav` and `noise`."""
    from types import SimpleNamespace

    return SimpleNamespace(wav=wav, noise=noise)


@pytest.fixture(scope="session")
def read_bytes(tmp_path_factory):
    """A function that reads a file's bytes as `sertk.audio.read` does."""
    from sertk.audio import read

    path = tmp_path_factory.mktemp("bytes") / "clip.wav"

    def read_bytes(content, sample_rate=16_000):
        path.write_bytes(content)
        return read(path, sample_rate)

    return read_bytes


@pytest.fixture(scope="session")
def untrained_run(tmp_path_factory, tiny_encoder):
    """A function that writes the run of a family, one of `FAMILIES`, with random weights, and returns it."""
    return lambda family: write_untrained(tmp_path_factory.mktemp("families") / family, family, tiny_encoder)


def write_untrained(directory, family, encoder):
    import json

    import keras

    from sertk.embeddings import embedder
    from sertk.models import ensemble, from_padded, from_waveform, ssl_encoder
    from sertk.recipes import Run, assemble, get, override

    name, changes = FAMILIES[family]
    recipe = override(get(name), {**SECOND, **changes})
    if family == "speech_encoder":
        recipe = override(recipe, {"model.backbone": encoder, "model.weights": None})
    keras.utils.set_random_seed(7)
    upstream = embedder(ssl_encoder(backbone=encoder, padded=True)) if family == "fused" else None
    channels = None if upstream is None else upstream.output_shape[1]
    shape, cutting = assemble.input_shape(recipe), assemble.fixed_length(recipe)
    members = range(1, recipe.training.members + 1)
    networks = [assemble.network(recipe, shape, len(CLASSES), member, channels) for member in members]

    def heard(network):
        if recipe.audio.pad == "batch":
            return from_padded(network, cutting)
        return from_waveform(network, assemble.features(recipe), fixed_length=cutting, embedder=upstream)

    # Each by itself: two that are sure of different classes would be unsure together.
    for network in networks:
        temper(heard(network), [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)][-1])
    model = heard(ensemble(networks))
    directory.mkdir()
    model.save(directory / "model.keras")
    about = {"recipe": recipe.to_dict(), "classes": CLASSES, "corpora": ["own"], "command": "sertk train ..."}
    (directory / "recipe.json").write_text(json.dumps(about))
    return Run(directory)


def temper(model, last):
    """Scales a network's last layer until its answers are neither certain nor all the same: else all would agree."""
    clip = np.random.default_rng(3).normal(0, 0.1, (1, 9_000)).astype("float32")
    given = {"waveform": clip, "lengths": np.array([9_000], "int32")} if len(model.inputs) > 1 else clip
    for _ in range(20):
        surest = float(np.max(model(given, training=False)))
        if 0.35 < surest < 0.8:
            return
        last.kernel.assign(last.kernel * (0.4 if surest > 0.5 else 2.0))

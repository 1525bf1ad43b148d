"""Speech encoders beside transformers' PyTorch networks: the same numbers, names and parameters."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest

from sertk.models.ssl.encoder import ssl_encoder
from sertk.models.ssl.forms import with_lengths
from sertk.models.ssl.names import checkpoint_variables
from sertk.models.ssl.published import PUBLISHED
from sertk.models.without_values import without_values

NETWORKS = [f"{family}-{form}" for family in ("wav2vec2", "hubert", "unispeech") for form in ("base", "large")]
SCRIPT = Path(__file__).with_name("golden") / "make_speech_encoders.py"


def states(encoder, *inputs):
    return np.stack([keras.ops.convert_to_numpy(state) for state in encoder(*inputs)])


def check_padded(actual, expected, lengths, atol):
    """Compares the valid frames; by (samples - 80) // 320, as the last frame must end within the clip."""
    for clip, length in enumerate(lengths):
        frames = (length - 80) // 320
        np.testing.assert_allclose(actual[:, clip, :frames], expected[:, clip, :frames], atol=atol)


@pytest.mark.parametrize("network", [*NETWORKS, "unusual"])
def test_hidden_states_are_those_of_transformers(network, script, golden, drawn, fill):
    encoder = ssl_encoder(script.networks()[network], hidden_states=True)
    fill(encoder, drawn(network))
    whole = states(encoder, script.clips())
    assert whole.shape == (4, 3, 12, 16)
    np.testing.assert_allclose(whole, golden[f"{network}/whole"], atol=1e-5, rtol=1e-5)
    padded = states(with_lengths(encoder), [script.clips(), np.array(script.LENGTHS)])
    check_padded(padded, golden[f"{network}/padded"], script.LENGTHS, 1e-5)


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """What PyTorch answers now, in a process of its own: two frameworks in one may bring it down."""
    if not (find_spec("torch") and find_spec("transformers")):
        pytest.skip("pip install torch transformers to compare live")
    path = tmp_path_factory.mktemp("live") / "answers.npz"
    result = subprocess.run([sys.executable, SCRIPT, path], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return dict(np.load(path))


def test_hidden_states_are_those_of_transformers_live(live, script, fill):
    """With the weights that transformers draws, and clips that are not the golden file's."""
    waveforms = script.clips(max(script.LIVE_LENGTHS))
    for network, config in script.networks().items():
        prefix = f"{network}/state/"
        encoder = ssl_encoder(config, hidden_states=True)
        fill(encoder, {key.removeprefix(prefix): live[key] for key in live if key.startswith(prefix)})
        np.testing.assert_allclose(states(encoder, waveforms), live[f"{network}/whole"], atol=1e-4)
        padded = states(with_lengths(encoder), [waveforms, np.array(script.LIVE_LENGTHS)])
        check_padded(padded, live[f"{network}/padded"], script.LIVE_LENGTHS, 1e-4)


@pytest.mark.parametrize("network", [*NETWORKS, "unusual"])
def test_each_weight_has_a_name_in_the_checkpoint(network, script, golden):
    encoder = ssl_encoder(script.networks()[network])
    places = checkpoint_variables(encoder)
    shapes = json.loads(str(golden[f"{network}/shapes"]))
    assert set(places) == set(shapes)
    for name, place in places.items():
        axes = place.axes or range(len(shapes[name]))
        assert tuple(shapes[name][axis] for axis in axes) == tuple(place.variable.shape), name
    named = {id(place.variable) for place in places.values()}
    assert named == {id(weight) for weight in encoder.weights}


@pytest.mark.parametrize("name", PUBLISHED)
def test_has_the_parameters_of_transformers(name, golden):
    """Without values, of which the largest would take 4 GB."""
    encoder = without_values(lambda: ssl_encoder(name))
    count = sum(int(np.prod(weight.shape)) for weight in encoder.trainable_weights)
    assert count == json.loads(str(golden["parameters"]))[name]


@pytest.mark.parametrize(
    ("name", "count"), [("facebook/wav2vec2-base", 94_371_712), ("facebook/wav2vec2-large-xlsr-53", 315_438_720)]
)
def test_parameters_are_those_of_the_papers(name, count, golden):
    """Counts in print, so that the golden file is not the only witness."""
    assert json.loads(str(golden["parameters"]))[name] == count

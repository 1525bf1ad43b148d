"""The golden file, the networks it was made of, and their weights."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sertk.models.ssl.names import checkpoint_variables

SCRIPT = Path(__file__).with_name("golden") / "make_speech_encoders.py"


@pytest.fixture(scope="session")
def script():
    """What the golden file's script defines; nothing of it needs PyTorch before it is called."""
    return SimpleNamespace(**runpy.run_path(str(SCRIPT)))


@pytest.fixture(scope="session")
def golden(script):
    """What transformers' networks answered."""
    return dict(np.load(script.GOLDEN))


@pytest.fixture
def tiny(script):
    """A configuration of two layers, small enough to train, in which nothing is random but what a test asks for."""
    rates = dict.fromkeys(("hidden_dropout", "attention_dropout", "activation_dropout", "layerdrop"), 0.0)
    return {"model_type": "wav2vec2", **script.SMALL, **script.FORMS["large"], **rates, "num_hidden_layers": 2}


@pytest.fixture(scope="session")
def fill():
    """A function that gives an encoder the tensors of a PyTorch state dict, all of them and no other."""

    def fill(model, tensors):
        places = checkpoint_variables(model)
        assert set(places) == set(tensors)
        for name, place in places.items():
            place.variable.assign(tensors[name] if place.axes is None else tensors[name].transpose(place.axes))

    return fill


@pytest.fixture(scope="session")
def drawn(script, golden):
    """A function that gives the state dict of a network of the golden file, by the network's name."""

    def drawn(network):
        shapes = json.loads(str(golden[f"{network}/shapes"]))
        return {name: script.draw(name, tuple(shape)) for name, shape in shapes.items()}

    return drawn

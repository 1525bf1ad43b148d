"""An ensemble says what its members say on average."""

import keras
import numpy as np
import pytest

from sertk.models import attentive_cnn, cnn, ensemble, load

BATCH = np.random.default_rng(0).standard_normal((3, 40, 32)).astype("float32")


def members(*names):
    keras.utils.set_random_seed(0)
    return [attentive_cnn((40, 32), 5, width=2, name=name) for name in names]


def test_the_mean_of_the_members_also_from_a_file(tmp_path):
    networks = members("first", "second", "third")
    apart = [keras.ops.convert_to_numpy(network(BATCH)) for network in networks]
    assert not np.allclose(apart[0], apart[1])
    together = ensemble(networks)
    np.testing.assert_allclose(together(BATCH), (apart[0] + apart[1] + apart[2]) / 3, atol=1e-6)
    together.save(tmp_path / "ensemble.keras")
    np.testing.assert_array_equal(load(tmp_path / "ensemble.keras")(BATCH), together(BATCH))


def test_one_network_is_its_own_ensemble():
    (network,) = members("alone")
    assert ensemble([network]) is network


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        (list, r"`networks` must hold at least one network"),
        (lambda: members("same", "same"), r"`networks` must have a name each.* Received: \['same', 'same'\]"),
        (lambda: [cnn((40, 32), 5), cnn((40, 32), 4, name="b")], r"`networks` must all take and give the same shapes"),
    ],
)
def test_what_makes_no_ensemble(networks, message):
    with pytest.raises(ValueError, match=message):
        ensemble(networks())

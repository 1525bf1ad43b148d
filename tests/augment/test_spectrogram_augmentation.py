"""The chain of spectrogram augmentations: which parts, in which order, with labels and without, here and on JAX."""

import os
import subprocess
import sys
from importlib.util import find_spec

import keras
import numpy as np
import pytest
import tensorflow as tf

from sertk.augment import FrequencyMask, SpectrogramAugmentation, TimeMask, TriCut, TriMix

OFF = {"time_masks": 0, "frequency_masks": None, "tri_cut": 0, "tri_mix": None}


def clips(*shape, seed=0):
    return np.random.default_rng(seed).normal(-40, 15, shape).astype("float32")


def augmented(layer, inputs):
    return numbers(layer(inputs, training=True))


def numbers(outputs):
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


def test_it_is_tri_mix_tri_cut_frequency_and_time_masks_in_this_order():
    features, triangles = clips(6, 40, 30), {"area": (0.1, 0.2), "by": "energy", "candidates": 3}
    chain = SpectrogramAugmentation(
        time_masks=2, frequency_masks=3, tri_cut=0.7, tri_mix=0.8, max_time_width=0.2, fill=-7.0, seed=5, **triangles
    )
    expected = features
    for part in (
        TriMix(probability=0.8, seed=5, **triangles),
        TriCut(probability=0.7, fill=-7.0, seed=6, **triangles),
        FrequencyMask(0.1, count=3, fill=-7.0, seed=7),
        TimeMask(0.2, count=2, fill=-7.0, seed=8),
    ):
        expected = part(expected, training=True)
    np.testing.assert_array_equal(augmented(chain, features), expected)


@pytest.mark.parametrize(
    ("part", "layer", "options"),
    [
        ({"tri_mix": 1.0}, TriMix, {"seed": 5}),
        ({"tri_cut": 1.0}, TriCut, {"seed": 6}),
        ({"frequency_masks": 2}, FrequencyMask, {"count": 2, "seed": 7}),
        ({"time_masks": 2}, TimeMask, {"count": 2, "seed": 8}),
    ],
)
def test_each_part_may_be_the_only_one(part, layer, options):
    features = clips(4, 40, 30)
    chain = SpectrogramAugmentation(**{**OFF, **part}, seed=5)
    np.testing.assert_array_equal(augmented(chain, features), augmented(layer(**options), features))


def test_with_all_parts_off_nothing_happens():
    inputs = {"features": clips(4, 40, 30), "labels": np.eye(4, dtype="float32")}
    outputs = augmented(SpectrogramAugmentation(**OFF), inputs)
    for name, values in inputs.items():
        np.testing.assert_array_equal(outputs[name], values)


def test_labels_follow_tri_mix_alone():
    inputs = {"features": clips(6, 40, 30), "labels": np.eye(6, dtype="float32")}
    outputs = augmented(SpectrogramAugmentation(tri_mix=1.0, seed=5), inputs)
    np.testing.assert_array_equal(outputs["labels"], TriMix(seed=5)(inputs, training=True)["labels"])
    np.testing.assert_allclose(outputs["labels"].sum(axis=1), 1, atol=1e-6)
    assert (outputs["labels"].diagonal() < 1).all()
    alone = augmented(SpectrogramAugmentation(tri_mix=1.0, seed=5), inputs["features"])
    np.testing.assert_array_equal(outputs["features"], alone)


def test_two_views_of_a_clip_differ_and_a_seed_fixes_both():
    features, layer, same = clips(4, 40, 30), SpectrogramAugmentation(seed=1), SpectrogramAugmentation(seed=1)
    views = [augmented(layer, features) for _ in range(2)]
    assert (views[0] != views[1]).any(axis=(1, 2)).all()
    np.testing.assert_array_equal([augmented(same, features) for _ in range(2)], views)


def test_without_training_features_stay_as_they_are_everywhere(check_layer):
    layer = SpectrogramAugmentation(
        time_masks=2,
        frequency_masks=None,
        tri_cut=None,
        tri_mix=0.3,
        max_time_width=0.2,
        max_frequency_width=0.3,
        area=(0.1, 0.4),
        by="random",
        candidates=3,
        fill=-80.0,
        seed=4,
    )
    features = clips(3, 20, 16)
    np.testing.assert_array_equal(check_layer(layer, features), features)
    inputs = {"features": features, "labels": np.eye(3, dtype="float32")}
    for outputs in (layer(inputs), layer(inputs, training=False)):
        for name, values in inputs.items():
            np.testing.assert_array_equal(outputs[name], values)


def test_a_saved_chain_goes_on_as_it_was(tmp_path):
    options = {"tri_cut": 1.0, "tri_mix": 1.0, "area": (0.1, 0.1), "fill": 7.0, "seed": 4}
    model = keras.Sequential([keras.Input((None, 16)), SpectrogramAugmentation(**options)])
    model.save(tmp_path / "chain.keras")
    loaded = keras.saving.load_model(tmp_path / "chain.keras", safe_mode=True)
    features = clips(3, 20, 16)
    np.testing.assert_array_equal(augmented(loaded, features), augmented(SpectrogramAugmentation(**options), features))


def test_runs_in_tf_data_whatever_the_length_and_compiled():
    layer = SpectrogramAugmentation(tri_cut=1.0, tri_mix=1.0, seed=1)
    inputs = {"features": clips(4, 20, 16), "labels": np.eye(4, dtype="float32")}
    shapes = {"features": tf.TensorSpec((None, None, None)), "labels": tf.TensorSpec((None, None))}
    any_length = tf.function(lambda x: layer(x, training=True), input_signature=[shapes])
    batches = tf.data.Dataset.from_tensor_slices(inputs).batch(4).map(any_length)
    compiled = tf.function(lambda x: layer(x, training=True), jit_compile=True)
    outputs = [*batches.as_numpy_iterator(), numbers(compiled(inputs))]
    for output in outputs:
        assert (output["features"] != inputs["features"]).any(axis=(1, 2)).all()
        np.testing.assert_allclose(output["labels"].sum(axis=1), 1, atol=1e-6)
        assert (output["labels"].diagonal() < 1).all()
    assert not np.array_equal(outputs[0]["features"], outputs[1]["features"])


ON_JAX = """
import jax, keras, numpy as np
from sertk.augment import SpectrogramAugmentation
assert keras.backend.backend() == "jax"
layer = SpectrogramAugmentation(frequency_masks=0, time_masks=0, tri_cut=0, tri_mix=1.0, area=(0.2, 0.2), seed=1)
inputs = {"features": np.arange(3.0)[:, None, None] * np.ones((3, 40, 30)), "labels": np.eye(3)}
layer(inputs)
state = [variable.value for variable in layer.non_trainable_variables]
step = jax.jit(lambda state, x: layer.stateless_call([], state, x, training=True))
for _ in range(2):
    outputs, state = step(state, inputs)
    counted = [np.bincount(clip.astype(int).ravel(), minlength=3) / 1200 for clip in np.asarray(outputs["features"])]
    np.testing.assert_allclose(outputs["labels"], counted, atol=1e-6)
    assert (np.diag(counted) < 0.85).all()
features = np.random.default_rng(0).random((3, 40, 30), "float32")
masked = np.asarray(SpectrogramAugmentation(tri_mix=0, tri_cut=1.0, fill=7.0, seed=1)(features, training=True))
assert ((masked == features) | (masked == 7)).all()
assert (masked == 7).any(axis=(1, 2)).all()
"""


@pytest.mark.slow  # a second process
@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed: pip install 'sertk[jax]'")
def test_mixes_and_cuts_on_jax():
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", ON_JAX], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "options",
    [
        {"time_masks": -1},
        {"time_masks": 1.5},
        {"frequency_masks": "two"},
        {"tri_cut": 1.5},
        {"tri_mix": -0.1},
        {"tri_mix": True},
        {"max_time_width": 0},
        {"max_frequency_width": 2},
        {"area": (0.3, 0.1)},
        {"by": "loud"},
        {"candidates": 0},
        {"fill": "zero"},
    ],
    ids=str,
)
def test_impossible_arguments_are_refused_by_their_own_names(options):
    (name,) = options
    with pytest.raises(ValueError, match=rf"`{name}` must be .*Received: {name}="):
        SpectrogramAugmentation(**options)
    if name in ("area", "by", "candidates", "fill"):
        with pytest.raises(ValueError, match=rf"`{name}` must be .*Received: {name}="):
            SpectrogramAugmentation(**{**OFF, **options})


@pytest.mark.parametrize(
    "inputs", [np.zeros((20, 16), "float32"), np.zeros((2, 20, 16), "int32")], ids=["shape", "dtype"]
)
def test_what_is_no_batch_of_features_is_refused(inputs):
    with pytest.raises(ValueError, match=r"SpectrogramAugmentation takes (float )?features.* Received: "):
        SpectrogramAugmentation()(inputs)


def test_a_dict_without_labels_is_refused():
    with pytest.raises(
        ValueError, match=r'SpectrogramAugmentation takes features, or a dict of "features" and "labels"'
    ):
        SpectrogramAugmentation()({"features": clips(2, 20, 16)})

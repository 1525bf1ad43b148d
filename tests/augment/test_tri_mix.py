"""Tri-mix: whose cells are pasted and where, from where there is much energy, and labels mixed by counted cells."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sertk.augment import TriMix

FRAMES, BANDS = 30, 20


def signed(count, frames=FRAMES, bands=BANDS):
    """Clips of which each cell says whose it is, in thousands, and where it comes from."""
    place = np.arange(frames * bands).reshape(frames, bands)
    return (1000 * np.arange(count)[:, None, None] + place).astype("float32")


def mixed(layer, inputs):
    return numbers(layer(inputs, training=True))


def numbers(outputs):
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


def owners(result):
    """Whose each cell is; that it is at its own place is checked."""
    frames, bands = result.shape[1:]
    places = np.arange(frames * bands).reshape(frames, bands)
    assert (result % 1000 == places).all()
    return (result // 1000).astype(int)


def partner_of(owner, clip):
    """Who gave to a clip, or None."""
    givers = set(np.unique(owner[clip])) - {clip}
    assert len(givers) <= 1
    return givers.pop() if givers else None


@settings(deadline=None, max_examples=25)
@given(count=st.integers(2, 12), seed=st.integers(0, 999))
def test_each_clip_takes_a_triangle_from_another_one_at_the_same_place(count, seed):
    owner = owners(mixed(TriMix(area=(0.1, 0.1), seed=seed), signed(count)))
    partners = [partner_of(owner, clip) for clip in range(count)]
    assert sorted(partners) == list(range(count))  # each gives once, and none to itself
    share = np.mean(owner != np.arange(count)[:, None, None], axis=(1, 2))
    np.testing.assert_allclose(share, 0.1, atol=(FRAMES + BANDS + 1) / (FRAMES * BANDS))


def test_all_others_are_partners_as_often():
    layer, counts = TriMix(by="random", area=(0.3, 0.3), seed=0), np.zeros((4, 4), int)
    for _ in range(150):
        owner = owners(mixed(layer, signed(4, 6, 6)))
        for clip in range(4):
            counts[clip, partner_of(owner, clip)] += 1
    assert stats.chisquare(counts[~np.eye(4, dtype=bool)]).pvalue > 0.001


@settings(deadline=None, max_examples=25)
@given(count=st.integers(1, 9), probability=st.floats(0, 1), seed=st.integers(0, 999))
def test_labels_are_mixed_by_the_counted_cells(count, probability, seed):
    labels = np.eye(count, dtype="float32")
    inputs = {"features": signed(count), "labels": labels}
    outputs = mixed(TriMix(area=(0.05, 0.4), probability=probability, seed=seed), inputs)
    owner = owners(outputs["features"])
    expected = [np.bincount(owner[clip].ravel(), minlength=count) / (FRAMES * BANDS) for clip in range(count)]
    np.testing.assert_allclose(outputs["labels"], expected, atol=1e-6)
    np.testing.assert_allclose(outputs["labels"].sum(axis=1), 1, atol=1e-6)
    unchanged = (owner == np.arange(count)[:, None, None]).all(axis=(1, 2))
    np.testing.assert_array_equal(outputs["labels"][unchanged], labels[unchanged])


def test_soft_labels_are_mixed_too():
    labels = np.random.default_rng(0).dirichlet(np.ones(7), 5).astype("float32")
    outputs = mixed(TriMix(seed=1), {"features": signed(5), "labels": labels})
    owner = owners(outputs["features"])
    for clip in range(5):
        partner, pasted = partner_of(owner, clip), np.mean(owner[clip] != clip)
        expected = (1 - pasted) * labels[clip] + pasted * labels[partner]
        np.testing.assert_allclose(outputs["labels"][clip], expected, atol=1e-6)


def test_features_alone_are_mixed_as_with_labels():
    alone = mixed(TriMix(seed=1), signed(5))
    beside = mixed(TriMix(seed=1), {"features": signed(5), "labels": np.eye(5, dtype="float32")})
    np.testing.assert_array_equal(alone, beside["features"])


def test_a_batch_of_one_clip_stays_as_it_is():
    inputs = {"features": signed(1), "labels": np.array([[0.25, 0.75]], "float32")}
    outputs = mixed(TriMix(seed=0), inputs)
    np.testing.assert_array_equal(outputs["features"], inputs["features"])
    np.testing.assert_array_equal(outputs["labels"], inputs["labels"])


def test_by_energy_it_is_taken_where_the_other_clip_is_loud():
    """One clip is loud in its first half, the other in its second: what counts is where the giver is."""
    loud_first = np.where(np.arange(FRAMES)[:, None] < 15, -20, -60) * np.ones(BANDS)
    pair = np.stack([loud_first, loud_first[::-1] - 0.5]).astype("float32")
    loud = {"energy": [], "random": []}
    for by, shares in loud.items():
        layer = TriMix(area=(0.05, 0.05), by=by, candidates=40, seed=0)
        for _ in range(30):
            result = mixed(layer, pair)
            pasted = [result[0] % 1 != pair[0] % 1, result[1] % 1 != pair[1] % 1]
            shares += [pasted[0][15:].sum() / pasted[0].sum(), pasted[1][:15].sum() / pasted[1].sum()]
    assert np.mean(loud["energy"]) > 0.97
    assert abs(np.mean(loud["random"]) - 0.5) < 0.2


def test_that_share_of_the_clips_is_changed():
    owner = owners(mixed(TriMix(by="random", probability=0.3, seed=2), signed(400)))
    changed = (owner != np.arange(400)[:, None, None]).any(axis=(1, 2))
    assert stats.binomtest(int(changed.sum()), 400, 0.3).pvalue > 0.001


def test_what_else_is_in_the_dict_stays():
    weights = np.array([1, 2, 3], "float32")
    inputs = {"features": signed(3), "labels": np.eye(3, dtype="float32"), "weights": weights}
    outputs = mixed(TriMix(seed=0), inputs)
    assert set(outputs) == set(inputs)
    np.testing.assert_array_equal(outputs["weights"], weights)
    assert set(inputs) == {"features", "labels", "weights"}
    np.testing.assert_array_equal(inputs["features"], signed(3))


def test_a_seed_fixes_the_sequence():
    layer, same, other = TriMix(seed=7), TriMix(seed=7), TriMix(seed=8)
    sequence = [mixed(layer, signed(6)) for _ in range(2)]
    assert not np.array_equal(*sequence)
    np.testing.assert_array_equal([mixed(same, signed(6)) for _ in range(2)], sequence)
    assert not np.array_equal(mixed(other, signed(6)), sequence[0])


@settings(deadline=None, max_examples=20)
@given(count=st.integers(1, 4), frames=st.integers(1, 9), bands=st.integers(1, 9), seed=st.integers(0, 99))
def test_features_of_any_size_stay_features(count, frames, bands, seed):
    owner = owners(mixed(TriMix(area=(0.01, 0.5), seed=seed), signed(count, frames, bands)))
    assert owner.shape == (count, frames, bands)
    assert all(partner_of(owner, clip) in {None, *range(count)} - {clip} for clip in range(count))


def test_without_training_features_stay_as_they_are_everywhere(check_layer):
    np.testing.assert_array_equal(check_layer(TriMix((0.1, 0.4), "random", 3, 0.7, seed=1), signed(3)), signed(3))


def test_without_training_labels_stay_too():
    inputs = {"features": signed(3), "labels": np.eye(3, dtype="float32")}
    for outputs in (TriMix(seed=1)(inputs), TriMix(seed=1)(inputs, training=False)):
        for name, values in inputs.items():
            np.testing.assert_array_equal(outputs[name], values)


def test_a_saved_model_of_features_and_labels_mixes_both(tmp_path):
    inputs = {"features": keras.Input((None, BANDS), name="features"), "labels": keras.Input((3,), name="labels")}
    model = keras.Model(inputs, TriMix(area=(0.2, 0.2), seed=1)(inputs))
    model.save(tmp_path / "mix.keras")
    loaded = keras.saving.load_model(tmp_path / "mix.keras", safe_mode=True)
    outputs = mixed(loaded, {"features": signed(3), "labels": np.eye(3, dtype="float32")})
    share = np.mean(owners(outputs["features"]) != np.arange(3)[:, None, None], axis=(1, 2))
    assert (share > 0.1).all()
    np.testing.assert_allclose(outputs["labels"].diagonal(), 1 - share, atol=1e-6)


def test_mixes_in_tf_data_and_compiled():
    inputs = {"features": signed(4), "labels": np.eye(4, dtype="float32")}
    layer = TriMix(area=(0.2, 0.2), seed=1)
    batches = tf.data.Dataset.from_tensor_slices(inputs).batch(4).repeat(2).map(lambda x: layer(x, training=True))
    compiled = tf.function(lambda x: layer(x, training=True), jit_compile=True)
    outputs = [*batches.as_numpy_iterator(), numbers(compiled(inputs))]
    for output in outputs:
        share = np.mean(owners(output["features"]) != np.arange(4)[:, None, None], axis=(1, 2))
        assert (share > 0.1).all()
        np.testing.assert_allclose(output["labels"].diagonal(), 1 - share, atol=1e-6)
    assert len({output["features"].tobytes() for output in outputs}) == 3


def test_half_precision_pastes_and_mixes_to_what_it_can_tell_apart():
    features = (signed(2, 20, 20) / 1024).astype("float16")
    inputs = {"features": features, "labels": np.eye(2, dtype="float16")}
    outputs = mixed(TriMix(area=(0.2, 0.2), seed=1, dtype="float16"), inputs)
    assert {values.dtype for values in outputs.values()} == {np.dtype("float16")}
    assert ((outputs["features"] == features) | (outputs["features"] == features[::-1])).all()
    share = (outputs["features"] != features).mean(axis=(1, 2))
    np.testing.assert_allclose(outputs["labels"].diagonal(), 1 - share, atol=2e-3)


@pytest.mark.parametrize(
    ("labels", "received"),
    [
        (np.zeros(3, "float32"), r"shape=\(3,\)"),
        (np.zeros(3, "int32"), r"shape=\(3,\)"),
        (np.zeros((3, 2), "int32"), "dtype=int32"),
    ],
)
def test_labels_that_can_not_be_mixed_are_refused(labels, received):
    message = r"TriMix mixes float `labels` of shape \(batch, classes\); .*`\. Received: labels of " + received
    with pytest.raises(ValueError, match=message):
        TriMix()({"features": signed(3), "labels": labels})


@pytest.mark.parametrize("names", [["features"], ["labels"], ["waveform", "labels"]])
def test_another_dict_is_refused(names):
    message = r'TriMix takes features, or a dict of "features" and "labels"\. Received: a dict of \['
    with pytest.raises(ValueError, match=message):
        TriMix()({name: signed(3) for name in names})


@pytest.mark.parametrize("shape", [(20, 16), (2, 20, 16, 1), (2, 20, 0)])
def test_what_is_no_batch_of_features_is_refused(shape):
    features = np.zeros(shape, "float32")
    for inputs in (features, {"features": features, "labels": np.eye(2, dtype="float32")}):
        with pytest.raises(ValueError, match=r"TriMix takes features of shape \(batch, frames, bands\).* Received: "):
            TriMix()(inputs)


@pytest.mark.parametrize(
    "options", [{"area": (0.3, 0.1)}, {"by": "loud"}, {"candidates": 1.5}, {"probability": -0.1}], ids=str
)
def test_impossible_arguments_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=rf"`{name}` must be .*Received: {name}="):
        TriMix(**options)

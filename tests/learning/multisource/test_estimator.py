"""The whole: better than the best source and than pooling, both discrepancies smaller, and a scikit-learn estimator."""

import json
import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from sertk.learning.multisource import IncompleteMultisourceTransfer, conditional_discrepancy


@pytest.mark.parametrize("seed", range(100, 104))
def test_two_incomplete_sources_do_what_neither_and_no_pool_of_them_does(constructed, benchmark_of_transfer, seed):
    """With the defaults, which were chosen on seeds 0 to 7: nothing is fitted to the truth of these."""
    data = constructed(seed)
    found = IncompleteMultisourceTransfer().fit(data.sources, data.target)
    accuracy = np.mean(found.labels_ == data.truth)
    assert accuracy > 0.9
    for name, other in benchmark_of_transfer.baselines(data).items():
        # These two adapt as well, without pseudo-labels.
        margin = 0.03 if name in ("CORAL, pooled", "centred, pooled") else 0.1
        assert accuracy > other + margin, name
    for kind, values in found.discrepancies_.items():
        for before, after in zip(values["before"], values["after"], strict=True):
            assert after < 0.75 * before, kind
    # By the true labels too, which it has not seen.
    for place, (points, kinds) in enumerate(data.sources):
        before = conditional_discrepancy(points, kinds, data.target, data.truth)
        projected = found.transform(points, place), found.transform(data.target, place)
        assert conditional_discrepancy(projected[0], kinds, projected[1], data.truth) < 0.75 * before
    # Both classes that a source lacks, and the others, are found.
    recalls = [np.mean(found.labels_[data.truth == c] == c) for c in range(6)]
    assert min(recalls) > 0.5


@pytest.fixture(scope="module")
def fitted(easy):
    return IncompleteMultisourceTransfer().fit(easy.sources, easy.target)


def test_every_source_has_its_projection_constraint_and_mask(easy, fitted):
    """Rebuilt from what is public: the embeddings, PCA, the projections and Z, L and E."""
    assert fitted.n_iter_ == len(fitted.history_) <= 10
    assert fitted.history_[-1]["changed"] == 0  # so the last mask is that of `labels_`
    target = fitted.pca_.transform(easy.target).T
    for (points, kinds), projection, part in zip(easy.sources, fitted.projections_, fitted.low_rank_, strict=True):
        np.testing.assert_allclose(projection.T @ projection, np.eye(8), atol=1e-10)
        source = projection.T @ fitted.pca_.transform(points).T / np.sqrt(len(points))
        there = projection.T @ target / np.sqrt(len(easy.target))
        full = part.combination(len(points))
        made = source @ full + part.latent @ there + part.error
        assert np.linalg.norm(there - made) < 1e-4 * np.linalg.norm(there)
        assert not full[kinds[:, None] != fitted.labels_[None, :]].any()
        assert full.any()


def test_the_history_tells_of_every_round(fitted):
    for number, row in enumerate(fitted.history_, 1):
        assert row["round"] == number
        assert 0 <= row["changed"] <= 1
        assert row["residual"] < 1e-5
        assert row["iterations"] <= 200
        assert np.isfinite(row["objective"])


def test_predictions_of_the_same_clips_are_the_labels(easy, fitted):
    np.testing.assert_array_equal(fitted.predict(), fitted.labels_)
    np.testing.assert_array_equal(fitted.predict(easy.target), fitted.labels_)
    assert fitted.score(easy.target, easy.truth) > 0.95
    probabilities = fitted.predict_proba()
    assert probabilities.shape == (60, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(fitted.predict_proba(easy.target[:7]), probabilities[:7])
    np.testing.assert_array_equal(fitted.classes_, range(4))


def test_projected_clips_have_the_width_of_the_projection(easy, fitted):
    points = fitted.transform(easy.target)
    each = [fitted.transform(easy.target, source) for source in (0, 1)]
    np.testing.assert_allclose(points, np.mean(each, axis=0))
    assert points.shape == (60, 8)


def test_a_second_fit_gives_the_same(easy, fitted):
    again = clone(fitted).fit(easy.sources, easy.target)
    np.testing.assert_array_equal(again.predict_proba(), fitted.predict_proba())


def test_the_order_of_clips_and_the_names_of_classes_do_not_matter(easy, fitted):
    random = np.random.default_rng(0)
    names = np.array(["angry", "calm", "happy", "sad"])
    sources = []
    for points, kinds in easy.sources:
        order = random.permutation(len(points))
        sources.append((points[order], names[kinds[order]].astype(object)))
    order = random.permutation(len(easy.target))
    other = clone(fitted).fit(sources, easy.target[order].tolist())
    np.testing.assert_array_equal(other.labels_, names[fitted.labels_[order]])
    np.testing.assert_allclose(other.predict_proba(), fitted.predict_proba()[order], atol=1e-4)


def test_it_is_a_scikit_learn_estimator(fitted):
    settings = fitted.get_params()
    assert settings["latent"] == 4.0
    assert clone(fitted).set_params(rounds=3).rounds == 3
    new = IncompleteMultisourceTransfer()
    for ask in (new.predict, new.predict_proba, lambda: new.transform([[1.0]])):
        with pytest.raises(NotFittedError):
            ask()


@pytest.mark.parametrize(
    "options",
    [
        {"classifier": KNeighborsClassifier(1)},
        {"classifier": LogisticRegression()},
        {"pca": None},
        {"pca": 0.9, "components": 3},
        {"pca": 1000},
        {"classes": [3, 1, 0, 2], "rounds": 1},
    ],
    ids=str,
)
def test_other_settings_label_easy_clips_too(easy, options):
    found = IncompleteMultisourceTransfer(**options).fit(easy.sources, easy.target)
    assert np.mean(found.labels_ == easy.truth) > 0.9


def test_one_source_and_float32_do(easy):
    points, kinds = easy.sources[0]
    found = IncompleteMultisourceTransfer().fit([(points.astype("float32"), kinds)], easy.target.astype("float32"))
    has = np.isin(easy.truth, kinds)
    assert np.mean(found.labels_[has] == easy.truth[has]) > 0.9


def test_a_class_of_one_clip_and_channels_without_variance_do(easy):
    (points, kinds), other = easy.sources
    keep = np.r_[np.flatnonzero(kinds != 0), np.flatnonzero(kinds == 0)[:1]]
    sources = [(np.pad(p, ((0, 0), (0, 3))), k) for p, k in ((points[keep], kinds[keep]), other)]
    found = IncompleteMultisourceTransfer(pca=None).fit(sources, np.pad(easy.target, ((0, 0), (0, 3))))
    assert found.projections_[0].shape == (8, 8)
    assert np.mean(found.labels_ == easy.truth) > 0.9


CLIPS = np.random.default_rng(0).standard_normal((6, 3))
KINDS = np.array(["sad", "sad", "calm", "calm", "happy", "happy"])
BROKEN = np.where(np.arange(18).reshape(6, 3) == 7, np.nan, CLIPS)


@pytest.mark.parametrize(
    ("sources", "target", "options", "message"),
    [
        (
            [(CLIPS[:, :2], KINDS)],
            CLIPS,
            {},
            r"`sources\[0\]` must have as many channels.*Received: 2, the target has 3",
        ),
        ([(CLIPS, KINDS), (BROKEN, KINDS)], CLIPS, {}, r"`sources\[1\]` must be finite.*1 clips.*the first at 2"),
        ([(CLIPS, KINDS)], BROKEN, {}, r"`target` must be finite"),
        ([(CLIPS[:0], KINDS[:0])], CLIPS, {}, r"`sources\[0\]` must hold at least one clip"),
        ([(CLIPS, KINDS)], CLIPS[:0], {}, r"`target` must hold at least one clip"),
        ([(CLIPS, KINDS[:4])], CLIPS, {}, r"`sources\[0\]` must have a label for each clip.*\(4,\), 6 clips"),
        ([(CLIPS, [1.5] * 6)], CLIPS, {}, r"`sources\[0\]` must have labels of str or int.*dtype=float64"),
        ([(CLIPS, [None, *KINDS[1:]])], CLIPS, {}, r"`sources\[0\]` must have labels of str or int.*dtype=object"),
        ([(CLIPS, KINDS), (CLIPS, range(6))], CLIPS, {}, r"`sources` must all name their classes alike"),
        ([(CLIPS, ["sad"] * 6)], CLIPS, {}, r"`sources` must have at least two classes.*Received: \['sad'\]"),
        ([], CLIPS, {}, r"`sources` must be a list of pairs.*Received: \[\]"),
        (CLIPS, CLIPS, {}, r"`sources` must be a list of pairs"),
        ([CLIPS], CLIPS, {}, r"`sources\[0\]` must be a pair"),
        ([(CLIPS[0], KINDS)], CLIPS, {}, r"`sources\[0\]` must have the shape \(clips, channels\)"),
        ([(CLIPS, KINDS)], [["loud"]], {}, r"`target` must be an array of numbers"),
        ([(0 * CLIPS, KINDS)], 0 * CLIPS, {}, r"must differ somewhere"),
        ([(CLIPS, KINDS)], CLIPS, {"classes": ["sad", "calm", "happy", "bored"]}, r"`classes`.*no source.*bored"),
        ([(CLIPS, KINDS)], CLIPS, {"classes": ["sad", "calm"]}, r"`classes`.*not asked for.*Received: happy"),
        ([(CLIPS, KINDS)], CLIPS, {"classes": [0, 1]}, r"`classes` must be a list of classes as the sources name"),
        ([(CLIPS, KINDS)], CLIPS, {"components": 4}, r"`components` must be a whole number from 1 to the 3 channels"),
        ([(CLIPS, KINDS)], CLIPS, {"components": 0}, r"`components` must be.*Received: components=0"),
        ([(CLIPS, KINDS)], CLIPS, {"pca": 1.5}, r"`pca` must be.*Received: pca=1.5"),
        ([(CLIPS, KINDS)], CLIPS, {"pca": 0}, r"`pca` must be"),
        ([(CLIPS, KINDS)], CLIPS, {"error": 0}, r"`error` must be a number above zero.*Received: error=0"),
        ([(CLIPS, KINDS)], CLIPS, {"latent": float("nan")}, r"`latent` must be a number above zero"),
        ([(CLIPS, KINDS)], CLIPS, {"manifold": -1}, r"`manifold` must be a number, zero or above"),
        ([(CLIPS, KINDS)], CLIPS, {"rho": 1}, r"`rho` must be a number above 1"),
        ([(CLIPS, KINDS)], CLIPS, {"rounds": 0}, r"`rounds` must be a whole number"),
        ([(CLIPS, KINDS)], CLIPS, {"neighbors": 2.5}, r"`neighbors` must be a whole number"),
        ([(CLIPS, KINDS)], CLIPS, {"classifier": "svm"}, r"`classifier` must be a scikit-learn classifier"),
    ],
)
def test_what_cannot_be_transferred_is_refused(sources, target, options, message):
    with pytest.raises(ValueError, match=message) as refusal:
        IncompleteMultisourceTransfer(**options).fit(sources, target)
    assert "\n" not in str(refusal.value)
    assert "Received: " in str(refusal.value)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda found: found.predict([[1.0, 2.0]]), r"`X` must have as many channels.*Received: 2, `fit` had 8"),
        (lambda found: found.predict_proba([[np.inf] * 8]), r"`X` must be finite"),
        (lambda found: found.transform(np.ones((1, 8)), 2), r"`source` must be from 0 to 1.*Received: source=2"),
    ],
)
def test_new_clips_that_do_not_fit_are_refused(fitted, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(fitted)


@pytest.mark.slow
def test_thousands_of_clips_take_less_memory_than_z_in_full(constructed):
    """One copy of each source's Z would be 2,000 x 3,000 values: 96 MB for two."""
    data = constructed(0, clips=500)
    tracemalloc.start()
    found = IncompleteMultisourceTransfer().fit(data.sources, data.target)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.mean(found.labels_ == data.truth) > 0.9
    assert peak < 96e6


@pytest.mark.slow
def test_the_benchmark_runs(benchmark_of_transfer, tmp_path, capsys):
    out = tmp_path / "out.json"
    benchmark_of_transfer.main(["--seeds", "1", "--clips", "60", "--channels", "40", "--json", str(out)])
    told = json.loads(out.read_text())
    assert told["constructed"][0]["accuracies"]["incomplete multisource"] > 0.9
    assert told["large"]["clips a domain"] == 60
    assert "best source" in capsys.readouterr().out

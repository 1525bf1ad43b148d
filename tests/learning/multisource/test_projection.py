"""The projections: the form is the sum it stands for, its minimum is exact, and neighbours are the nearest."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances

from sertk.learning.multisource.projection import Form, add_manifold


def form_of(seed, sources=2, channels=7):
    random = np.random.default_rng(seed)
    form = Form(sources, channels)
    terms = []
    for _ in range(6):
        first, second = random.integers(0, sources, 2)
        left, right = random.standard_normal((2, channels, 9))
        weight = random.uniform(0.1, 1)
        form.add(weight, first, left, second, right)
        terms.append((weight, first, left, second, right))
    return form, terms


def test_the_form_is_the_sum_of_squared_distances():
    form, terms = form_of(0)
    projections = list(np.random.default_rng(1).standard_normal((2, 7, 3)))
    expected = sum(
        weight * np.sum((projections[first].T @ left - projections[second].T @ right) ** 2)
        for weight, first, left, second, right in terms
    )
    assert form.value(projections) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_projections_are_orthonormal_and_no_worse_than_the_best_common_one(seed):
    form, _ = form_of(seed)
    found = form.smallest(3)
    for projection in found:
        np.testing.assert_allclose(projection.T @ projection, np.eye(3), atol=1e-10)
    # Ky Fan: the least value over common orthonormal projections is the sum of the least eigenvalues.
    common = np.linalg.eigvalsh(form.blocks.sum(axis=(0, 1)))[:3].sum()
    assert form.value(found) <= common + 1e-9


def test_of_one_source_the_least_eigenvalues_are_reached():
    form, _ = form_of(3, sources=1)
    expected = np.linalg.eigvalsh(form.blocks[0, 0])[:2].sum()
    assert form.value(form.smallest(2)) == pytest.approx(expected)


def test_no_orthonormal_neighbour_is_lower():
    """The refined projections are a lowest point, not merely a lower one: small turns do not lower the form."""
    form, _ = form_of(4)
    found = form.smallest(3)
    random = np.random.default_rng(0)
    lowest = form.value(found)
    for _ in range(50):
        turned = [np.linalg.qr(p + 1e-2 * random.standard_normal(p.shape))[0] for p in found]
        # QR may turn signs, which the pairs between sources would see.
        turned = [q * np.sign(np.sum(q * p, axis=0)) for q, p in zip(turned, found, strict=True)]
        assert form.value(turned) > lowest * (1 - 1e-3)


def test_the_manifold_term_is_the_mean_squared_distance_of_each_kind_of_edge():
    """Against every distance compared one by one, with one source and two classes."""
    random = np.random.default_rng(5)
    source, target = random.standard_normal((4, 10)), random.standard_normal((4, 12))
    kinds, others = np.repeat([0, 1], 5), np.repeat([0, 1], 6)
    projection = random.standard_normal((4, 2))
    form = Form(1, 4)
    add_manifold(form, 0.7, [source], [kinds], target, others, [projection], 2)

    def edges(one, its, other, their, same):
        far = pairwise_distances((projection.T @ one).T, (projection.T @ other).T)
        far[its[:, None] != their[None, :]] = np.inf
        if same:
            np.fill_diagonal(far, np.inf)
        near = np.argsort(far, axis=1)[:, :2]
        return np.mean(np.take_along_axis(far**2, near, axis=1))

    expected = edges(source, kinds, source, kinds, True) + edges(target, others, target, others, True)
    expected += edges(source, kinds, target, others, False) + edges(target, others, source, kinds, False)
    assert form.value([projection]) == pytest.approx(0.7 * expected)


def test_a_clip_alone_in_its_class_has_neighbours_elsewhere_only():
    source, target = np.array([[0.0, 5.0, 6.0]]), np.array([[1.0, 2.0]])
    form = Form(1, 1)
    add_manifold(form, 1.0, [source], [np.array([0, 1, 1])], target, np.array([0, 0]), [np.ones((1, 1))], 5)
    # Within the source 5 and 6; within the target 1 and 2; across 0 to 1 and 2, and both back.
    assert form.value([np.ones((1, 1))]) == pytest.approx(1 + 1 + 2.5 + 2.5)

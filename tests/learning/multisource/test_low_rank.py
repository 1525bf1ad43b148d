"""The augmented Lagrangian: known answers, a bound from the dual problem, the constraint and the mask."""

import numpy as np
import pytest

from sertk.learning.multisource.low_rank import allowed_blocks, low_rank_transfer


def domains(seed=0, width=4, clips=30):
    """Three classes along three axes: a source that lacks the last, and a target; columns are clips."""
    random = np.random.default_rng(seed)
    means = 3 * np.eye(width)[:3]
    labels, kinds = np.repeat([0, 1], clips), np.repeat([0, 1, 2], clips)
    source = means[labels] + 0.3 * random.standard_normal((len(labels), width))
    target = means[kinds] + 0.3 * random.standard_normal((len(kinds), width))
    return source.T / np.sqrt(len(labels)), labels, target.T / np.sqrt(len(kinds)), kinds


@pytest.fixture(scope="module")
def problem():
    return domains()


@pytest.fixture(scope="module")
def solved(problem):
    source, labels, target, kinds = problem
    blocks = allowed_blocks(labels, kinds)
    return low_rank_transfer(source, target, blocks, error=10 / np.sqrt(len(kinds)), latent=4.0)


def test_without_error_or_latent_term_it_is_the_pseudo_inverse(problem):
    """min ||Z||_* with target = source Z has one answer, pinv(source) target (Liu et al. 2010, theorem 3.1)."""
    source, _, target, _ = problem
    found = low_rank_transfer(source, target, error=1e6, latent=1e6, tolerance=1e-9, iterations=500)
    np.testing.assert_allclose(found.combination(source.shape[1]), np.linalg.pinv(source) @ target, atol=1e-5)
    assert np.abs(found.latent).max() == 0
    assert np.abs(found.error).max() < 1e-6


def test_the_constraint_holds_at_the_end_with_z_in_full(problem, solved):
    source, _, target, _ = problem
    made = source @ solved.combination(source.shape[1]) + solved.latent @ target + solved.error
    assert np.linalg.norm(target - made) < 1e-4 * np.linalg.norm(target)


def test_z_is_zero_where_classes_differ(problem, solved):
    source, labels, _, kinds = problem
    full = solved.combination(source.shape[1])
    same = labels[:, None] == kinds[None, :]
    assert not full[~same].any()
    assert np.abs(full[same]).max() > 0.01
    # No clip of the class that the source lacks is made of source clips.
    assert not full[:, kinds == 2].any()


def test_the_objective_is_the_norms_of_z_in_full(problem, solved):
    source, _, _, kinds = problem
    expected = np.linalg.norm(solved.combination(source.shape[1]), "nuc") + 4 * np.linalg.norm(solved.latent, "nuc")
    expected += 10 / np.sqrt(len(kinds)) * np.linalg.norm(solved.error, axis=0).sum()
    assert solved.objective == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_the_lowest_value_is_reached(seed):
    """Weak duality: <Y, target> bounds the objective from below for any Y that is feasible in the dual problem.

    That is: no block of source' Y has a singular value above 1, Y target' none above the latent penalty, and no column
    of Y is longer than the error's. A slow solution's multiplier is such a Y, nearly; shortened, it is one.
    """
    source, labels, target, kinds = domains(seed)
    blocks = allowed_blocks(labels, kinds)
    error, latent = 10 / np.sqrt(len(kinds)), 4.0
    slow = low_rank_transfer(source, target, blocks, error=error, latent=latent, rho=1.002, iterations=2000)
    too_long = max(
        np.linalg.norm(slow.multiplier, axis=0).max() / error,
        np.linalg.norm(slow.multiplier @ target.T, 2) / latent,
        *[np.linalg.norm(source[:, mine].T @ slow.multiplier[:, theirs], 2) for mine, theirs in blocks],
    )
    bound = np.sum(slow.multiplier / too_long * target)
    assert bound <= slow.objective * (1 + 1e-4)
    assert slow.objective <= bound * 1.001
    fast = low_rank_transfer(source, target, blocks, error=error, latent=latent)
    assert fast.objective <= bound * 1.002


def test_the_residual_falls_below_the_tolerance(solved):
    residuals = np.array(solved.residuals)
    assert residuals[-1] < 1e-5
    # Over ten iterations it falls, whatever single ones do.
    later = residuals[10:]
    assert (later[10:] < later[:-10]).all()


def test_the_latent_term_recovers_the_class_that_the_source_lacks(problem, solved):
    _, _, target, kinds = problem
    recovered = solved.latent @ target
    shares = [np.linalg.norm(recovered[:, kinds == c]) / np.linalg.norm(target[:, kinds == c]) for c in range(3)]
    assert shares[2] > 0.5
    assert max(shares[:2]) < 0.2


def test_the_error_takes_the_clips_that_fit_nowhere():
    source, labels, target, kinds = domains(1)
    strange = [3, 40]
    target = target.copy()
    target[3, strange] += 4 / np.sqrt(len(kinds))  # A direction that nothing else lies in.
    blocks = allowed_blocks(labels, kinds)
    found = low_rank_transfer(source, target, blocks, error=10 / np.sqrt(len(kinds)), latent=4.0)
    assert set(np.argsort(np.linalg.norm(found.error, axis=0))[-2:]) == set(strange)


def test_without_target_labels_any_clip_may_be_used(problem):
    source, labels, target, _ = problem
    assert allowed_blocks(labels, None) is None
    found = low_rank_transfer(source, target, error=1.0)
    assert found.combination(source.shape[1]).any(axis=0).sum() > 0


def test_a_source_that_shares_no_class_leaves_all_to_the_latent_term(problem):
    source, _, target, _ = problem
    found = low_rank_transfer(source, target, [], error=1.0, latent=1.0)
    assert not found.combined.any()
    assert found.residuals[-1] < 1e-5


def test_source_and_target_of_other_widths_are_refused():
    with pytest.raises(ValueError, match=r"`source` must have as many rows as the target.*\(3, 5\) and \(2, 5\)"):
        low_rank_transfer(np.ones((3, 5)), np.ones((2, 5)))

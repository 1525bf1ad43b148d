"""Triangles at random: their areas by the shoelace formula and by counted cells, their places, and what they hold."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.augment.triangles import cells_inside, draw_triangles, mean_inside


def triangles(area, clips, count=1, seed=0):
    areas = np.full(clips, area, "float32")
    return numbers(draw_triangles(areas, count, keras.random.SeedGenerator(seed)))


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor)


def shoelace(corners):
    """Areas of triangles `(..., 3, 2)`, in double precision."""
    x, y = np.moveaxis(corners.astype("float64"), -1, 0)
    next_x, next_y = (np.roll(axis, -1, axis=-1) for axis in (x, y))
    return np.abs((x * next_y - next_x * y).sum(axis=-1)) / 2


@settings(deadline=None, max_examples=25)
@given(area=st.floats(0.001, 0.5), count=st.integers(1, 5), seed=st.integers(0, 99))
def test_triangles_have_the_area_and_lie_inside(area, count, seed):
    corners = triangles(area, 40, count, seed)
    assert corners.shape == (40, count, 3, 2)
    assert corners.min() >= -1e-6
    assert corners.max() <= 1 + 1e-6
    np.testing.assert_allclose(shoelace(corners), area, rtol=1e-3)


@pytest.mark.parametrize("area", [0.01, 0.1, 0.3, 0.5])
@pytest.mark.parametrize(("frames", "bands"), [(94, 128), (31, 7)])
def test_counted_cells_are_the_area_but_for_the_rim(area, frames, bands):
    share = numbers(cells_inside(triangles(area, 1_000)[:, 0], frames, bands)).mean(axis=(1, 2))
    # A convex figure's lattice points are its area to half its rim and 1 (Nosarzewska), its rim at most the box's.
    assert np.abs(share - area).max() <= (frames + bands + 1) / (frames * bands)
    # What the rim cuts off here it adds there.
    np.testing.assert_allclose(share.mean(), area, rtol=0.05 if frames < 94 else 0.005)


@settings(deadline=None, max_examples=20)
@given(frames=st.integers(1, 40), bands=st.integers(1, 40), area=st.floats(0.01, 0.5), seed=st.integers(0, 99))
def test_cells_are_those_whose_centres_are_inside(frames, bands, area, seed):
    """By barycentric coordinates: a point is inside where it is a mean of the corners with no weight below 0."""
    corners = triangles(area, 10, seed=seed)[:, 0]
    inside = numbers(cells_inside(corners, frames, bands))
    grid = np.stack(np.meshgrid((np.arange(frames) + 0.5) / frames, (np.arange(bands) + 0.5) / bands, indexing="ij"))
    points = np.concatenate([grid.reshape(2, -1), np.ones((1, frames * bands))])
    for triangle, cells in zip(corners.astype("float64"), inside, strict=True):
        weights = np.linalg.solve(np.concatenate([triangle.T, np.ones((1, 3))]), points)
        least = weights.min(axis=0).reshape(frames, bands)
        assert cells[least > 1e-3].all()
        assert not cells[least < -1e-3].any()


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        ([(0, 0), (1, 0), (0, 1)], ["1111", "1110", "1100", "1000"]),
        ([(0, 1), (0, 0), (1, 0)], ["1111", "1110", "1100", "1000"]),
        ([(1, 0), (1, 1), (0, 1)], ["0001", "0011", "0111", "1111"]),
        ([(0.125, 0), (0.125, 1), (0.375, 0.375)], ["1111", "0100", "0000", "0000"]),  # an edge along the first centres
        ([(0.2, 0.2), (0.3, 0.2), (0.2, 0.3)], ["0000"] * 4),  # between the centres
    ],
)
def test_cells_of_triangles_drawn_by_hand(corners, expected):
    inside = numbers(cells_inside(np.array([corners], "float32"), 4, 4))[0]
    assert ["".join(map(str, row.astype(int))) for row in inside] == expected


def test_all_kinds_of_triangles_come_at_all_places():
    corners = triangles(0.05, 6_000)[:, 0]
    np.testing.assert_allclose(corners.mean(axis=(0, 1)), 0.5, atol=0.01)
    covered = numbers(cells_inside(corners, 6, 6)).mean(axis=0)
    for alike in (covered.T, covered[::-1], covered[:, ::-1]):
        np.testing.assert_allclose(covered, alike, atol=0.015)
    assert covered.min() > 0.01  # the corners of the spectrogram too
    # As in triangles with three corners drawn evenly, a third have corners in two opposite ones of their box.
    low, high = corners.min(axis=1), corners.max(axis=1)
    at_low, at_high = corners == low[:, None], corners == high[:, None]
    rising = (at_low.all(axis=2).any(axis=1)) & (at_high.all(axis=2).any(axis=1))
    falling = (at_low[..., 0] & at_high[..., 1]).any(axis=1) & (at_high[..., 0] & at_low[..., 1]).any(axis=1)
    np.testing.assert_allclose([rising.mean(), falling.mean()], 1 / 6, atol=0.02)


def test_means_are_those_of_the_covered_cells():
    features = np.random.default_rng(0).normal(-40, 15, (5, 30, 20)).astype("float32")
    corners = triangles(0.1, 5, count=4)
    means, there = mean_inside(features, corners)
    inside = numbers(cells_inside(corners, 30, 20))
    expected = [[features[clip][cells].mean(dtype="float64") for cells in inside[clip]] for clip in range(5)]
    assert numbers(there).all()
    np.testing.assert_allclose(means, expected, atol=1e-3)


def test_a_triangle_without_a_cell_says_so():
    between = np.array([[[(0.2, 0.2), (0.3, 0.2), (0.2, 0.3)]]], "float32")
    means, there = mean_inside(np.ones((1, 4, 4), "float32"), between)
    assert not numbers(there).any()
    assert not numbers(means).any()

"""Constructed domains: a target of six clusters, and sources that are turned, moved and lack classes."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg
import scipy.stats


def turned_and_moved(
    seed, *, lacking=((4, 5), (0, 1)), classes=6, channels=30, clips=40, angle=1.5, shift=8.0, apart=4.0
):
    """Classes at the corners of a regular simplex, `apart` from its middle, with unit noise.

    Each source is turned, by at most `angle` radians in any plane, and moved by `shift`, otherwise than the others.
    """
    random = np.random.default_rng(seed)
    corners = np.eye(classes) - 1 / classes
    corners *= apart / np.linalg.norm(corners[0])
    means = corners @ scipy.stats.ortho_group.rvs(channels, random_state=random)[:classes]

    def domain(kinds, turn, move):
        labels = np.repeat(kinds, clips)
        points = means[labels] + random.standard_normal((len(labels), channels))
        plane = random.standard_normal((channels, channels))
        plane -= plane.T
        direction = random.standard_normal(channels)
        turned = points @ scipy.linalg.expm(turn * plane / np.linalg.norm(plane, 2))
        return turned + move * direction / np.linalg.norm(direction), labels

    sources = [domain([c for c in range(classes) if c not in without], angle, shift) for without in lacking]
    target, truth = domain(range(classes), 0, 0)
    return SimpleNamespace(sources=sources, target=target, truth=truth)


@pytest.fixture(scope="session")
def constructed():
    """A function that makes two sources and a target from a seed."""
    return turned_and_moved


@pytest.fixture(scope="session")
def easy():
    """Four classes far apart, hardly turned: two sources of 45 clips, each without one class, and a target of 60."""
    return turned_and_moved(0, lacking=((3,), (0,)), classes=4, channels=8, clips=15, angle=0.3, shift=1, apart=8)

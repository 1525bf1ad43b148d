"""What an explanation says in words and shows in a picture."""

import numpy as np
import pytest
from PIL import Image

from sertk.inference import Explanation, plot_explanation


@pytest.fixture
def explanation():
    """100 frames of 10 ms and 8 bands of 100 Hz; what speaks for it lies at 0.30 to 0.35 s and 200 to 300 Hz."""
    heat = np.zeros((100, 8))
    heat[30:36, 2:4] = 1.0
    heat[80:83, 6] = -1.0
    return Explanation(
        emotion="happy",
        probability=0.634,
        silence=None,
        method="grad-cam",
        spectrogram=np.random.default_rng(0).uniform(-80, 0, (100, 8)),
        heat=heat,
        times=np.arange(100) / 100,
        frequencies=np.arange(8) * 100.0,
        ends=0.9,
    )


def replaced(explanation, **changes):
    return Explanation(**{**vars(explanation), **changes})


def test_the_strongest_stretch_holds_half_of_what_speaks_for_it(explanation):
    heat = np.zeros((100, 8))
    heat[10, 1], heat[50:53, 5] = 2.0, 1.0  # 2 of 5 in one frame; 3 in three, of which half of all needs all three
    assert replaced(explanation, heat=heat).strongest["seconds"] == (0.5, 0.52)
    assert replaced(explanation, heat=heat).strongest["hertz"] == (500.0, 500.0)
    heat[10, 1] = 4.0
    assert replaced(explanation, heat=heat).strongest == {"seconds": (0.1, 0.1), "hertz": (100.0, 100.0)}
    assert replaced(explanation, heat=np.ones((100, 8))).strongest["seconds"] == (0.0, 0.49)
    assert replaced(explanation, heat=-heat).strongest is None
    assert replaced(explanation, heat=heat, frequencies=None).strongest["bands"] == (1, 1)


def test_a_sentence_tells_it(explanation):
    assert explanation.sentence() == (
        "happy, 63%: half of what speaks for it lies within 0.30 to 0.32 s, and within 200 to 200 Hz (Grad-CAM)."
    )
    told = replaced(explanation, silence=0.14, method="integrated-gradients").sentence(offset=60.0)
    assert told.startswith("happy, 63% (silence: 14%): half of what speaks for it lies within 60.30 to 60.32 s")
    assert told.endswith("(integrated gradients, compared with silence).")
    assert "nothing that is heard speaks for it" in replaced(explanation, heat=np.zeros((100, 8))).sentence()


def test_heat_is_red_where_it_speaks_for_and_blue_where_it_speaks_against(explanation, tmp_path):
    plot_explanation(explanation, tmp_path / "new" / "why.png", title="$\\frac$.wav")  # no formula
    with Image.open(tmp_path / "new" / "why.png") as picture:
        assert picture.size == (1650, 1200)
        colours = np.array(picture.convert("RGB")).astype(int)
    # In the lower half, left of the bars over the bands: the spectrogram under the heat.
    lower = colours[760:1120, :1280]
    red = (lower[..., 0] - lower[..., 2] > 60) & (lower[..., 0] > lower[..., 1] + 60)
    blue = lower[..., 2] - lower[..., 0] > 60
    assert red.any()
    assert blue.any()
    assert np.nonzero(red)[1].mean() < np.nonzero(blue)[1].mean()  # earlier
    assert np.nonzero(red)[0].mean() > np.nonzero(blue)[0].mean()  # lower bands, further down


@pytest.mark.parametrize("heat", [0.0, 1.0, -1.0])
def test_any_heat_can_be_drawn(explanation, heat, tmp_path):
    plain = replaced(explanation, heat=np.full((100, 8), heat), frequencies=None, silence=0.1)
    assert plot_explanation(plain, tmp_path / "why.png").is_file()


def test_a_single_frame_can_be_drawn(explanation, tmp_path):
    one = {name: getattr(explanation, name)[:1] for name in ("spectrogram", "heat", "times")}
    assert plot_explanation(replaced(explanation, **one), tmp_path / "why.png").is_file()

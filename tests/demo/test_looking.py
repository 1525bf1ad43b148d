"""What the page shows, without the page: the model's own answers, pictures of their sizes, slips in a sentence."""

import numpy as np
import pytest
import soundfile

from sertk.demo import look_at
from sertk.demo.page import _plain
from sertk.inference import Predictor, predict


@pytest.fixture(scope="module")
def predictor(finished_run):
    return Predictor(finished_run.directory)


def test_says_what_predict_says(predictor, tiny_corpus):
    path = tiny_corpus["path"][0]
    look = look_at(predictor, path)
    (expected,) = predict(predictor, [path], windows=True, progress=False).to_dict("records")
    assert look.sentence.startswith(f"{expected['predicted']}, ")
    for name in predictor.classes:
        assert look.probabilities[name] == pytest.approx(expected[f"p_{name}"], abs=1e-6)
    assert (look.sound.size, look.over_time.size, look.reason.size) == ((1650, 1050), (1950, 900), (1650, 1200))
    assert look.why.startswith(expected["predicted"])


def test_what_can_not_be_heard_is_told_by_name_without_the_folder(predictor, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(ValueError, match=r"^broken\.wav: .*Received: "):
        look_at(predictor, tmp_path / "broken.wav")
    soundfile.write(tmp_path / "long.wav", np.zeros(32_000), 16_000)
    with pytest.raises(ValueError, match=r"^long\.wav: is longer than `max_seconds`"):
        look_at(predictor, tmp_path / "long.wav", max_seconds=1.5)
    with pytest.raises(FileNotFoundError, match=r"^gone\.wav: there is no such file"):
        look_at(predictor, tmp_path / "gone.wav")


def test_a_name_does_not_become_markup():
    assert _plain("<img src=x onerror=alert(1)>.wav") == "&lt;img src=x onerror=alert(1)>.wav"
    assert _plain("[click](x) `a` *b*") == "\\[click\\](x) \\`a\\` \\*b\\*"

"""The report folder: what a reader finds in it, and that it is whole."""

import json

import numpy as np
import pandas as pd
import pytest

from sertk.evaluation import load_predictions, metrics, write_report

FILES = {"report.md", "confusion.png", "metrics.json", "predictions.csv"}
PROTOCOL = {"corpus": "made_up", "split": "speaker", "seed": 123456, "clips": {"train": 1152, "test": 9}}


@pytest.fixture
def predictions():
    """Confusions by hand: happy 3 of 3, sad taken for happy twice of 4, angry once of 2 for sad."""
    table = {
        "path": [f"{i}.wav" for i in range(9)],
        "emotion": ["happy"] * 3 + ["sad"] * 4 + ["angry"] * 2,
        "predicted": ["happy"] * 3 + ["happy"] * 2 + ["sad"] * 2 + ["angry", "sad"],
        "speaker": ["01", "02", "03"] * 3,
    }
    return pd.DataFrame(table, dtype="string")


def write(directory, predictions, scores=None, **changes):
    scores = metrics(predictions) if scores is None else scores
    return write_report(directory, predictions, scores, **{"title": "A run", "protocol": PROTOCOL} | changes)


def test_the_page_says_what_matters(tmp_path, predictions):
    scores = metrics(predictions)
    low, high = (100 * bound for bound in scores["interval"]["uar"])
    facts = {"parameters": 27660103, "best_epoch": 7, "loss": 0.123456, "gpu": None, "command": "sertk train x\n"}
    path = write(tmp_path / "run", predictions, facts=facts, notes=["The corpus is synthetic.", "One seed only."])
    page = path.read_text(encoding="utf-8")
    assert path == tmp_path / "run" / "report.md"
    assert page.startswith("# A run\n\n> **Note:** The corpus is synthetic.\n\n> **Note:** One seed only.\n")
    # UAR (1 + 2/4 + 1/2) / 3 = 2/3, accuracy 6/9; chance 1/3 and 4/9
    assert f"**UAR 66.7 %** (95 % interval over speakers: {low:.1f} to {high:.1f} %; chance: 33.3 %)" in page
    assert "**accuracy 66.7 %** on 9 test clips." in page
    assert "44.4 % (always the most frequent class)" in page
    assert "bootstrap over 3 speakers, 1,000 resamples. The test set holds only 3 speakers" in page
    assert "| seed | 123456 |" in page
    assert "| clips | train 1,152, test 9 |" in page
    assert "| parameters | 27,660,103 |\n| best epoch | 7 |\n| loss | 0.1235 |\n| gpu | – |" in page
    assert "| sad | 66.7 % | 50.0 % | 57.1 % | 4 |" in page
    assert "- sad was taken for happy twice (50.0 % of its 4 clips)\n- angry was taken for sad once (50.0 %" in page
    assert "```sh\nsertk train x\n```" in page


def test_every_file_the_page_names_is_there_and_no_other(tmp_path, predictions):
    history = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0], "val_loss": [2.0, 1.5]})
    page = write(tmp_path, predictions, history=history).read_text()
    assert {file.name for file in tmp_path.iterdir()} == FILES | {"learning_curves.png"}
    assert all(name in page for name in FILES - {"report.md"} | {"learning_curves.png"})

    page = write(tmp_path, predictions).read_text()  # without a history no older curves may stay
    assert {file.name for file in tmp_path.iterdir()} == FILES
    assert "learning_curves" not in page


def test_figures_and_predictions_come_back(tmp_path, predictions):
    facts = {"seconds": np.float32(1.5), "shape": (2, np.int64(3)), "loss": float("nan"), "folder": tmp_path}
    write(tmp_path, predictions, facts=facts, notes=["ä"])
    content = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert content["metrics"] == metrics(predictions)
    assert content["protocol"] == PROTOCOL
    assert content["facts"] == {"seconds": 1.5, "shape": [2, 3], "loss": None, "folder": str(tmp_path)}
    assert (content["title"], content["notes"]) == ("A run", ["ä"])
    assert metrics(load_predictions(tmp_path / "predictions.csv")) == metrics(predictions)
    assert "| loss | nan |" in (tmp_path / "report.md").read_text()


def test_text_cannot_break_a_table(tmp_path, predictions):
    page = write(tmp_path, predictions, protocol={"a|b": "x\ny|z"}).read_text()
    assert "| a\\|b | x y\\|z |" in page


def test_a_perfect_and_an_intervalless_result_read_well(tmp_path):
    table = pd.DataFrame({"path": ["1.wav"], "emotion": ["sad"], "predicted": ["sad"]})
    page = write(tmp_path, table, metrics(table, ["sad", "fear"])).read_text()
    assert "**UAR 100.0 %** (chance: 100.0 %) and **accuracy 100.0 %** on 1 test clip." in page
    assert "No interval: the test set holds only one clip" in page
    assert "The test set holds no clip of: fear. UAR is over the other classes." in page
    assert "None: every clip was recognised." in page
    assert "The command of this run was not recorded." in page


def test_metrics_of_another_table_are_refused_before_anything_is_written(tmp_path, predictions):
    with pytest.raises(ValueError, match=r"on this very table. Received: metrics of 8 clips, 6 right, .* 9 clips"):
        write(tmp_path / "run", predictions, metrics(predictions[:8]))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": " "}, r"`title` must be one line of text. Received: title=' '"),
        ({"title": "a\nb"}, r"`title` must be one line"),
        ({"protocol": "speaker"}, r"`protocol` must be a dict of plain facts. Received: protocol='speaker'"),
        ({"facts": [1]}, r"`facts` must be a dict"),
        ({"notes": "One."}, r"`notes` must be a list of sentences; put a single one in brackets"),
    ],
)
def test_other_than_plain_facts_is_refused(tmp_path, predictions, changes, words):
    with pytest.raises(ValueError, match=words):
        write(tmp_path, predictions, **changes)

"""The table keeps clip, truth and probabilities together, and comes back from CSV as it went."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.evaluation import class_names, load_predictions, predictions_table, save_predictions

CLASSES = ["angry", "happy", "sad"]


def manifest(**columns):
    table = {"speaker": ["01", "02"], "path": ["/a/1.wav", "/a/2.wav"], "emotion": ["sad", "angry"]} | columns
    return pd.DataFrame(table).astype(dict.fromkeys(["speaker", "path", "emotion"], "string"))


def test_columns_and_likeliest_class():
    table = predictions_table(manifest(duration=[1.5, 2.5]), [[0.1, 0.2, 0.7], [0.4, 0.4, 0.2]], CLASSES)
    assert list(table) == ["path", "emotion", "predicted", "p_angry", "p_happy", "p_sad", "speaker", "duration"]
    assert table["predicted"].tolist() == ["sad", "angry"]  # the first of equals
    assert table["p_sad"].tolist() == [0.7, 0.2]
    assert class_names(table) == CLASSES


def test_rows_go_by_position_whatever_the_index():
    """A test part cut out of a manifest keeps its old index; probabilities know only the order."""
    cut = manifest().set_axis([7, 3])
    table = predictions_table(cut, [[0, 0, 1], [1, 0, 0]], CLASSES)
    assert table.index.tolist() == [0, 1]
    assert table[["path", "predicted"]].to_numpy().tolist() == [["/a/1.wav", "sad"], ["/a/2.wav", "angry"]]


def test_the_manifest_is_left_alone():
    before = manifest()
    predictions_table(before, [[0, 0, 1], [1, 0, 0]], CLASSES)
    pd.testing.assert_frame_equal(before, manifest())


def test_a_half_precision_softmax_is_good_enough():
    logits = np.random.default_rng(0).normal(size=(2, 3))
    softmax = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype("float16")
    assert len(predictions_table(manifest(), softmax, CLASSES)) == 2


@pytest.mark.parametrize(
    ("probabilities", "words"),
    [
        ([[0, 0, 1]], r"a row for each of the 2 clips and a column for each of the 3 classes.*shape=\(1, 3\)"),
        ([[0, 1], [1, 0]], r"column for each of the 3 classes.*shape=\(2, 2\)"),
        ([[0, 0, 1], [0, np.nan, 1]], r"must be finite.*1 row\(s\).*first is row 1"),
        ([[2.0, -1.5, 3.0], [0, 0, 1]], r"softmax first. Received: 1 such row\(s\), the first is row 0: \[2.0"),
        ([[1.2, -0.2, 0.0], [0, 0, 1]], r"non-negative"),
        ([[0, 0, 1.002], [0, 0, 1]], r"sum to 1"),
    ],
)
def test_impossible_probabilities_are_refused(probabilities, words):
    with pytest.raises(ValueError, match=words):
        predictions_table(manifest(), probabilities, CLASSES)


@pytest.mark.parametrize(
    ("emotion", "received"), [("fear", r"1 clip\(s\). Received: fear"), (None, r"Received: \(missing\)")]
)
def test_a_truth_outside_the_classes_is_refused(emotion, received):
    with pytest.raises(ValueError, match=received):
        predictions_table(manifest(emotion=["sad", emotion]), [[0, 0, 1], [1, 0, 0]], CLASSES)


@pytest.mark.parametrize("classes", ["sad", [], ["sad", "sad"], ["sad", ""], [0, 1]])
def test_impossible_classes_are_refused(classes):
    with pytest.raises(ValueError, match=r"`classes` must be a list of class names, each once.* Received: classes="):
        predictions_table(manifest(), [[0.5, 0.5]] * 2, classes)


def test_a_manifest_without_truth_or_with_taken_columns_is_refused():
    with pytest.raises(ValueError, match=r"`manifest` must have the columns path, emotion; add emotion"):
        predictions_table(manifest().drop(columns="emotion"), [[0, 0, 1], [1, 0, 0]], CLASSES)
    with pytest.raises(ValueError, match=r"rename or drop them. Received: \['p_value'\]"):
        predictions_table(manifest(p_value=[1, 2]), [[0, 0, 1], [1, 0, 0]], CLASSES)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)


@settings(deadline=None, max_examples=40)
@given(
    speakers=st.lists(st.one_of(st.none(), st.sampled_from(["01", "NA", "nan", "1e5", "a,b", '"']), TEXT), min_size=1),
    seed=st.integers(0, 99),
)
def test_csv_round_trip_is_exact(tmp_path_factory, speakers, seed):
    generator = np.random.default_rng(seed)
    count = len(speakers)
    clips = pd.DataFrame({"path": [f"/ä {i}.wav" for i in range(count)], "emotion": "sad", "speaker": speakers})
    clips = clips.astype("string").assign(duration=generator.uniform(1, 5, count))
    table = predictions_table(clips, generator.dirichlet(np.ones(3), count), CLASSES)
    path = tmp_path_factory.mktemp("round") / "deep" / "predictions.csv"
    assert save_predictions(table, path) == path
    pd.testing.assert_frame_equal(load_predictions(path), table, check_exact=True)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`save_predictions` wrote. Received: .*gone.csv"):
        load_predictions(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"must name a CSV table"),
        (b"\xff\xfe\x00", r"must name a CSV table in UTF-8"),
        (b"path,emotion\na.wav,sad\n", r"p.csv` must have the columns path, emotion, predicted; add predicted"),
        (b"path,emotion,predicted,p_sad\na.wav,sad,sad,often\n", r"The column `p_sad` of p.csv must hold numbers"),
    ],
)
def test_other_files_are_refused(tmp_path, content, words):
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        load_predictions(tmp_path / "p.csv")

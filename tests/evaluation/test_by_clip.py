"""Chunks' probabilities averaged to a clip's, by hand."""

import pandas as pd
import pytest

from sertk.evaluation import by_clip, predictions_table


def test_the_mean_of_the_chunks_decides():
    """Clip a: two of three chunks say sad, but the third is so sure that the mean says happy."""
    chunks = pd.DataFrame(
        {
            "path": ["b", "a", "a", "a", "b"],
            "emotion": ["sad", "happy", "happy", "happy", "sad"],
            "speaker": ["2", "1", "1", "1", "2"],
            "chunk_start": [0, 0, 480, 960, 480],
            "duration": [0.03] * 5,
        }
    )
    happy = [0.2, 0.4, 0.4, 1.0, 0.4]
    table = by_clip(predictions_table(chunks, [[p, 1 - p] for p in happy], ["happy", "sad"]))
    assert list(table.columns) == ["path", "emotion", "predicted", "p_happy", "p_sad", "speaker"]
    assert table["path"].tolist() == ["b", "a"]
    assert table["p_happy"].tolist() == pytest.approx([0.3, 0.6])
    assert table["predicted"].tolist() == ["sad", "happy"]
    assert table["speaker"].tolist() == ["2", "1"]


def test_a_table_without_paths_is_refused():
    with pytest.raises(ValueError, match=r"`predictions` must have the columns path, emotion; add path"):
        by_clip(pd.DataFrame({"emotion": ["sad"]}))

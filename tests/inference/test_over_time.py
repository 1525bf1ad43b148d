"""Timelines: every window of a recording of any length, in constant memory, in each format."""

import csv
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from sertk.audio import read
from sertk.inference import predict, summary, timeline, write_timeline


@pytest.fixture
def recording(tmp_path, speech_like):
    path = tmp_path / "talk.wav"
    soundfile.write(path, speech_like(16_000 * 5 + 1_000), 16_000)
    return path


def columns(table):
    return table[[name for name in table if name.startswith("p_")]].to_numpy()


def test_there_is_a_row_a_window_that_says_what_is_said_of_it_alone(energy_predictor, recording):
    predictor = energy_predictor(1.0)
    table = timeline(predictor, [recording], hop=0.25)
    assert list(table) == ["path", "start", "end", "level_db", "predicted", "p_early", "p_late"]
    assert list(table["start"]) == pytest.approx([*np.arange(0, 4.01, 0.25), 4.0625])
    assert set(table["path"]) == {str(recording)}
    waveform = read(recording)
    for row in table.to_dict("records"):
        window = waveform[round(16_000 * row["start"]) : round(16_000 * row["end"])]
        assert len(window) == 16_000
        assert row["p_early"] == pytest.approx(predictor.probabilities(window)[0], abs=1e-6)
        assert row["predicted"] == ("early" if row["p_early"] > 0.5 else "late")
        assert row["level_db"] == pytest.approx(20 * np.log10(np.sqrt(np.mean(window**2))), abs=0.01)
    assert (table.attrs["window"], table.attrs["hop"]) == (1.0, 0.25)


def test_blocks_of_the_file_make_no_difference(energy_predictor, recording, monkeypatch):
    whole = timeline(energy_predictor(1.0), [recording], hop=0.1)
    monkeypatch.setattr("sertk.audio.decode.BLOCK", 777)
    pd.testing.assert_frame_equal(timeline(energy_predictor(1.0), [recording], hop=0.1), whole)


def test_a_file_of_another_rate_is_resampled_block_by_block(energy_predictor, tmp_path, speech_like, monkeypatch):
    """The same numbers as of the whole file in memory."""
    soundfile.write(tmp_path / "clip.flac", speech_like(44_100 * 4), 44_100)
    monkeypatch.setattr("sertk.audio.decode.BLOCK", 10_000)
    predictor, waveform = energy_predictor(1.0), read(tmp_path / "clip.flac")
    for row in timeline(predictor, [tmp_path / "clip.flac"]).to_dict("records"):
        window = waveform[round(16_000 * row["start"]) : round(16_000 * row["end"])]
        assert row["p_early"] == pytest.approx(predictor.probabilities(window)[0], abs=1e-6)


def test_the_summary_averages_windows_and_predict_gives_it(energy_predictor, recording, tmp_path, speech_like):
    soundfile.write(tmp_path / "short.wav", speech_like(8_000, seed=3), 16_000)
    predictor, files = energy_predictor(1.0), [recording, tmp_path / "short.wav", recording]
    table = summary(timeline(predictor, files))
    assert list(table["path"]) == list(map(str, files))
    assert list(table["seconds"]) == [5.062, 0.5, 5.062]
    starts = [*range(0, 65_000, 8_000), 65_000]
    waveform = read(recording)
    expected = np.mean([predictor.probabilities(waveform[start : start + 16_000]) for start in starts], axis=0)
    np.testing.assert_allclose(columns(table)[[0, 2]], [expected, expected], atol=1e-6)
    np.testing.assert_allclose(columns(table)[1], predictor.probabilities(read(files[1])), atol=1e-6)
    pd.testing.assert_frame_equal(predict(predictor, files, windows=True), table)
    np.testing.assert_allclose(predictor.probabilities(waveform, windows=True), expected, atol=1e-6)


def test_no_recording_is_too_long_unless_told(energy_predictor, tmp_path):
    """An hour and a bit of silence, which `predict` without windows refuses by its header."""
    with soundfile.SoundFile(tmp_path / "long.flac", "w", 1_000, 1) as file:
        file.write(np.zeros(3_601_000))
    predictor = energy_predictor(60.0, 1_000)
    with pytest.raises(ValueError, match="is longer than `max_seconds`, 3,600 s"):
        predict(predictor, [tmp_path / "long.flac"])
    assert predict(predictor, [tmp_path / "long.flac"], windows=True)["seconds"][0] == 3_601
    with pytest.raises(ValueError, match="is longer than `max_seconds`, 60 s"):
        timeline(predictor, [tmp_path / "long.flac"], max_seconds=60)


def test_files_that_break_off_are_left_out_whole(energy_predictor, recording, tmp_path, speech_like):
    """What is wrong shows in the end, when windows of the file were told already."""
    soundfile.write(tmp_path / "whole.flac", speech_like(16_000 * 60, seed=1), 16_000)
    broken = tmp_path / "broken.flac"
    broken.write_bytes((tmp_path / "whole.flac").read_bytes()[:-50_000])
    table = timeline(energy_predictor(1.0), [broken, recording], skip_bad=True)
    assert set(table["path"]) == {str(recording)}
    (left_out,) = table.attrs["skipped"]
    assert left_out["path"] == str(broken)
    assert summary(table).attrs["skipped"] == [left_out]
    with pytest.raises(ValueError, match=r"broken\.flac: "):
        timeline(energy_predictor(1.0), [broken, recording])
    with pytest.raises(ValueError, match="Received: 1 that can't, the first"):
        timeline(energy_predictor(1.0), [broken], skip_bad=True)
    with pytest.raises(ValueError, match=r"talk\.wav: must have at least 160000 samples, 10 s"):
        timeline(energy_predictor(None, shortest=160_000), [recording], window=20)
    with pytest.raises(ValueError, match="`max_seconds` must be a number of seconds above 0"):
        timeline(energy_predictor(1.0), [recording], max_seconds=0)


def test_what_the_model_refuses_is_told_by_file_and_may_be_left_out(energy_predictor, recording, tmp_path, speech_like):
    """As an exported model refuses a clip that is longer than it was exported for, or too loud."""
    soundfile.write(tmp_path / "loud.wav", 500 * speech_like(16_000), 16_000, subtype="FLOAT")

    class Exported(energy_predictor):
        longest = 48_000

        def _answer(self, windows):
            if np.abs(windows).max() > 100:
                raise ValueError("`waveform` must lie in [-1, 1]. Received: a sample of 250")
            return super()._answer(windows)

    soundfile.write(tmp_path / "short.wav", speech_like(16_000), 16_000)
    files = [tmp_path / "short.wav", recording, tmp_path / "loud.wav"]
    table = predict(Exported(), files, skip_bad=True)
    assert list(table["path"]) == [str(files[0])]
    long, loud = table.attrs["skipped"]
    assert (long["path"], long["reason"][:28]) == (str(recording), "`waveform` must have at most")
    assert (loud["path"], loud["reason"][:28]) == (str(files[2]), "`waveform` must lie in [-1, ")
    with pytest.raises(ValueError, match=r"talk\.wav: `waveform` must have at most 48000 samples, 3 s"):
        predict(Exported(), files)
    with pytest.raises(ValueError, match=r"loud\.wav: `waveform` must lie in"):
        timeline(Exported(), files)
    assert [left["path"] for left in timeline(Exported(), files, skip_bad=True).attrs["skipped"]] == [str(files[2])]


def test_a_name_is_drawn_as_it_is(energy_predictor, recording, tmp_path):
    """What lies between dollars would be a formula to Matplotlib, and an error where it is none."""
    odd = recording.rename(tmp_path / "$\\frac$ and $x_y$.wav")
    assert write_timeline(timeline(energy_predictor(1.0), [odd]), tmp_path / "timeline.png").is_file()


PEAK = """
import resource, sys
sys.path.insert(0, {folder!r})
from conftest import EnergyPredictor
from sertk.inference import timeline
for path in sys.argv[1:]:
    table = timeline(EnergyPredictor(3.0), [path], hop=1.5)
    print(len(table), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_an_hour_takes_the_memory_of_a_minute(tmp_path):
    """In MiB at its peak; the hour's waveform alone would be 220 at 16 kHz, and 659 at the file's 48."""
    paths = []
    for seconds in (60, 3_600):
        paths.append(str(tmp_path / f"{seconds}.wav"))
        with soundfile.SoundFile(paths[-1], "w", 48_000, 1, subtype="PCM_16") as file:
            block = np.random.default_rng(0).integers(-9_000, 9_000, 48_000 * 60, dtype="int16")
            for _ in range(seconds // 60):
                file.write(block)
    code = PEAK.format(folder=str(__file__).rsplit("/", 1)[0])
    result = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    (few, before), (many, after) = (map(int, line.split()) for line in result.stdout.splitlines())
    assert (few, many) == (39, 2_399)
    assert after - before < 30


def test_csv_and_json_hold_the_table(energy_predictor, recording, tmp_path, speech_like):
    soundfile.write(tmp_path / "short.wav", speech_like(8_000, seed=3), 16_000)
    table = timeline(energy_predictor(1.0), [recording, tmp_path / "short.wav"])
    write_timeline(table, tmp_path / "new" / "timeline.csv")
    rows = list(csv.DictReader((tmp_path / "new" / "timeline.csv").open()))
    assert len(rows) == len(table) == 11
    assert rows[1]["start"] == "0.5"
    assert float(rows[3]["p_late"]) == pytest.approx(table["p_late"][3])
    write_timeline(table, tmp_path / "timeline.JSON")
    long, short = json.loads((tmp_path / "timeline.JSON").read_text())
    assert (long["path"], long["seconds"], short["seconds"]) == (str(recording), 5.0625, 0.5)
    assert (long["window"], long["hop"], long["classes"]) == (1.0, 0.5, ["early", "late"])
    assert len(long["moments"]) == 10
    moment = long["moments"][1]
    assert (moment["start"], moment["end"], moment["predicted"]) == (0.5, 1.5, table["predicted"][1])
    assert moment["probabilities"] == {"early": table["p_early"][1], "late": table["p_late"][1]}


def test_the_picture_shows_who_leads_where(energy_predictor, tmp_path):
    """A click in every window's early half, then in its late half: the strip changes its colour half way."""
    clicks = np.zeros(16_000 * 120, "float32")
    clicks[1_000 : 16_000 * 60 : 16_000] = clicks[16_000 * 60 + 12_000 :: 16_000] = 0.5
    soundfile.write(tmp_path / "clicks.wav", clicks, 16_000)
    table = timeline(energy_predictor(1.0), [tmp_path / "clicks.wav"], hop=1.0)
    assert set(table["predicted"][:60]) == {"early"}
    assert set(table["predicted"][60:]) == {"late"}
    write_timeline(table, tmp_path / "timeline.png")
    with Image.open(tmp_path / "timeline.png") as picture:
        assert picture.size == (1950, 900)
        colours = np.array(picture.convert("RGB"))
    blue, orange = (np.all(colours == rgb, axis=2) for rgb in ((31, 119, 180), (255, 127, 14)))
    assert blue.any()
    # Left of the middle all is blue, right of it orange, in the strip as in the areas below.
    assert np.flatnonzero(blue.any(axis=0) & orange.any(axis=0)).size <= 2 + 60  # the legend has both
    assert np.median(np.nonzero(blue)[1]) < np.median(np.nonzero(orange)[1])


def test_what_tells_no_format_is_refused(energy_predictor, recording, tmp_path):
    table = timeline(energy_predictor(1.0), [recording, recording])
    with pytest.raises(ValueError, match=r"must end in \.csv, \.json or \.png\. Received: '\.txt'"):
        write_timeline(table, tmp_path / "timeline.txt")
    with pytest.raises(ValueError, match=r"must be the timeline of one recording; .* Received: 2 recordings"):
        write_timeline(table, tmp_path / "timeline.png")
    assert list(tmp_path.iterdir()) == [recording]

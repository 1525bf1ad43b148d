"""A corpus beside what its makers say that it holds: what is missing, too much, not understood, not to be decoded."""

import json
from dataclasses import replace

import pytest

from sertk.corpora import OFFICIAL, check, load

EMOTIONS = ["dis", "gio", "neu", "pau", "rab", "sor", "tri"]
SENTENCES = ["b1", "b2", "b3", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5", "d1", "d2"]


@pytest.fixture
def emovo(plant):
    """All 588 clips of EMOVO by name."""
    actors = ("f1", "f2", "f3", "m1", "m2", "m3")
    return plant(*(f"{a}/{emotion}-{a}-{s}.wav" for a in actors for emotion in EMOTIONS for s in SENTENCES))


def rows(found, of):
    table = found.counts[found.counts["of"] == of]
    return {row["name"]: (row["found"], row["official"]) for row in table.to_dict("records")}


def test_a_whole_corpus_is_complete_and_sound(emovo):
    found = check("emovo", emovo, progress=False)
    assert found.complete
    assert found.sound
    assert rows(found, "clips") == {"": (588, 588)}
    assert rows(found, "speakers") == {"": (6, 6)}
    assert set(rows(found, "emotion").values()) == {(84, 84)}
    assert set(rows(found, "speaker").values()) == {(98, 98)}
    assert found.problems == found.left_out == []


def test_what_is_missing_shows_by_emotion_and_by_speaker(emovo):
    for sentence in ("b1", "b2"):
        (emovo / "m1" / f"rab-m1-{sentence}.wav").unlink()
    found = check("emovo", emovo, progress=False)
    assert not found.complete
    assert found.sound
    assert rows(found, "clips") == {"": (586, 588)}
    assert rows(found, "emotion")["angry"] == (82, 84)
    assert rows(found, "speaker")["m1"] == (96, 98)
    assert sum(found != official for found, official in rows(found, "speaker").values()) == 1


def test_a_speaker_without_clips_is_there_with_none(emovo):
    for path in (emovo / "m3").iterdir():
        path.unlink()
    found = check("emovo", emovo, progress=False)
    assert rows(found, "speaker")["m3"] == (0, 98)
    assert rows(found, "speakers") == {"": (5, 6)}
    assert not found.complete


def test_files_that_can_not_be_decoded_are_listed_whether_or_not_their_header_is_sound(emovo, write_clip):
    """The first lacks half its samples, which its header tells; what is wrong with the second, only decoding tells."""
    whole = write_clip("whole.wav", seconds=1.0).read_bytes()
    (emovo / "f1" / "rab-f1-b1.wav").write_bytes(whole[: len(whole) // 2])
    nan = write_clip("nan.wav", seconds=0.1, subtype="FLOAT")
    data = bytearray(nan.read_bytes())
    data[-4:] = b"\x00\x00\xc0\x7f"
    (emovo / "f2" / "rab-f2-b1.wav").write_bytes(data)
    (emovo / "f3" / "rab-f3-b1.wav").write_bytes(b"")
    (emovo / "f3" / "laugh.wav").write_bytes(whole)
    (emovo / "f3" / "film.mov").write_bytes(b"film")
    found = check("emovo", emovo, progress=False)
    assert not found.sound
    reasons = {entry["path"].rsplit("/", 1)[-1]: entry["reason"] for entry in found.problems}
    assert set(reasons) == {"rab-f1-b1.wav", "rab-f2-b1.wav", "rab-f3-b1.wav", "laugh.wav", "film.mov"}
    assert reasons["rab-f1-b1.wav"].startswith("is cut off")
    assert "NaN" in reasons["rab-f2-b1.wav"]
    assert reasons["rab-f3-b1.wav"] == "is empty; copy or download it again. Received: 0 bytes"
    assert reasons["laugh.wav"] == "the name is not of the form rab-f1-b2"
    assert not any(str(emovo) in reason for reason in reasons.values())  # the path is told once


def test_no_bar_is_drawn_where_nobody_looks(emovo, capsys):
    """Off a terminal each step of it would be a line of a log."""
    check("emovo", emovo)
    assert capsys.readouterr().err == ""


def test_second_copies_make_a_corpus_neither_incomplete_nor_unsound(emovo):
    (emovo / "rab-f1-b1.wav").write_bytes((emovo / "f1" / "rab-f1-b1.wav").read_bytes())
    found = check("emovo", emovo, progress=False)
    assert found.complete
    assert found.sound
    assert [entry["reason"] for entry in found.left_out] == ["duplicate of rab-f1-b1.wav"]


def test_videos_and_archives_beside_the_clips_are_told_apart(plant):
    folder = plant("03-01-05-01-01-01-01.wav", "01-01-05-01-01-01-01.mp4", "Audio_Speech_Actors_01-24.zip")
    found = check("ravdess", folder, progress=False)
    assert found.sound
    assert {entry["reason"] for entry in found.left_out} == {
        "modality 01 is video; audio-only clips start with 03",
        "an archive; unpack it if its clips are missing",
    }


def test_song_is_measured_by_the_official_song(plant):
    """Livingstone and Russo (2018): 44 songs of each actor but 18, 1,012; 184 an emotion, 92 neutral."""
    emotions = [("01", "01"), *((f"0{emotion}", level) for emotion in range(2, 7) for level in ("01", "02"))]
    folder = plant(
        *(
            f"Actor_{actor:02d}/03-02-{emotion}-{level}-{statement}-{repetition}-{actor:02d}.wav"
            for actor in range(1, 25)
            if actor != 18
            for emotion, level in emotions
            for statement in ("01", "02")
            for repetition in ("01", "02")
        ),
        "Actor_01/03-01-05-01-01-01-01.wav",
    )
    found = check("ravdess-song", folder, progress=False)
    assert found.complete
    assert found.sound
    assert rows(found, "clips") == {"": (1012, 1012)}
    assert rows(found, "emotion")["neutral"] == (92, 92)
    assert "18" not in rows(found, "speaker")
    assert len(found.left_out) == 1


def test_unpublished_numbers_are_unknown_and_a_missing_speaker_is_still_missing(plant):
    found = check("crema_d", plant("1001_DFA_ANG_XX.wav"), progress=False)
    official = found.counts.set_index(["of", "name"])["official"]
    assert official.isna().loc["speaker"].all()
    assert rows(found, "speaker")["1001"][0] == 1
    assert rows(found, "speaker")["1002"][0] == 0
    assert not found.complete


def test_all_clips_but_none_of_one_speaker_is_not_complete(plant, monkeypatch):
    """Where no speaker's number is published, the total can be right and a speaker missing all the same."""
    two = replace(
        OFFICIAL["crema_d"], clips=1, speakers=1, emotions={"angry": 1}, by_speaker={"1001": None, "1002": None}
    )
    monkeypatch.setitem(OFFICIAL, "crema_d", two)
    folder = plant("1001_DFA_ANG_XX.wav")
    assert not check("crema_d", folder, progress=False).complete
    monkeypatch.setitem(OFFICIAL, "crema_d", replace(two, by_speaker={"1001": None}))
    assert check("crema_d", folder, progress=False).complete


def test_what_nobody_published_is_too_much(plant):
    """No song of RAVDESS is surprised, and actor 18 does not sing."""
    found = check("ravdess_song", plant("03-02-08-01-01-01-18.wav"), progress=False)
    assert rows(found, "emotion")["surprise"] == (1, 0)
    assert rows(found, "speaker")["18"] == (1, 0)


def test_own_corpora_have_no_official_counts(plant):
    folder = plant("angry/a.wav", "happy/b.wav", "happy/c.wav")
    found = check("folders", folder, progress=False)
    assert found.complete
    assert found.sound
    assert found.counts["official"].isna().all()
    assert [found for found, _ in rows(found, "emotion").values()] == [1, 2]
    assert rows(found, "speaker") == {}


def test_unlabelled_clips_are_counted_as_such(plant):
    found = check("children", plant("01_M_native/studio_mic/numbers/one.wav"), progress=False)
    assert rows(found, "emotion")["(none)"][0] == 1
    assert rows(found, "clips") == {"": (1, 672)}
    assert rows(found, "speakers") == {"": (1, 11)}


def test_all_of_it_is_plain_data(emovo):
    (emovo / "f1" / "odd.wav").write_bytes(b"")
    found = check("emovo", emovo, progress=False).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["complete"] is True
    assert found["sound"] is False
    assert found["counts"][0] == {"of": "clips", "name": "", "found": 588, "official": 588}
    assert [entry["path"] for entry in found["problems"]] == [str(emovo / "f1" / "odd.wav")]


def test_unknown_corpus_and_missing_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`name` must be one of .* Received: name='emovoo'"):
        check("emovoo", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"`directory` must name the folder"):
        check("emovo", tmp_path / "nowhere")


@pytest.mark.parametrize(("name", "folder"), [("emovo", "emovo-16k"), ("ravdess", "ravdess-16k")])
def test_real_corpora_are_complete_and_sound(corpora_dir, name, folder):
    if not (corpora_dir / folder).is_dir():
        pytest.skip(f"no {folder} at hand")
    found = check(name, corpora_dir / folder, progress=False)
    assert found.complete
    assert found.sound
    assert found.counts["found"].iloc[0] == len(load(name, corpora_dir / folder))

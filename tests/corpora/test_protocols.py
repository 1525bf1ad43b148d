"""The published splits come out as published, and one door leads to every kind."""

import numpy as np
import pandas as pd
import pytest

from sertk.corpora import KINDS, PROTOCOLS, check_split, divide, folds, load, split

# Ma et al. (2024), EmoBox: the actors of each test fold.
EMOBOX = [(1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22)]
# Published number of clips: of the parts of a split, or of each test fold.
SIZES = {
    "ravdess-80-20": {"train": 1152, "test": 288},
    "ravdess-80-10-10": {"train": 1152, "validation": 144, "test": 144},
    "ravdess-90-5-5": {"train": 1296, "validation": 72, "test": 72},
    "ravdess-10-8-6": {"train": 600, "validation": 480, "test": 360},
}


@pytest.fixture(params=["made up", "real"])
def ravdess(request, made_up):
    """RAVDESS, real where it is at hand: 24 actors, 192 clips of seven emotions and 96 neutral ones."""
    if request.param == "real":
        return load("ravdess", request.getfixturevalue("ravdess_dir"))
    seven = ("angry", "calm", "disgust", "fear", "happy", "sad", "surprise")
    clips = [made_up(emotions=seven, clips=8), made_up(emotions=("neutral",), clips=4)]
    return pd.concat(clips, ignore_index=True).assign(corpus="ravdess")


@pytest.mark.parametrize("name", SIZES)
def test_published_sizes(ravdess, name):
    ((part, table),) = divide(ravdess, name)
    assert part == "split"
    assert table["part"].value_counts().to_dict() == SIZES[name]
    assert (table.groupby("part")["emotion"].nunique() == 8).all()


def test_ten_eight_and_six_actors_are_half_women(ravdess):
    ((_, table),) = divide(ravdess, "ravdess-10-8-6")
    actors = table.drop_duplicates("speaker").groupby(["part", "gender"]).size().unstack()
    assert actors.loc[["train", "validation", "test"]].to_numpy().tolist() == [[5, 5], [4, 4], [3, 3]]


def test_folds_of_emobox(ravdess):
    tables = divide(ravdess, "ravdess-emobox", validation=4)
    assert [name for name, _ in tables] == [f"fold-{number}" for number in range(1, 7)]
    for (_, table), actors in zip(tables, EMOBOX, strict=True):
        assert sorted(set(table["speaker"][table["part"] == "test"].astype(int))) == list(actors)
        assert table["part"].value_counts().to_dict() == {"train": 960, "validation": 240, "test": 240}
        genders = table[table["part"] == "validation"].drop_duplicates("speaker")["gender"]
        assert sorted(genders) == ["female", "female", "male", "male"]
        check_split(table, "speaker")


def test_five_folds_of_clips(ravdess):
    tables = divide(ravdess, "ravdess-5-fold", k=3, validation=0)
    assert [(table["part"] == "test").sum() for _, table in tables] == [288] * 5
    assert (sum((table["part"] == "test").astype(int) for _, table in tables) == 1).all()


def test_shares_of_speakers(ravdess):
    """40/30/30 of 24 actors, as clips go: 9.6, 7.2 and 7.2 actors."""
    ((_, table),) = divide(ravdess, "speakers-40-30-30")
    check_split(table, "speaker")
    shares = table["part"].value_counts(normalize=True)[["train", "validation", "test"]]
    np.testing.assert_allclose(shares, [0.4, 0.3, 0.3], atol=1 / 24)


def test_emovo_by_speaker(corpora_dir):
    folder = corpora_dir / "emovo-16k"
    if not folder.is_dir():
        pytest.skip("no EMOVO at hand")
    manifest = load("emovo", folder)
    tables = divide(manifest, "emovo-leave-one-speaker-out", validation=1)
    tested = [table[table["part"] == "test"] for _, table in tables]
    assert [set(table["speaker"]) for table in tested] == [
        {speaker} for speaker in ("f1", "f2", "f3", "m1", "m2", "m3")
    ]
    assert [len(table) for table in tested] == [98] * 6  # 588 clips: 7 emotions, 14 sentences


def test_sessions_of_iemocap(made_up):
    manifest = made_up(speakers=10, corpus="iemocap")
    manifest["session"] = ((manifest["speaker"].astype(int) + 1) // 2).astype("string")
    tables = divide(manifest, "iemocap-leave-one-session-out", validation=2)
    for number, (_, table) in enumerate(tables, 1):
        assert set(table["session"][table["part"] == "test"]) == {str(number)}
        assert table.groupby("part")["speaker"].nunique().to_dict() == {"test": 2, "train": 6, "validation": 2}
    assert len(tables) == 5


def test_what_a_protocol_leaves_open_is_said_by_the_arguments(made_up):
    manifest = made_up().assign(corpus="ravdess")
    without = divide(manifest, "ravdess-emobox", validation=0)
    assert all(set(table["part"]) == {"train", "test"} for _, table in without)
    first, second = (divide(manifest, "ravdess-10-8-6", seed=seed)[0][1]["part"].tolist() for seed in (0, 1))
    assert first != second


def test_the_door_leads_to_every_kind(made_up, tmp_path):
    manifest = made_up(speakers=6)
    same = pd.testing.assert_frame_equal
    for kind in ("random", "speaker"):
        ((name, table),) = divide(manifest, kind, fractions=(0.5, 0.5), seed=3)
        assert name == "split"
        same(table, split(manifest, kind, (0.5, 0.5), 3))
    (tmp_path / "folds.csv").write_text("speaker,fold\n1,1\n2,1\n3,2\n4,2\n5,3\n6,3\n")
    for kind in sorted(set(KINDS) - {"all", "random", "speaker", "leave-one-session-out"}):
        file = tmp_path / "folds.csv" if kind == "fold-file" else None
        tables = divide(manifest, kind, k=3, validation=0.25, seed=3, file=file)
        expected = folds(manifest, kind, k=3, validation=0.25, seed=3, file=file)
        assert [name for name, _ in tables] == [f"fold-{i}" for i in range(1, len(expected) + 1)]
        for (_, table), wanted in zip(tables, expected, strict=True):
            same(table, wanted)


def test_every_clip_may_train(made_up):
    manifest = made_up(speakers=2)
    ((name, table),) = divide(manifest, "all")
    assert name == "split"
    pd.testing.assert_frame_equal(table, manifest.assign(part=pd.array(["train"] * len(manifest), "string")))


def test_a_published_split_in_a_file_is_one_split(made_up, tmp_path):
    (tmp_path / "parts.csv").write_text("speaker,part\n1,train\n2,train\n3,dev\n4,test\n")
    ((name, table),) = divide(made_up(speakers=4), "fold-file", file=tmp_path / "parts.csv")
    assert name == "split"
    assert table["part"].value_counts().to_dict() == {"train": 32, "validation": 16, "test": 16}


@pytest.mark.parametrize("kind", ["random", "k-fold", "ravdess-emobox"])
def test_a_fold_file_that_would_not_be_read_is_refused(made_up, kind):
    with pytest.raises(ValueError, match=rf"`file` must name a CSV of folds .* Received: kind='{kind}', file='f\.csv'"):
        divide(made_up(corpus="ravdess"), kind, file="f.csv")


def test_a_protocol_is_for_its_corpus(made_up):
    with pytest.raises(ValueError, match=r"'ravdess-emobox' is made for the corpus 'ravdess' alone; .* of made-up$"):
        divide(made_up(), "ravdess-emobox")
    both = pd.concat([made_up(corpus="emovo"), made_up(corpus="ravdess", root="/other")])
    with pytest.raises(ValueError, match=r"for the corpus 'emovo' alone.* Received: a manifest of emovo, ravdess$"):
        divide(both, "emovo-leave-one-speaker-out")


def test_a_protocol_needs_all_its_speakers(made_up):
    with pytest.raises(ValueError, match=r"must name speakers of the manifest.* 4 unknown ones, the first 21, 23, 24;"):
        divide(made_up(speakers=20, corpus="ravdess"), "ravdess-emobox")


@pytest.mark.parametrize("kind", ["emobox", "", None, ["random"]])
def test_unknown_kind_lists_kinds_and_protocols(made_up, kind):
    with pytest.raises(
        ValueError, match=r"`kind` must be one of 'all'.*'emovo-leave.*'k-fold'.*'speaker'.* Received: kind="
    ):
        divide(made_up(), kind)


def test_protocols_are_complete():
    for name, protocol in PROTOCOLS.items():
        assert protocol.name == name
        assert protocol.kind in KINDS
        assert protocol.title
        assert protocol.source
        assert protocol.fractions or protocol.k or protocol.folds or protocol.kind.startswith("leave-one-")
    assert sorted(int(actor) for fold in PROTOCOLS["ravdess-emobox"].folds for actor in fold) == list(range(1, 25))

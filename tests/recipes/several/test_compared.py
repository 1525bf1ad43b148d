"""Two groups of runs, pair by pair: figures by hand, what is written, and groups that can't be compared."""

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

import sertk
from sertk.evaluation import load_predictions, paired_sentences, paired_tests, save_predictions
from sertk.recipes import compare_runs

NSL = {"training.learning_rate": 0.5, "model.units": 8}


@pytest.fixture
def seeds(write_run, tmp_path):
    """Three seeds of both groups. Of 20 clips 8, 6 and 7 are wrong before, and 6, 6 and 3 after: UAR is 0.6, 0.7 and
    0.65, then 0.7, 0.7 and 0.85 (of 7 wrong ones 4 are sad and 3 happy: recalls of 6 and 7 in 10)."""
    groups = {"base": ({}, (8, 6, 7)), "nsl": (NSL, (6, 6, 3))}
    return [
        [
            write_run(tmp_path / f"{name}-{seed}", count, changes | {"training.seed": seed})
            for seed, count in enumerate(wrong)
        ]
        for name, (changes, wrong) in groups.items()
    ]


@pytest.fixture
def folds(write_run, tmp_path):
    """A cross-validation of three folds without and with, of 20 clips each."""
    names = ["fold-1", "fold-2", "fold-3"]
    return (
        write_run(tmp_path / "before", [8, 6, 4], folds=names),
        write_run(tmp_path / "after", [4, 4, 2], NSL, folds=names),
    )


@pytest.fixture
def figures(monkeypatch):
    """The figures that were saved, as Matplotlib's objects."""
    saved = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *args, **kwargs: (saved.append(self), save(self, *args, **kwargs))
    )
    return saved


def test_seeds_by_hand(seeds):
    """Differences of 10, 0 and 20 points: mean 10, sd 10, t = sqrt 3 with two degrees of freedom."""
    said = compare_runs(*seeds)
    assert said["names"] == ["base", "nsl"]
    assert [pair["seed"] for pair in said["pairs"]] == [0, 1, 2]
    assert [pair["baseline_uar"] for pair in said["pairs"]] == pytest.approx([0.6, 0.7, 0.65])
    assert [pair["uar"] for pair in said["pairs"]] == pytest.approx([0.7, 0.7, 0.85])
    assert [pair["accuracy"] for pair in said["pairs"]] == pytest.approx([0.7, 0.7, 0.85])
    assert said["groups"]["base"]["uar"] == pytest.approx({"mean": 0.65, "sd": 0.05})
    assert said["groups"]["nsl"]["accuracy"]["mean"] == pytest.approx(0.75)

    test = said["tests"]["uar"]
    assert (test["difference"], test["sd"], test["t"]) == pytest.approx((0.1, 0.1, 3**0.5))
    assert test["p"] == pytest.approx(1 - 3**0.5 / 5**0.5)  # that law's closed form
    # Of the 8 flips of 10, 0 and 20 points four are as far: 0 has no sign.
    assert (test["flips"]["p"], test["corrected"]) == (0.5, None)
    assert said["z_test"]["clips"] == 20
    assert said["z_test"]["z"] == pytest.approx(0.1 / (2 * 0.7 * 0.3 / 20) ** 0.5)
    # What was wrong after was wrong before: 2, 0 and 4 clips are the second's alone. 2 / 2^2, 1 and 2 / 2^4.
    assert [pair["mcnemar"]["only_first"] for pair in said["pairs"]] == [2, 0, 4]
    assert [pair["mcnemar"]["only_second"] for pair in said["pairs"]] == [0, 0, 0]
    assert [pair["mcnemar"]["p"] for pair in said["pairs"]] == pytest.approx([0.5, 1, 0.125])
    assert said["differing"] == {"training.learning_rate": [[0.01], [0.5]], "model.units": [[], [8]]}
    assert json.loads(json.dumps(said)) == said


def test_the_order_of_the_runs_does_not_matter(seeds):
    assert compare_runs(seeds[0], seeds[1][::-1]) == compare_runs(*seeds)


def test_folds_are_pairs_and_their_t_test_is_corrected(folds):
    """Each fold tests 20 clips and trains on 100: variances of (1 / 3 + 1 / 5) in place of 1 / 3."""
    said = compare_runs(folds[:1], folds[1:], names=("without", "with"))
    assert [pair["fold"] for pair in said["pairs"]] == ["fold-1", "fold-2", "fold-3"]
    assert [pair["uar"] - pair["baseline_uar"] for pair in said["pairs"]] == pytest.approx([0.2, 0.1, 0.1])
    test = said["tests"]["uar"]
    assert test["corrected"]["t"] == pytest.approx(test["t"] / (1 + 3 / 5) ** 0.5)
    assert said["z_test"]["clips"] == 60
    assert said["pairs"][1]["run"].endswith("after/fold-2")
    sentences = " ".join(paired_sentences(said))
    assert "By the corrected t-test" in sentences
    assert "The splits share training clips" in sentences


def test_on_the_validation_part_the_folds_share_training_clips_too(write_run, tmp_path):
    """As on the test part: 20 clips are measured on and 100 trained on."""
    names, parts = ["fold-1", "fold-2", "fold-3"], ("validation", "test")
    before, after = (
        write_run(tmp_path / name, {"validation": wrong, "test": [5, 5, 5]}, changes, folds=names, parts=parts)
        for name, wrong, changes in (("before", [8, 6, 4], {}), ("after", [4, 4, 2], NSL))
    )
    test = compare_runs([before], [after], part="validation")["tests"]["uar"]
    assert test["corrected"]["t"] == pytest.approx(test["t"] / (1 + 3 / 5) ** 0.5)


def test_single_splits_are_told_apart_by_what_of_the_split_differs(write_run, tmp_path):
    """Two seeds on two splits, whose names need not be told; the validation share differs between the groups alone."""
    groups = []
    for name, share in (("a", 0.1), ("b", 0.2)):
        groups.append(
            [
                write_run(
                    tmp_path / f"{name}{seed}{split}",
                    6 + (name == "b"),
                    {"training.seed": seed, "split.seed": split, "split.validation": share},
                    corpus=f"c{split}",
                )
                for seed in (0, 1)
                for split in (5, 6)
            ]
        )
    said = compare_runs(*groups)
    assert [(pair["seed"], pair["fold"]) for pair in said["pairs"]] == [
        (0, "split.seed=5"),
        (0, "split.seed=6"),
        (1, "split.seed=5"),
        (1, "split.seed=6"),
    ]
    assert said["z_test"]["clips"] == 40
    assert said["differing"] == {"split.validation": [[0.1], [0.2]]}


def test_chunks_are_compared_by_their_clips(write_run, tmp_path):
    """A clip of two chunks, one right by little and one wrong by much: the clip is wrong."""
    runs = [write_run(tmp_path / name, 0, clips=4) for name in "ab"]
    for run, sad in zip(runs, (0.6, 0.9), strict=True):
        chunks = pd.DataFrame(
            {
                "path": ["/a.wav"] * 2 + ["/b.wav"] * 2,
                "emotion": ["sad"] * 2 + ["happy"] * 2,
                "predicted": ["sad", "happy", "happy", "happy"],
                "p_happy": [1 - sad, 0.7, 0.8, 0.8],
                "p_sad": [sad, 0.3, 0.2, 0.2],
                "chunk_start": [0, 480] * 2,
            }
        )
        save_predictions(chunks, run / "report" / "predictions.csv")
    said = compare_runs(runs[:1], runs[1:])
    assert (said["pairs"][0]["clips"], said["pairs"][0]["baseline_uar"], said["pairs"][0]["uar"]) == (2, 0.5, 1)


def test_of_one_pair_no_test_is_made_up(seeds, tmp_path):
    said = compare_runs(seeds[0][:1], seeds[1][:1], tmp_path / "out")
    assert said["groups"]["base-0"]["uar"] == {"mean": pytest.approx(0.6), "sd": None}
    assert paired_sentences(said)[0].startswith("No t-test of UAR: there is a single pair")
    assert [row[0] for row in paired_tests(said)] == ["z of paper 003, 20 clips"]
    page = (tmp_path / "out" / "comparison.md").read_text()
    assert "over 1 pair, on the test part" in page
    assert "nan" not in page.lower()


def test_the_page_says_it_all(seeds, tmp_path, figures):
    said = compare_runs(*seeds, tmp_path / "out", names=("base | plain", "NSL"), command="sertk compare ...")
    page = (tmp_path / "out" / "comparison.md").read_text()
    for words in (
        "# NSL and base | plain, pair by pair",
        "| base \\| plain | 65.0 % ± 5.0 | 65.0 % ± 5.0 |",
        "| NSL | 75.0 % ± 8.7 | 75.0 % ± 8.7 |",
        "| difference | +10.0 | +10.0 |",
        "Mean ± standard deviation (n - 1) over 3 pairs, on the test part.",
        "By the paired t-test, p = 0.225, NSL is not shown to differ from base | plain in UAR.",
        "Sign flips of 3 pairs can't give a p below 0.250",
        "All pairs are of one split",
        "| paired t | UAR | +10.0 | -14.8 to +34.8 | 0.225 | 0.113 |",
        "| sign flips, all 8 | UAR | +10.0 |  | 0.500 | 0.250 |",
        "| 2 | 20 | 65.0 % | 85.0 % | +20.0 |",
        "| `training.learning_rate` | 0.01 | 0.5 |",
        "| `model.units` | not set | 8 |",
        "| sad | 63.3 % | 73.3 % | +10.0 |",  # wrong on 4 + 3 + 4 and 3 + 3 + 2 of 30
        "```sh\nsertk compare ...\n```",
    ):
        assert words in page
    for picture in ("pairs.png", "confusion-baseline.png", "confusion-compared.png"):
        assert f"]({picture})" in page
        assert (tmp_path / "out" / picture).is_file()
    table = pd.read_csv(tmp_path / "out" / "pairs.csv")
    assert table["uar"].tolist() == pytest.approx([0.7, 0.7, 0.85])
    assert table["mcnemar_p"].tolist() == [pair["mcnemar"]["p"] for pair in said["pairs"]]
    # 60 clips: each of the 20 was asked three times.
    assert "60 clips" in figures[1].get_suptitle()


def test_the_picture_shows_each_pair_and_the_interval(seeds, tmp_path, figures):
    said = compare_runs(seeds[1], seeds[0], tmp_path / "out", names=("a name that is far too long", "$x_"))
    assert imread(tmp_path / "out" / "pairs.png").shape[:2] == (900, 2100)
    uar, accuracy, differences = figures[0].axes
    lines = np.array([line.get_ydata() for line in uar.lines[:3]])
    assert lines == pytest.approx(np.array([[0.7, 0.6], [0.7, 0.7], [0.85, 0.65]]))
    assert [label.get_text() for label in accuracy.get_xticklabels()] == ["…t is far too long", "$x_"]
    assert uar.get_ylim() == accuracy.get_ylim()
    dots = np.array(differences.collections[0].get_offsets())
    assert dots[:, 1] == pytest.approx([-10, 0, -20])
    assert [text.get_text() for text in differences.texts] == ["−10.0", "−10.0"]  # a minus, no hyphen
    bar = differences.containers[0].lines[2][0].get_segments()[0]
    assert bar[:, 1] == pytest.approx(100 * np.array(said["tests"]["uar"]["interval"]))
    assert [text.get_text() for text in figures[0].legends[0].get_texts()][:2] == ["lost", "unchanged"]


def test_runs_that_were_not_measured_yet_are_measured_now(finished_run, cache, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(finished_run.directory, copy, ignore=shutil.ignore_patterns("report*"))
    said = compare_runs([copy], [finished_run], part="validation", cache=cache)
    expected = sertk.evaluate(copy, "validation", cache=cache, resamples=0)
    assert said["pairs"][0]["uar"] == said["pairs"][0]["baseline_uar"] == pytest.approx(expected["uar"])
    assert said["pairs"][0]["clips"] == expected["clips"]


def test_runs_about_other_clips_are_refused(seeds):
    path = seeds[1][2] / "report" / "predictions.csv"
    table = load_predictions(path)
    save_predictions(table[table.index != 4], path)
    with pytest.raises(
        ValueError, match=r"about the same clips; .*base-2 has 1 clip\(s\) that .*nsl-2 lacks: /ctest-4.wav"
    ):
        compare_runs(*seeds)


def test_pairs_that_are_not_whole_are_refused(seeds, folds, write_run, tmp_path):
    with pytest.raises(ValueError, match=r"must have the same pairs.* Received: nsl has seed 2, which base lacks"):
        compare_runs(seeds[0][:2], seeds[1])
    with pytest.raises(ValueError, match=r"Received: nsl lacks seed 0 of base"):
        compare_runs(seeds[0], seeds[1][1:])
    with pytest.raises(ValueError, match=r"Received: after lacks seed 0 of base-0; after has seed 0, fold-1, seed 0,"):
        compare_runs(seeds[0][:1], folds[1:])
    again = write_run(tmp_path / "base-again", 3, {"training.seed": 1})
    with pytest.raises(
        ValueError, match=r"one run for each training.seed .* Received: .*base-1 and .*again, both seed 1"
    ):
        compare_runs([*seeds[0], again], seeds[1])


def test_groups_that_can_not_be_opened_are_refused(seeds, folds, write_run, tmp_path):
    base, nsl = seeds
    with pytest.raises(FileNotFoundError, match=r"gone: there is no such run folder"):
        compare_runs(base, [tmp_path / "gone"])
    with pytest.raises(ValueError, match=r"holds no run, which would have a recipe.json"):
        compare_runs([tmp_path], nsl)
    with pytest.raises(ValueError, match=r"`runs` must be a list of at least one run's folder. Received: \[\]"):
        compare_runs(base, [])
    with pytest.raises(ValueError, match=r"`baseline` must be a list of at least one run's folder. Received: '"):
        compare_runs(str(base[0]), nsl)
    with pytest.raises(ValueError, match=r"`baseline` must hold each run once. Received: .*base-0 again"):
        compare_runs([base[0], base[0].parent / "base-1" / ".." / "base-0"], nsl)
    with pytest.raises(ValueError, match=r"`baseline` and `runs` must hold each run once. Received: .*base-0 again"):
        compare_runs(base, base[:1])
    (nsl[1] / "model.keras").unlink()
    with pytest.raises(ValueError, match=r"nsl-1: training has not ended; .* it: sertk train"):
        compare_runs(base, nsl)
    path = folds[1] / "report" / "predictions.csv"
    table = load_predictions(path)
    save_predictions(table[table["fold"] != "fold-2"], path)
    with pytest.raises(
        ValueError, match=r"`sertk evaluate .*after` writes them anew. Received: fold-1, fold-3 of fold-1, "
    ):
        compare_runs(folds[:1], folds[1:])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"part": "train"}, r'`part` must be "test" or "validation". Received: part='),
        ({"names": ("a", "a")}, r"`names` must be two names.* Received: names=\['a', 'a'\]"),
        ({"names": ("a", "b", "c")}, r"`names` must be two names"),
        ({"names": ("a", " ")}, r"`names` must be two names"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(seeds, arguments, words):
    with pytest.raises(ValueError, match=words):
        compare_runs(*seeds, **arguments)


def test_a_runs_own_folder_is_left_alone(seeds):
    with pytest.raises(ValueError, match=r"is a run's folder; choose another one for the comparison"):
        compare_runs(*seeds, seeds[0][0])


@pytest.mark.parametrize(("first", "second"), [("x/seed", "y/seed"), ("a", "b"), ("-", "b")])
def test_groups_whose_folders_have_no_name_of_their_own_get_one(write_run, tmp_path, first, second):
    groups = [[write_run(tmp_path / f"{name}{i}", 5, {"training.seed": i}) for i in (0, 1)] for name in (first, second)]
    assert compare_runs(*groups)["names"] == (["a", "b"] if first == "a" else ["baseline", "compared"])


@pytest.mark.parametrize(
    ("folders", "name"),
    [
        (("base-10", "base-11"), "base"),
        (("base-1", "base-10"), "base"),
        (("nsl-3-10", "nsl-3-11"), "nsl-3"),
        (("wav2vec2-a", "wav2vec2-b"), "wav2vec2"),
        (("wav2vec2", "wav2vec2-again"), "wav2vec2"),
    ],
)
def test_a_groups_name_ends_in_no_half_of_a_number(write_run, tmp_path, folders, name):
    groups = [
        [write_run(tmp_path / each, 5, {"training.seed": seed}) for seed, each in enumerate(together)]
        for together in (folders, ("other-0", "other-1"))
    ]
    assert compare_runs(*groups)["names"] == [name, "other"]

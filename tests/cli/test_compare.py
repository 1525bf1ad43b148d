"""`sertk compare` and `sertk sensitivity`: what they print, and what goes wrong in one line."""

import json

import pandas as pd
import pytest


@pytest.fixture
def seeds(write_run, tmp_path):
    """Two groups of three seeds: of 20 clips 8, 6 and 7 are wrong, and 6, 6 and 3."""
    return [
        [
            write_run(tmp_path / f"{name}-{seed}", count, {"training.seed": seed, "training.learning_rate": rate})
            for seed, count in enumerate(wrong)
        ]
        for name, rate, wrong in (("base", 0.01, (8, 6, 7)), ("nsl", 0.1, (6, 6, 3)))
    ]


def test_two_groups_are_printed_pair_by_pair(sertk, seeds, tmp_path):
    """The shell makes several words of `--with runs/nsl-*`."""
    base, nsl = seeds
    status, out, err = sertk("compare", *base, "--with", *nsl, "-o", tmp_path / "out")
    assert (status, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for line in (
        "base 65.0% ± 5.0 65.0% ± 5.0",
        "nsl 75.0% ± 8.7 75.0% ± 8.7",
        "UAR base UAR nsl points z-test's p right alone McNemar's p",
        "seed 2 65.0% 85.0% +20.0 0.0721 0/4 0.125",  # z = 0.2 / sqrt(2 x 0.75 x 0.25 / 20) = 1.461
        "paired t UAR +10.0 -14.8 to +34.8 0.225 0.113",
        "sign flips, all 8 UAR +10.0 0.500 0.250",
        "By the paired t-test, p = 0.225, nsl is not shown to differ from base in UAR.",
    ):
        assert line in lines
    assert lines[-1] == f"The page is {tmp_path / 'out' / 'comparison.md'}."
    page = (tmp_path / "out" / "comparison.md").read_text()
    assert f"```sh\nsertk compare {base[0]}" in page


@pytest.mark.parametrize("form", ["several words", "once for each", "first", "after a dash", "equals sign"])
def test_with_takes_all_words_up_to_the_next_option(sertk, seeds, form):
    base, nsl = seeds
    arguments = {
        "several words": [*base, "--with", *nsl, "--json"],
        "once for each": [base[0], "--with", nsl[0], "--with", nsl[1], "--with", nsl[2], "--json", *base[1:]],
        "first": ["--with", *nsl, "--json", *base],
        "after a dash": ["--json", "--with", *nsl, "--", *base],
        "equals sign": [*base, f"--with={nsl[0]}", *nsl[1:], "--json"],
    }[form]
    status, out, _ = sertk("compare", *arguments)
    assert status == 0
    said = json.loads(out)
    assert (said["names"], len(said["pairs"])) == (["base", "nsl"], 3)
    assert said["tests"]["uar"]["difference"] == pytest.approx(0.1)


def test_groups_may_be_given_names(sertk, seeds):
    out = sertk("compare", *seeds[0], "--with", *seeds[1], "--names", "plain CNN", "with a graph")[1]
    assert "UAR plain CNN  UAR with a graph" in out


def test_what_can_not_be_compared_is_told_in_one_line(sertk, one_line, seeds, tmp_path):
    base, nsl = seeds
    one_line(sertk("compare", *base, "--with", *nsl[:2]), "nsl lacks seed 2 of base")
    one_line(sertk("compare", *base, "--with", tmp_path / "gone"), "gone: there is no such run folder")
    status, out, err = sertk("compare", *base)
    assert (status, out) == (2, "")
    assert "Missing option '--with'" in err


@pytest.fixture
def grid(write_run, tmp_path):
    """Two seeds of four settings on 20 clips, and of a baseline: the larger batch is the better one by validation."""
    runs = [
        write_run(
            tmp_path / f"run-{batch}-{rate}-{seed}",
            {"validation": 8 - 2 * seed - (batch == 32), "test": 4 + 2 * seed + (batch == 32)},
            {"training.batch_size": batch, "training.learning_rate": rate, "training.seed": seed},
            parts=("validation", "test"),
        )
        for batch in (32, 16)
        for rate in (0.1, 0.001)
        for seed in (0, 1)
    ]
    base = [
        write_run(tmp_path / f"base-{seed}", 10, {"training.seed": seed}, parts=("validation", "test"))
        for seed in (0, 1)
    ]
    return runs, base


def test_sensitivity_draws_and_prints_the_points(sertk, grid, tmp_path):
    """Of 16: wrong on 8 and 6 of 20, then 4 and 6: UAR 60 and 70 %, then 80 and 70 %; the sd of both is 7.1."""
    runs, base = grid
    keys = ("--x", "training.learning_rate", "--group", "training.batch_size")
    status, out, err = sertk("sensitivity", *runs, "--baseline", *base, "-o", tmp_path / "out", *keys)
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["part", "training.batch_size", "training.learning_rate", "runs", "UAR", "accuracy"]
    assert lines[1][:7] == ["validation", "16", "0.001", "2", "65.0%", "±", "7.1"]
    assert lines[5] == ["validation", "baseline", "2", "50.0%", "±", "0.0", "50.0%", "±", "0.0"]
    assert [line[1:3] for line in lines[6:10]] == [["16", "0.001"], ["16", "0.1"], ["32", "0.001"], ["32", "0.1"]]
    best = "training.batch_size 32, training.learning_rate 0.001, UAR 70.0% there and 70.0% on the test part."
    assert f"Best on the validation part: {best}" in out
    assert (tmp_path / "out" / "sensitivity.png").is_file()
    assert len(pd.read_csv(tmp_path / "out" / "sensitivity.csv")) == 10

    points = json.loads(sertk("sensitivity", *runs, "-o", tmp_path / "out", *keys, "--json")[1])
    assert len(points) == 8
    assert points[0]["uar_sd"] == pytest.approx(0.0707106781)


def test_sensitivity_tells_its_errors_in_one_line(sertk, one_line, grid, tmp_path):
    runs, _ = grid
    common = ("-o", tmp_path / "out", "--x", "training.learning_rate")
    one_line(sertk("sensitivity", *runs, *common), "training.batch_size is 32", "and 16 in")
    one_line(
        sertk("sensitivity", *runs, "-o", tmp_path / "out", "--x", "rate"), "by their full names", "Received: rate"
    )
    one_line(sertk("sensitivity", *runs[:4], "--baseline", *runs[:1], *common), "must hold each run once")
    assert not (tmp_path / "out").exists()

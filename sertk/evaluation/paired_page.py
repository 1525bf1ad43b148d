"""The page that sets two groups of runs beside each other, pair by pair."""

from pathlib import Path

import pandas as pd

from sertk.atomic import replacing
from sertk.evaluation.paired_plot import plot_pairs
from sertk.evaluation.paired_words import MEASURES, TESTS_HEADER, p_value, paired_sentences, paired_tests, points
from sertk.evaluation.plots import plot_confusion

CONFUSIONS = ("confusion-baseline.png", "confusion-compared.png")


def write_pairs(directory, said, pooled, *, command=None):
    """Writes `comparison.md` with its pictures and `pairs.csv`.

    Args:
        directory: the folder; made if missing.
        said: dict, what `sertk.recipes.compare_runs` found.
        pooled: two dicts of `sertk.evaluation.metrics`, of all predictions of the baseline and of the others.
        command: str, the command that does it again. Defaults to None.

    Returns:
        The path of `comparison.md`.
    """
    directory = Path(directory)
    plot_pairs(said, directory / "pairs.png")
    for metrics, file in zip(pooled, CONFUSIONS, strict=True):
        plot_confusion(metrics, directory / file)
    with replacing(directory / "pairs.csv") as unfinished:
        pd.json_normalize(said["pairs"], sep="_").to_csv(unfinished, index=False, lineterminator="\n", encoding="utf-8")
    first, second = said["names"]
    blocks = [
        f"# {second} and {first}, pair by pair",
        _groups(said),
        "![UAR and accuracy of each pair, and their differences with 95 % intervals](pairs.png)",
        "## Tests",
        *paired_sentences(said),
        _table(TESTS_HEADER, paired_tests(said)),
        "Differences and intervals are in points.",
        "## Pairs",
        _pairs(said),
        f"z and its p are paper 003's one-tailed test of UAR; {second} alone and {first} alone are the clips on which "
        "just that one is right, and the last p is McNemar's.",
        "## What differs",
        _differing(said),
        "## Classes",
        "Recalls and confusions of all runs of a group together: a clip that several were tested on counts as often.",
        _recalls(said, pooled),
    ]
    for name, file in zip(said["names"], CONFUSIONS, strict=True):
        blocks += [f"{name}:", f"![Confusion matrix of {name}: counts, and per cent of each true class]({file})"]
    if command is not None:
        blocks += ["## Do it again", f"```sh\n{command}\n```"]
    with replacing(directory / "comparison.md") as unfinished:
        unfinished.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return directory / "comparison.md"


def _groups(said):
    rows = []
    for name, figures in said["groups"].items():
        cells = [_mean(figures[measure]) for measure in MEASURES]
        rows.append([name, *cells])
    rows.append(["difference", *(points(said["tests"][measure]["difference"]) for measure in MEASURES)])
    over = f"{len(said['pairs'])} pairs" if len(said["pairs"]) > 1 else "1 pair"
    table = _table(["", *MEASURES.values()], rows)
    return f"{table}\n\nMean ± standard deviation (n - 1) over {over}, on the {said['part']} part."


def _pairs(said):
    first, second = said["names"]
    folds = any(pair["fold"] for pair in said["pairs"])
    header = ["seed", *["split"] * folds, "clips", f"UAR {first}", f"UAR {second}", "difference", "z", "p"]
    header += [f"{second} alone", f"{first} alone", "McNemar's p"]
    rows = [
        [
            pair["seed"],
            *[pair["fold"]] * folds,
            f"{pair['clips']:,}",
            _percent(pair["baseline_uar"]),
            _percent(pair["uar"]),
            f"{100 * (pair['uar'] - pair['baseline_uar']):+.1f}",
            f"{pair['z_test']['z']:.2f}",
            p_value(pair["z_test"]["p"]),
            f"{pair['mcnemar']['only_first']:,}",
            f"{pair['mcnemar']['only_second']:,}",
            p_value(pair["mcnemar"]["p"]),
        ]
        for pair in said["pairs"]
    ]
    return _table(header, rows)


def _differing(said):
    if not said["differing"]:
        return "Nothing: both groups have the same settings."
    rows = [[f"`{name}`", *(_values(side) for side in sides)] for name, sides in said["differing"].items()]
    return _table(["setting", *said["names"]], rows)


def _recalls(said, pooled):
    rows = []
    for name in pooled[0]["classes"]:
        recalls = [metrics["per_class"].get(name, {}).get("recall") for metrics in pooled]
        if None not in recalls:
            rows.append([name, *map(_percent, recalls), points(recalls[1] - recalls[0])])
    return _table(["recall of", *said["names"], "difference"], rows)


def _values(values):
    return ", ".join("none" if value is None else str(value) for value in values) or "not set"


def _mean(figure):
    spread = "" if figure["sd"] is None else f" ± {100 * figure['sd']:.1f}"
    return f"{_percent(figure['mean'])}{spread}"


def _percent(value):
    return f"{100 * value:.1f} %"


def _table(header, rows):
    """A Markdown table of names and figures."""
    rule = [":--", *["--:"] * (len(header) - 1)]
    cells = [[" ".join(str(cell).split()).replace("|", "\\|") for cell in row] for row in [header, *rows]]
    return "\n".join("| " + " | ".join(row) + " |" for row in [cells[0], rule, *cells[1:]])

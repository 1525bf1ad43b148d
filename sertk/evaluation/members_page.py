"""The page that sets an ensemble beside its members: figures, costs, and the combinations that were tried."""

from pathlib import Path

from sertk.atomic import replacing
from sertk.evaluation.members_plot import plot_members

MOST_COMBINATIONS = 10


def write_members(directory, table, *, sentences=(), costs=None, combinations=None):
    """Writes `members.md` and `members.png`, beside the ensemble's own report.

    Args:
        directory: the report's folder; made if missing.
        table: DataFrame, as `sertk.evaluation.compare` makes it.
        sentences: what has to be said about it, such as `sertk.evaluation.verdict`; printed below the table.
        costs: DataFrame with a row a member, or None: `name`, `parameters`, `trainable_parameters`, `megabytes`
            (10^6 bytes), `seconds_per_100_steps`, `total_seconds`, `machine`. Defaults to None.
        combinations: DataFrame, as `sertk.evaluation.all_combinations` makes it, or None. Defaults to None.

    Returns:
        The path of `members.md`.
    """
    path = Path(directory) / "members.md"
    plot_members(table, path.with_name("members.png"))
    blocks = ["# The ensemble and its members", _figures(table), *sentences]
    blocks.append("![Accuracy and UAR of the ensemble and its members, with 95 % intervals](members.png)")
    if costs is not None and len(costs):
        blocks += ["## What the members cost", _costs(table, costs), *_machines(costs)]
    if combinations is not None:
        blocks += ["## Combinations", _combinations(combinations)]
    with replacing(path) as unfinished:
        unfinished.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return path


def _figures(table):
    rows = []
    for row in table.to_dict("records"):
        name = f"{row['name']} (best member)" if row["best"] else row["name"]
        cells = [name]
        for measure in ("accuracy", "uar"):
            low, high = row[f"{measure}_low"], row[f"{measure}_high"]
            span = "–" if low != low else f"{100 * low:.1f} to {_percent(high)}"
            cells += [_percent(row[measure]), span, f"{100 * row[f'{measure}_difference']:+.1f}"]
        rows.append(cells)
    header = ["", "accuracy", "95 % interval", "to the best", "UAR", "95 % interval", "to the best"]
    return _table(header, rows)


def _costs(table, costs):
    figures = table.set_index("name")
    rows = [
        [
            row["name"],
            _percent(figures["accuracy"][row["name"]]),
            _percent(figures["uar"][row["name"]]),
            f"{row['parameters']:,}",
            f"{row['trainable_parameters']:,}",
            f"{row['megabytes']:,.1f} MB",
            _time(row["seconds_per_100_steps"]),
            _time(row["total_seconds"]),
        ]
        for row in costs.to_dict("records")
    ]
    header = ["", "accuracy", "UAR", "parameters", "trainable", "size on disk", "time per 100 steps", "total run time"]
    return _table(header, rows)


def _machines(costs):
    said = [
        "MB are 10^6 bytes of `model.keras`. A step changes the weights once. Times include the validation after each "
        "epoch; that of 100 steps is the median over the epochs, and the total that of all trainings in a run."
    ]
    for machine, members in costs.groupby("machine", sort=False):
        said.append(f"{', '.join(members['name'])}: {machine}.")
    return said


def _combinations(combinations):
    rows = [
        [
            " + ".join(row["members"]),
            *(_percent(row[f"{part}_{figure}"]) for part in ("validation", "test") for figure in ("accuracy", "uar")),
        ]
        for row in combinations.head(MOST_COMBINATIONS).to_dict("records")
    ]
    more = len(combinations) - len(rows)
    header = ["members", "validation accuracy", "validation UAR", "test accuracy", "test UAR"]
    further = f"\n\n{more:,} more are in `combinations.csv`." if more > 0 else ""
    return _table(header, rows) + further


def _table(header, rows):
    """A Markdown table of names and figures."""
    rule = [":--", *["--:"] * (len(header) - 1)]
    cells = [[" ".join(str(cell).split()).replace("|", "\\|") for cell in row] for row in [header, *rows]]
    return "\n".join("| " + " | ".join(row) + " |" for row in [cells[0], rule, *cells[1:]])


def _percent(value):
    return f"{100 * value:.1f} %"


def _time(seconds):
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min {seconds} s" if hours else f"{minutes} min {seconds} s"

"""The report: one folder that says how well a model did, how that was measured, and how to do it again."""

import json
import math
from pathlib import Path

import numpy as np

from sertk.atomic import replacing
from sertk.corpora.manifest import require_columns
from sertk.evaluation.folds import FIGURES
from sertk.evaluation.plots import plot_confusion, plot_learning_curves
from sertk.evaluation.predictions import save_predictions

MOST_CONFUSED = 5
SUMMARY = (("mean", "mean"), ("standard deviation", "sd"))


def write_report(directory, predictions, metrics, *, title, protocol, history=None, facts=None, notes=()):
    """Writes a result as a page that is read in a minute, with all that lies behind it beside it.

    `directory` then holds `report.md`, `confusion.png`, `metrics.json` (metrics, protocol, facts, notes),
    `predictions.csv` and, with a history, `learning_curves.png`. Every file is written at once and whole, the page
    last, so that it never names a file that is not there.

    Args:
        directory: where to write; made if missing. Files of an older report there are replaced.
        predictions: DataFrame as `sertk.evaluation.predictions_table` makes it.
        metrics: what `sertk.evaluation.metrics` says about these predictions. With an entry `folds`, as
            `sertk.evaluation.over_folds` makes it, the page is that of a cross-validation: mean and standard deviation
            come first, and the rest is over the pooled predictions. With an entry `by_clip`, the metrics of
            `sertk.evaluation.by_clip`'s table, the predictions are those of chunks, and the clips' figures are told.
        title: the heading of the page, one line.
        protocol: dict of plain facts about the measurement: corpus, split, seed, speakers and clips a part,
            normalisation, ... Printed as a table, in its order.
        history: DataFrame with a row an epoch, as `plot_learning_curves` takes it. Defaults to None: no curves.
        facts: dict of plain facts about the run: parameters, epochs, training time, machine, versions, ...
            `facts["command"]`, the command that does it again, is printed for copying. Defaults to None.
        notes: sentences that the reader must not miss, such as that a corpus is synthetic; printed on top.

    Returns:
        The path of `report.md`.

    Raises:
        ValueError: if `metrics` are not those of `predictions`, or `title`, `protocol`, `facts` or `notes` are not
            of the kind described.
    """
    facts = {} if facts is None else facts
    _check(predictions, metrics, title, protocol, facts, notes)
    directory = Path(directory)

    save_predictions(predictions, directory / "predictions.csv")
    content = {"title": title, "notes": list(notes), "metrics": metrics, "protocol": protocol, "facts": facts}
    with replacing(directory / "metrics.json") as temporary:
        text = json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    plot_confusion(metrics, directory / "confusion.png")
    if history is None:
        # The curves of an older report would be taken for this one's.
        (directory / "learning_curves.png").unlink(missing_ok=True)
    else:
        plot_learning_curves(history, directory / "learning_curves.png")
    once = "path" not in predictions or not predictions.duplicated([*{"path", "chunk_start"} & set(predictions)]).any()
    with replacing(directory / "report.md") as temporary:
        temporary.write_text(_page(metrics, title, protocol, history is not None, facts, notes, once), encoding="utf-8")
    return directory / "report.md"


def _page(metrics, title, protocol, has_curves, facts, notes, once):
    command, unit = facts.get("command"), _unit(metrics)
    run = {key: value for key, value in facts.items() if key != "command"}
    again = f"```sh\n{str(command).strip()}\n```" if command else "The command of this run was not recorded."
    blocks = [
        f"# {title}",
        *[f"> **Note:** {_line(note)}" for note in notes],
        *(_folds(metrics["folds"], once, unit) if "folds" in metrics else []),
        *_headline(metrics),
        "## Protocol",
        _table(["", ""], [[_words(key), _text(value, key)] for key, value in protocol.items()], "ll"),
        "## Classes",
        _class_table(metrics),
        "![Confusion matrix: counts, and per cent of each true class](confusion.png)",
        "Most frequent confusions:",
        _confusions(metrics),
    ]
    if has_curves:
        blocks += ["## Training", "![Loss and accuracy by epoch](learning_curves.png)"]
    if run:
        blocks += ["## Run", _table(["", ""], [[_words(key), _text(value, key)] for key, value in run.items()], "ll")]
    blocks += [
        "## Do it again",
        again,
        "Beside this page: `metrics.json` holds every figure, `predictions.csv` what the model said about every "
        + f"{unit}.",
    ]
    return "\n\n".join(blocks) + "\n"


def _folds(folds, once, unit):
    names, uar, accuracy = folds["names"], folds["uar"], folds["accuracy"]
    rows = [[name, *(_percent(folds[key]["values"][i]) for key in FIGURES)] for i, name in enumerate(names)]
    rows += [[word, *(_percent(folds[key][entry]) for key in FIGURES)] for word, entry in SUMMARY]
    return [
        f"**UAR {_percent(uar['mean'])} ± {100 * uar['sd']:.1f}** and **accuracy {_percent(accuracy['mean'])} ± "
        f"{100 * accuracy['sd']:.1f}**: mean and standard deviation (n - 1) over {len(names)} folds.",
        _table(["fold", "UAR", "accuracy", "macro F1", "weighted F1"], rows, "lrrrr"),
        "What follows pools the folds, each with its own model's predictions: "
        + (f"each {unit} counts once." if once else f"a {unit} that several folds measured counts several times."),
    ]


def _headline(metrics):
    interval, chance = metrics["interval"], metrics["chance"]
    clips = f"{metrics['clips']:,} test clip" + ("s" if metrics["clips"] > 1 else "")
    if "by_clip" in metrics:
        clips = f"{metrics['clips']:,} chunks"
        whole = metrics["by_clip"]
        by_clip = _score(whole, f"{whole['clips']:,} test clips")
        blocks = [
            _score(metrics, clips),
            f"A clip, by the mean probability of those of its chunks: {by_clip}{_spread(whole)}",
            "What follows is over chunks.",
        ]
    else:
        blocks = [_score(metrics, clips)]
    figures = [
        ["Accuracy (WA)", "accuracy", "always the most frequent class"],
        ["UAR (UA, balanced accuracy)", "uar", "one class of those present"],
    ]
    rows = []
    for name, key, guess in figures:
        span = _span(interval[key]) if interval[key] else "–"
        rows.append([name, _percent(metrics[key]), span, f"{_percent(chance[key])} ({guess})"])
    rows.append(["Macro F1", _percent(metrics["macro_f1"]), "", ""])
    rows.append(["Weighted F1", _percent(metrics["weighted_f1"]), "", ""])
    blocks.append(_table(["", "score", "95 % interval", "chance"], rows, "lrrr"))

    if interval["accuracy"] is None:
        blocks.append(f"No interval: {interval['why']}.")
    else:
        many = f"{interval['speakers']} speakers" if interval["over"] == "speakers" else clips
        how = f"The interval is a percentile bootstrap over {many}, {interval['resamples']:,} resamples."
        blocks.append(" ".join(filter(None, [how, interval.get("caution")])))
    if metrics["absent_classes"]:
        absent = ", ".join(metrics["absent_classes"])
        blocks.append(f"The test set holds no clip of: {absent}. UAR is over the other classes.")
    return blocks


def _score(metrics, clips):
    interval, chance = metrics["interval"], metrics["chance"]
    sure = f"95 % interval over {interval['over']}: {_span(interval['uar'])}; " if interval["uar"] else ""
    return (
        f"**UAR {_percent(metrics['uar'])}** ({sure}chance: {_percent(chance['uar'])}) "
        f"and **accuracy {_percent(metrics['accuracy'])}** on {clips}."
    )


def _spread(metrics):
    if "folds" not in metrics:
        return ""
    uar, accuracy = metrics["folds"]["uar"], metrics["folds"]["accuracy"]
    figures = (("UAR", uar), ("accuracy", accuracy))
    said = [f"{name} {_percent(figure['mean'])} ± {100 * figure['sd']:.1f}" for name, figure in figures]
    return f" Over the folds: {' and '.join(said)}."


def _unit(metrics):
    """What a prediction is about."""
    return "chunk" if "by_clip" in metrics else "clip"


def _class_table(metrics):
    rows = [
        [name, _percent(row["precision"]), _percent(row["recall"]), _percent(row["f1"]), f"{row['support']:,}"]
        for name, row in metrics["per_class"].items()
    ]
    return _table(["class", "precision", "recall", "F1", f"{_unit(metrics)}s"], rows, "lrrrr")


def _confusions(metrics):
    counts = np.array(metrics["confusion"])
    np.fill_diagonal(counts, 0)
    classes, support = metrics["classes"], np.array(metrics["confusion"]).sum(axis=1)
    # A stable sort, so that equals stay in the order of the classes.
    order = np.argsort(-counts, axis=None, kind="stable")[:MOST_CONFUSED]
    lines = []
    for truth, said in zip(*np.unravel_index(order, counts.shape), strict=True):
        count = counts[truth, said]
        if count:
            share = f"{_percent(count / support[truth])} of its {support[truth]:,} {_unit(metrics)}s"
            lines.append(f"- {classes[truth]} was taken for {classes[said]} {_times(count)} ({share})")
    return "\n".join(lines) or "None: every clip was recognised."


def _times(count):
    return {1: "once", 2: "twice"}.get(int(count), f"{count:,} times")


def _percent(value):
    return "–" if value is None else f"{100 * value:.1f} %"


def _span(interval):
    return f"{100 * interval[0]:.1f} to {_percent(interval[1])}"


def _words(key):
    return str(key).replace("_", " ")


def _text(value, key=""):
    """A fact as a person writes it: 27,660,103 rather than 27660103, but a seed as it was given."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(float(value))
    value = _plain(value)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{_words(name)} {_text(part, key)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(_text(part, key) for part in value)
    if isinstance(value, int):
        return str(value) if "seed" in str(key).lower() else f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"
    return value


def _table(header, rows, align):
    """A Markdown table; `align` holds l or r for each column."""
    rule = [{"l": ":--", "r": "--:"}[side] for side in align]
    cells = [[_line(cell).replace("|", "\\|") for cell in row] for row in [header, *rows]]
    return "\n".join("| " + " | ".join(row) + " |" for row in [cells[0], rule, *cells[1:]])


def _line(text):
    return " ".join(str(text).split())


def _plain(value):
    """The value in types that JSON knows; what is not a number there (NaN, infinity) becomes None."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _check(predictions, metrics, title, protocol, facts, notes):
    if not isinstance(title, str) or not title.strip() or len(title.splitlines()) > 1:
        raise ValueError(f"`title` must be one line of text. Received: title={title!r}")
    for name, value in (("protocol", protocol), ("facts", facts)):
        if not isinstance(value, dict):
            raise ValueError(f"`{name}` must be a dict of plain facts. Received: {name}={value!r}")
    # A string is a sequence too, and would come out as a note a letter.
    if isinstance(notes, str) or not all(isinstance(note, str) for note in notes):
        raise ValueError(
            f"`notes` must be a list of sentences; put a single one in brackets. Received: notes={notes!r}"
        )
    require_columns(predictions, ("emotion", "predicted"), name="predictions")
    hits = int((predictions["emotion"] == predictions["predicted"]).sum())
    scored = sum(metrics["confusion"][i][i] for i in range(len(metrics["classes"])))
    if (metrics["clips"], scored) != (len(predictions), hits):
        raise ValueError(
            "`metrics` must be those of `predictions`; call metrics(predictions) on this very table. "
            f"Received: metrics of {metrics['clips']} clips, {scored} right, and predictions of "
            f"{len(predictions)} clips, {hits} right"
        )

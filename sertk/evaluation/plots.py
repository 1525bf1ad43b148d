"""Pictures of a result: confusions, learning curves, a waveform with its features.

Matplotlib's objects are used directly, never pyplot, whose global state is neither for threads nor for servers.
"""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sertk.atomic import replacing

DPI = 150
BLUE, ORANGE, GREY = "#1f5a96", "#d9772b", "#8a8a8a"
# What the rows of a feature image are, and what their colour says.
KINDS = {
    "mfcc": ("MFCC coefficient", "value"),
    "log-mel": ("mel band", "dB"),
    "spectrogram": ("frequency bin", "dB"),
}
# More columns than this and the points of a waveform fall on the same pixels.
WAVEFORM_COLUMNS = 2000
SCORES = {"accuracy": "accuracy, ", "contrastive_accuracy": "views told apart, ", "uar": "UAR, "}


def plot_confusion(metrics, path):
    """Draws a confusion matrix as PNG: counts on the left, per cent of each true class on the right.

    Rows are the truth. The picture is `2300 x 1100` pixels for up to eight classes and grows with more. A class
    without a clip has dashes instead of per cent.

    Args:
        metrics: what `sertk.evaluation.metrics` returned.
        path: the PNG file; its folder is made if it is missing.

    Returns:
        The path, as a `Path`.
    """
    classes, counts = metrics["classes"], np.array(metrics["confusion"])
    shares = 100 * np.array(metrics["confusion_normalised"])
    side = max(8, len(classes))
    figure = _figure(2300 * side / 8, 1100 * side / 8)
    left, right = figure.subplots(1, 2, sharey=True)
    absent = counts.sum(axis=1) == 0

    _matrix(left, counts, counts.max(), [[f"{count:,}" for count in row] for row in counts])
    words = [["–" if gone else _share(share) for share in row] for row, gone in zip(shares, absent, strict=True)]
    _matrix(right, shares, 100, words)
    for axes, heading in ((left, "Clips"), (right, "Per cent of the true class")):
        axes.set(title=heading, xlabel="Predicted", xticks=range(len(classes)), yticks=range(len(classes)))
        axes.set_xticklabels(classes, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticklabels(classes)
    left.set_ylabel("True")
    figure.suptitle(
        f"Accuracy {metrics['accuracy']:.1%},  UAR {metrics['uar']:.1%},  {metrics['clips']:,} clips",
        fontweight="bold",
        fontsize=13,
    )
    return _save(figure, path)


def plot_learning_curves(history, path):
    """Draws loss (left) and accuracy (right) by epoch, or by step, as a PNG of `1950 x 750` pixels.

    Training is dashed, validation solid; UAR is drawn beside the accuracy where it is recorded, and of SimCLR the share
    of views that are told apart from all others. A line marks the epoch with the lowest validation loss, and a grey
    line the learning rate if it changed. Missing columns and values that are not finite are left out. Where there is a
    column `step`, that is what curves run over.

    Args:
        history: DataFrame with a row an epoch: `epoch, loss` and, where recorded, `val_loss, learning_rate` and, with
            and without `val_`, `accuracy, uar, contrastive_accuracy`.
        path: the PNG file; its folder is made if it is missing.

    Returns:
        The path, as a `Path`.

    Raises:
        ValueError: if the history has no row, or lacks `epoch` or `loss`.
    """
    missing = [column for column in ("epoch", "loss") if column not in history]
    if missing or history.empty:
        raise ValueError(
            "`history` must have the columns epoch and loss and at least one row. "
            f"Received: columns={list(history.columns)}, rows={len(history)}"
        )
    unit = "step" if "step" in history else "epoch"
    figure = _figure(1950, 750)
    losses, scores = figure.subplots(1, 2)
    _curves(losses, history, unit, {"loss": BLUE}, "Loss")
    _curves(scores, history, unit, {"accuracy": BLUE, "contrastive_accuracy": BLUE, "uar": ORANGE}, "Accuracy")
    if scores.lines:
        scores.set_ylim(0, 1.02)
        scores.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    else:
        scores.set_yticks([])
        scores.text(0.5, 0.5, "not recorded", transform=scores.transAxes, ha="center", color=GREY)
    best = _best(history, unit)
    if best is not None:
        for axes in (losses, scores):
            axes.axvline(best, color=GREY, linewidth=1, linestyle=":", label=f"lowest validation loss: {unit} {best}")
    _learning_rate(losses, history, unit)
    for axes in (losses, scores):
        handles, labels = axes.get_legend_handles_labels()
        if handles:
            axes.legend(handles, labels, frameon=False, fontsize=9)
    return _save(figure, path)


def plot_waveform_and_features(waveform, sample_rate, features, path, hop_length, title="", kind="mfcc"):
    """Draws a waveform above its features, on one time axis in seconds, as a PNG of `1650 x 1050` pixels.

    Frame t is drawn around the time `t * hop_length / sample_rate`, where it is centred.

    Args:
        waveform: float array `(samples,)`.
        sample_rate: samples a second.
        features: float array `(frames, bands)`.
        path: the PNG file; its folder is made if it is missing.
        hop_length: samples from one frame to the next.
        title: above the picture. Defaults to none.
        kind: "mfcc", "log-mel" or "spectrogram" (the last two in dB): names the axes and picks the colours.
            Defaults to "mfcc".

    Returns:
        The path, as a `Path`.

    Raises:
        ValueError: if a shape is not as above, an array is empty or not finite, `sample_rate` or `hop_length` is not
            above 0, or `kind` is unknown.
    """
    waveform, features = _checked("waveform", waveform, 1), _checked("features", features, 2)
    for name, value in (("sample_rate", sample_rate), ("hop_length", hop_length)):
        if not value > 0:
            raise ValueError(f"`{name}` must be above 0. Received: {name}={value!r}")
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}. Received: kind={kind!r}")

    figure = _figure(1650, 1050)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 2])
    _waveform(above, waveform, sample_rate)
    if title:
        above.set_title(title, fontweight="bold", parse_math=False)

    rows, unit = KINDS[kind]
    hop = hop_length / sample_rate
    image = below.imshow(
        features.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(-hop / 2, (len(features) - 0.5) * hop, -0.5, features.shape[1] - 0.5),
        **_colours(features, kind),
    )
    below.set(xlabel="Time in seconds", ylabel=rows)
    below.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    below.set_xlim(0, max(len(waveform) / sample_rate, (len(features) - 1) * hop))
    figure.colorbar(image, ax=below, label=unit, pad=0.01, extend={"mfcc": "both"}.get(kind, "min"))
    return _save(figure, path)


def _matrix(axes, values, top, words):
    axes.imshow(values, cmap="Blues", vmin=0, vmax=max(top, 1), aspect="equal")
    for row, column in np.ndindex(values.shape):
        # The darker half of the map needs light words.
        colour = "white" if values[row, column] > 0.55 * max(top, 1) else "#222222" if values[row, column] else GREY
        weight = "bold" if row == column else "normal"
        axes.text(column, row, words[row][column], ha="center", va="center", color=colour, weight=weight, fontsize=11)
    axes.set_xticks(np.arange(1, len(values)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(values)) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def _share(share):
    """Per cent without decimals; a single clip in a thousand is not the same as none."""
    return "<1" if 0 < share < 0.5 else f"{share:.0f}"


def _curves(axes, history, unit, colours, heading):
    epochs = history[unit]
    alone = {"uar", "val_uar", "contrastive_accuracy"}.isdisjoint(history)  # accuracy, which the heading says
    for name, colour in colours.items():
        for column, who, style in ((name, "training", "--"), (f"val_{name}", "validation", "-")):
            if column in history:
                what = "" if alone else SCORES.get(name, "")
                # A single epoch is a point, not a line.
                marker = "o" if len(history) == 1 else None
                axes.plot(epochs, history[column], style, color=colour, marker=marker, label=what + who)
    axes.set(title=heading, xlabel=unit.capitalize())
    if len(history) == 1:
        axes.set_xticks(epochs)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _best(history, unit):
    if "val_loss" not in history:
        return None
    losses = history["val_loss"].to_numpy("float64")
    losses = np.where(np.isfinite(losses), losses, np.inf)
    return history[unit].iloc[losses.argmin()] if np.isfinite(losses).any() else None


def _learning_rate(axes, history, unit):
    if "learning_rate" not in history or history["learning_rate"].nunique() < 2:
        return
    rates = axes.twinx()
    rates.step(history[unit], history["learning_rate"], where="post", color=GREY, linewidth=1, alpha=0.6)
    rates.set_yscale("log")
    rates.set_ylabel("Learning rate", color=GREY)
    rates.tick_params(axis="y", which="both", colors=GREY)
    rates.spines["top"].set_visible(False)


def _waveform(axes, waveform, sample_rate):
    step = -(-len(waveform) // WAVEFORM_COLUMNS)
    starts = np.arange(0, len(waveform), step)
    low, high = np.minimum.reduceat(waveform, starts), np.maximum.reduceat(waveform, starts)
    if step == 1:
        axes.plot(starts / sample_rate, waveform, color=BLUE, linewidth=0.8)
    else:
        axes.fill_between(starts / sample_rate, low, high, color=BLUE, linewidth=0.4)
    reach = 1.1 * max(np.abs(waveform).max(), 1e-3)
    axes.set(ylabel="Amplitude", ylim=(-reach, reach))
    axes.axhline(0, color=GREY, linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)


def _colours(features, kind):
    if kind == "mfcc":
        # The first coefficient is the loudness, ten times as large as the rest; it would leave them all one colour.
        rest = np.abs(features[:, 1:]) if features.shape[1] > 1 else np.abs(features)
        reach = max(np.percentile(rest, 99), 1e-6)
        return {"cmap": "RdBu_r", "vmin": -reach, "vmax": reach}
    # 80 dB is about what a clip holds above its noise.
    return {"cmap": "magma", "vmin": max(features.max() - 80, features.min() - 1e-6), "vmax": features.max()}


def _checked(name, values, dimensions):
    array = np.asarray(values, dtype="float64")
    shape = {1: "(samples,)", 2: "(frames, bands)"}[dimensions]
    if array.ndim != dimensions or array.size == 0:
        raise ValueError(f"`{name}` must be a filled array of shape {shape}. Received: shape={array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"`{name}` must be finite. Received: {np.sum(~np.isfinite(array))} value(s) NaN or infinite")
    return array


def _figure(width, height):
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)  # inches: no label touches the edge
    FigureCanvasAgg(figure)
    return figure


def _save(figure, path):
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)
    return path

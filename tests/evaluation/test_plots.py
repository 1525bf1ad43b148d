"""What the pictures show: their size, where things lie in them, and that odd input neither fails nor lies."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from sertk.evaluation import metrics, plot_confusion, plot_learning_curves, plot_waveform_and_features


@pytest.fixture
def figures(monkeypatch):
    """The figures that were saved, as Matplotlib's objects."""
    saved = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *args, **kwargs: (saved.append(self), save(self, *args, **kwargs))
    )
    return saved


def pixels(path):
    """The picture as `(height, width, 3)` in 0..255."""
    return np.round(255 * imread(path)[..., :3]).astype(int)


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def scores(truth, predicted, classes=None):
    return metrics(pd.DataFrame({"emotion": truth, "predicted": predicted}), classes, resamples=0)


def history(epochs=5, **columns):
    values = np.linspace(2, 1, epochs)
    return pd.DataFrame({"epoch": range(1, epochs + 1), "loss": values, **columns})


def test_confusion_shows_counts_and_per_cent(tmp_path, figures):
    table = scores(["a"] * 4 + ["b"] * 300, ["a"] * 3 + ["b"] + ["a"] + ["b"] * 299, ["a", "b", "c"])
    path = plot_confusion(table, tmp_path / "new" / "confusion.png")
    assert pixels(path).shape == (1100, 2300, 3)
    left, right = ([text.get_text() for text in axes.texts] for axes in figures[0].axes)
    assert left == ["3", "1", "0", "1", "299", "0", "0", "0", "0"]
    assert right == ["75", "25", "0", "<1", "100", "0", "–", "–", "–"]  # no clip of c: no per cent either
    assert [label.get_text() for label in figures[0].axes[0].get_yticklabels()] == ["a", "b", "c"]
    assert "Accuracy 99.3%,  UAR 87.3%,  304 clips" in figures[0].get_suptitle()


def test_confusion_words_stand_out_from_their_cells(tmp_path, figures):
    """WCAG asks 3 : 1 of large text; dark words on a dark cell would have less."""
    plot_confusion(scores([*"aabbccdd" * 3], [*"aabbccdd" * 2, *"abbccdda"]), tmp_path / "c.png")
    axes = figures[0].axes[1]
    image = axes.images[0]
    for text, value in zip(axes.texts, image.get_array().ravel(), strict=True):
        if value:
            cell, word = (_luminance(colour) for colour in (image.to_rgba(value), _rgb(text.get_color())))
            assert (max(cell, word) + 0.05) / (min(cell, word) + 0.05) > 3


def _rgb(colour):
    return (1, 1, 1) if colour == "white" else [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def test_confusion_grows_with_the_classes(tmp_path):
    names = [f"emotion {i:02d}" for i in range(12)]
    assert pixels(plot_confusion(scores(names, names), tmp_path / "c.png")).shape == (1650, 3450, 3)


def test_curves_mark_the_epoch_of_the_lowest_validation_loss(tmp_path, figures):
    table = history(
        val_loss=[3, 1.5, 1.2, np.nan, 1.4],
        accuracy=[0.2] * 5,
        val_accuracy=[0.1] * 5,
        val_uar=[0.1] * 5,
        learning_rate=[1e-3] * 3 + [1e-4] * 2,
    ).set_axis([0] * 5)  # an index of no worth, as after a concat
    path = plot_learning_curves(table, tmp_path / "curves.png")
    assert pixels(path).shape == (750, 1950, 3)
    loss, accuracy, rate = figures[0].axes
    assert legend(loss) == ["training", "validation", "lowest validation loss: epoch 3"]
    assert legend(accuracy)[:3] == ["accuracy, training", "accuracy, validation", "UAR, validation"]
    assert rate.get_ylabel() == "Learning rate"


def test_curves_of_simclr_show_how_many_views_are_told_apart(tmp_path, figures):
    table = history(contrastive_accuracy=[0.1, 0.3, 0.5, 0.6, 0.7], val_contrastive_accuracy=[0.1] * 5)
    plot_learning_curves(table, tmp_path / "curves.png")
    accuracy = figures[0].axes[1]
    assert legend(accuracy) == ["views told apart, training", "views told apart, validation"]
    assert list(accuracy.lines[0].get_ydata()) == [0.1, 0.3, 0.5, 0.6, 0.7]


@pytest.mark.parametrize(
    "table",
    [history(1), history(1, val_loss=[1.0]), history(3, val_loss=[np.nan] * 3), history(2, loss=[np.inf, np.nan])],
    ids=["one row", "one row validated", "diverged", "no loss left"],
)
def test_curves_of_little_are_drawn_all_the_same(tmp_path, table):
    picture = pixels(plot_learning_curves(table, tmp_path / "curves.png"))
    assert picture.std() > 1


@pytest.mark.parametrize("table", [history(0), history().drop(columns="epoch"), history().drop(columns="loss")])
def test_a_history_of_nothing_is_refused(tmp_path, table):
    with pytest.raises(ValueError, match=r"`history` must have the columns epoch and loss .* Received: columns="):
        plot_learning_curves(table, tmp_path / "curves.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("rate", "hop", "frame"), [(16_000, 256, 90), (8_000, 400, 10)])
def test_a_click_lies_above_its_frame(tmp_path, rate, hop, frame):
    """One sample at the centre of one loud frame: both must be drawn in the same columns of the picture."""
    waveform, features = np.zeros(2 * rate), np.full((2 * rate // hop + 1, 20), -80.0)
    waveform[frame * hop], features[frame] = 1, 0
    path = plot_waveform_and_features(waveform, rate, features, tmp_path / "w.png", hop, kind="log-mel")
    picture = pixels(path)
    assert picture.shape == (1050, 1650, 3)
    blue = np.abs(picture[:300, :1480] - [0x1F, 0x5A, 0x96]).max(axis=2) < 60
    loud = np.abs(picture[400:, :1480] - [252, 253, 191]).max(axis=2) < 8
    click = np.mean(np.nonzero(blue[:100])[1])  # the upper half alone: at zero the line runs all along
    assert click == pytest.approx(np.mean(np.nonzero(loud.sum(axis=0) > 200)[0]), abs=4)


def test_mfcc_colours_are_not_those_of_the_loudness_alone(tmp_path, figures):
    features = np.random.default_rng(0).uniform(-20, 20, (50, 13))
    features[:, 0] = -500
    plot_waveform_and_features(np.zeros(16_000), 16_000, features, tmp_path / "w.png", 320, "Silence")
    assert figures[0].axes[1].images[0].get_clim() == pytest.approx((-20, 20), abs=0.5)
    assert figures[0].axes[0].get_title() == "Silence"


@pytest.mark.parametrize("kind", ["mfcc", "log-mel", "spectrogram"])
def test_a_clip_of_one_frame_and_a_constant_are_drawn(tmp_path, kind):
    path = plot_waveform_and_features([0.5], 16_000, [[1.0]], tmp_path / "w.png", 512, kind=kind)
    assert pixels(path).std() > 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"waveform": np.zeros((1, 9))}, r"`waveform` must be a filled array of shape \(samples,\). Received: shape="),
        ({"waveform": []}, r"`waveform` must be a filled array"),
        ({"waveform": [0, np.nan]}, r"`waveform` must be finite. Received: 1 value"),
        ({"features": np.zeros(9)}, r"`features` must be a filled array of shape \(frames, bands\)"),
        ({"sample_rate": 0}, r"`sample_rate` must be above 0. Received: sample_rate=0"),
        ({"hop_length": -1}, r"`hop_length` must be above 0. Received: hop_length=-1"),
        ({"kind": "chroma"}, r"`kind` must be one of mfcc, log-mel, spectrogram. Received: kind='chroma'"),
    ],
)
def test_impossible_pictures_are_refused(tmp_path, changes, words):
    good = {"waveform": np.zeros(9), "sample_rate": 16_000, "features": np.zeros((2, 3)), "hop_length": 4}
    with pytest.raises(ValueError, match=words):
        plot_waveform_and_features(**good | changes, path=tmp_path / "w.png")

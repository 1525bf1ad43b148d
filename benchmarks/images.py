"""Times images of mel spectrograms against librosa with matplotlib, after checking that they show the same.

    python benchmarks/images.py --json images.json
    python benchmarks/images.py --size 900 1200 --clips 8

All make RGB images of one size, colour map and range in dB of the same 3 s clips. Each contestant is first
compared with what `imshow` draws of librosa's spectrogram on axes that fill the figure, to 2 grey levels of 255 on
average:

- sertk, smooth: `SpectrogramImage()`, against `imshow` with its defaults.
- sertk, sharp, and all that follow: `interpolation="nearest"`, against `imshow` with the same.
- `imsave`: librosa's spectrogram, enlarged by NumPy, as PNG, into memory or a file. `imsave` only looks up the
  colours.
- `specshow`: a figure of `librosa.display.specshow` without axes, as PNG file.

The PNG are read back for the comparison, not for the timing: a training would have to do that too, in each epoch.
"""

import io
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import librosa
import librosa.display
import numpy as np
from features import SECONDS, SR, speech
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread, imsave
from rounds import machine, parser, print_machine, print_table, take_turns, times_as_fast, whole, write_json

COLORMAP, MIN_DB, MAX_DB = "viridis", -80.0, 20.0
LOOK = {"cmap": COLORMAP, "vmin": MIN_DB, "vmax": MAX_DB}
IN_MEMORY, IN_FILES, FIGURES = "librosa, imsave in memory", "librosa, imsave", "librosa, specshow figure"
# In grey levels of 255, on average over all pixels.
TOLERANCE = 2.0
# How many batches tf.data gets at a time: setting it up takes longer than one.
PASSES = 4
DPI = 100


@dataclass(frozen=True)
class Contestant:
    """One way to draw all clips.

    Args:
        run: function without arguments that gives an array `(clips, height, width, 3)` in [0, 255] or the PNG of
            each clip, as paths or bytes.
        expected: array of that shape, what `imshow` draws.
        passes: int, how often a run draws all clips.
    """

    run: object
    expected: np.ndarray
    passes: int = 1


def main(arguments=None):
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--clips", type=whole, default=32, help="clips in a batch (default: 32)")
    sizes = {"nargs": 2, "default": (224, 224), "metavar": ("HEIGHT", "WIDTH")}
    options.add_argument("--size", type=whole, help="pixels (default: 224 224)", **sizes)
    options = options.parse_args(arguments)

    clips, size = speech(options.clips), tuple(options.size)
    about = machine("matplotlib")
    print_machine(about)
    with tempfile.TemporaryDirectory() as folder:
        drawing = contestants(clips, size, Path(folder))
        apart = {name: disagreement(name, contestant) for name, contestant in drawing.items()}
        seconds = take_turns({name: contestant.run for name, contestant in drawing.items()}, options.rounds)
    seconds = {name: times / drawing[name].passes for name, times in seconds.items()}
    height, width = size
    print(f"{len(clips)} clips of {SECONDS} s, {height} x {width} pixels, median of {options.rounds} rounds\n")
    print_table(table(apart, seconds, len(clips)))
    write_json(options.json, machine=about, clips=len(clips), size=list(size), seconds=seconds, grey_levels_apart=apart)


def contestants(clips, size, folder):
    """The contestants by name.

    Args:
        clips: array `(clips, 48000)`.
        size: height and width in pixels.
        folder: where files may be written.
    """
    from sertk.features import SpectrogramImage

    found = {}
    for look, interpolation in (("smooth", "auto"), ("sharp", "nearest")):
        layer = SpectrogramImage(*size, sr=SR, colormap=COLORMAP, interpolation=interpolation)
        expected = np.stack([of_imshow(decibels(clip), size, interpolation) for clip in clips])
        found |= {
            f"sertk, {look}, a batch": Contestant(by_batch(layer, clips), expected),
            f"sertk, {look}, a clip at a time": Contestant(by_clip(layer, clips), expected),
            f"sertk, {look}, in tf.data": Contestant(in_tf_data(layer, clips), expected, PASSES),
        }
    paths = [folder / f"{number}.png" for number in range(len(clips))]

    def in_memory():
        buffers = [io.BytesIO() for _ in clips]
        for clip, buffer in zip(clips, buffers, strict=True):
            save(clip, size, buffer)
        return [buffer.getvalue() for buffer in buffers]

    def in_files():
        for clip, path in zip(clips, paths, strict=True):
            save(clip, size, path)
        return paths

    def figures():
        for clip, path in zip(clips, paths, strict=True):
            figure, axes = empty_figure(size)
            librosa.display.specshow(decibels(clip), ax=axes, sr=SR, **LOOK)
            axes.set_axis_off()
            figure.savefig(path, dpi=DPI)
        return paths

    for name, run in ((IN_MEMORY, in_memory), (IN_FILES, in_files), (FIGURES, figures)):
        found[name] = Contestant(run, expected)
    return found


def decibels(clip):
    """librosa's mel spectrogram in dB, `(bands, frames)`."""
    return librosa.power_to_db(librosa.feature.melspectrogram(y=clip, sr=SR), top_db=None)


def save(clip, size, file):
    """A clip's mel spectrogram as PNG, by librosa and `imsave`; NumPy picks the nearest cell for each pixel."""
    spectrogram = decibels(clip)
    rows, columns = (
        ((np.arange(pixels) + 0.5) * cells / pixels).astype(int)
        for pixels, cells in zip(size, spectrogram.shape, strict=True)
    )
    imsave(file, spectrogram[rows][:, columns], origin="lower", format="png", **LOOK)


def empty_figure(size):
    """A figure of that many pixels, and axes that fill it."""
    height, width = size
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    return figure, figure.add_axes((0, 0, 1, 1))


def of_imshow(spectrogram, size, interpolation):
    """What `imshow` draws, `(height, width, 3)` in [0, 255]."""
    figure, axes = empty_figure(size)
    axes.imshow(spectrogram, origin="lower", aspect="auto", interpolation=interpolation, **LOOK)
    axes.set_axis_off()
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3]


def by_batch(layer, clips):
    """Draws all clips at once."""
    import tensorflow as tf

    compute, batch = tf.function(layer), tf.constant(clips)
    return lambda: compute(batch).numpy()


def by_clip(layer, clips):
    """Draws a clip at a time."""
    import tensorflow as tf

    compute, single = tf.function(layer), [tf.constant(clip[None]) for clip in clips]
    return lambda: np.concatenate([compute(clip).numpy() for clip in single])


def in_tf_data(layer, clips):
    """Draws the batch `PASSES` times in a dataset, and gives it as it was the first time."""
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensors(clips).repeat(PASSES).map(layer, num_parallel_calls=os.cpu_count())
    options = tf.data.Options()
    options.autotune.enabled = False  # the tuner would hold the last batch back: see pipeline.py
    batches = batches.with_options(options)

    def run():
        first, *_ = batches.as_numpy_iterator()
        return first

    return run


def disagreement(name, contestant):
    """The mean difference between what a contestant and `imshow` draw, in grey levels of 255.

    Raises:
        SystemExit: if it is above the tolerance: a rate would mean nothing then.
    """
    drawn = contestant.run()
    if not isinstance(drawn, np.ndarray):
        drawn = np.stack([pixels(png) for png in drawn])
    if drawn.shape != contestant.expected.shape:
        raise SystemExit(f"{name}: has the shape {drawn.shape}, imshow's is {contestant.expected.shape}")
    apart = float(np.abs(drawn - contestant.expected.astype("float32")).mean())
    if not apart <= TOLERANCE:
        raise SystemExit(f"{name}: is {apart:.2g} grey levels from imshow; {TOLERANCE:g} are allowed")
    return apart


def pixels(png):
    """A PNG's colours, float `(height, width, 3)` in [0, 255], from a path or bytes."""
    return imread(io.BytesIO(png) if isinstance(png, bytes) else png)[..., :3] * 255


def table(apart, seconds, clips):
    """One row a contestant: its rate, what that is of librosa's with matplotlib, and how far it is from `imshow`."""
    return [
        {
            "contestant": name,
            "images/s": clips / float(np.median(seconds[name])),
            "fastest round": clips / float(seconds[name].min()),
            "times imsave in memory": times_as_fast(seconds, name, IN_MEMORY),
            "times imsave": times_as_fast(seconds, name, IN_FILES),
            "times specshow": times_as_fast(seconds, name, FIGURES),
            "from imshow (of 255)": apart[name],
        }
        for name in seconds
    ]


if __name__ == "__main__":
    sys.exit(main())

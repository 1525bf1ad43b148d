"""Draws augmentation.png: what each spectrogram augmentation makes of a clip of the synthetic corpus.

python docs/images/augmentation.py
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sertk.atomic import replacing
from sertk.audio import read
from sertk.augment import FrequencyMask, TimeMask, TriCut, TriMix
from sertk.corpora import load, write_synthetic
from sertk.features import LogMelSpectrogram

SAMPLE_RATE, HOP, BANDS = 16_000, 512, 64
AREA, SEED = (0.1, 0.1), 2
LAYERS = {
    "two time masks": TimeMask(max_width=0.1, count=2, seed=SEED),
    "two frequency masks": FrequencyMask(max_width=0.1, count=2, seed=SEED),
    "tri-cut, at random": TriCut(AREA, by="random", seed=SEED),
    "tri-cut, the least energy of eight": TriCut(AREA, seed=SEED),
    "tri-mix, at random": TriMix(AREA, by="random", seed=SEED),
    "tri-mix, the most energy of eight": TriMix(AREA, seed=SEED),
}


def two_clips():
    """Log-mel spectrograms of an angry woman and a sad man, both invented: `(2, frames, bands)`."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = load("synthetic", write_synthetic(folder, speakers=2, clips=1, seconds=(2.0, 2.0)))
        wanted = [("female", "angry"), ("male", "sad")]
        rows = manifest.set_index(["gender", "emotion"]).loc[wanted]
        waveforms = np.stack([read(path, SAMPLE_RATE) for path in rows["path"]])
    return keras.ops.convert_to_numpy(LogMelSpectrogram(sr=SAMPLE_RATE, hop_length=HOP, n_mels=BANDS)(waveforms))


def draw(path):
    """Draws the first clip, its partner and the first clip behind each layer, as PNG of 1,800 by 800 pixels."""
    clips = two_clips()
    panels = {"a clip": clips[0], "another one": clips[1]}
    for title, layer in LAYERS.items():
        panels[title] = keras.ops.convert_to_numpy(layer(clips, training=True))[0]
    figure = Figure(figsize=(12, 5.33), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    seconds = clips.shape[1] * HOP / SAMPLE_RATE
    for axes, (title, panel) in zip(figure.subplots(2, 4, sharex=True, sharey=True).flat, panels.items(), strict=True):
        extent = (0, seconds, 0, panel.shape[1])
        look = {"origin": "lower", "extent": extent}
        axes.imshow(
            panel.T, aspect="auto", interpolation="nearest", cmap="magma", vmin=clips.min(), vmax=clips.max(), **look
        )
        changed = (panel != clips[0]).T
        if title in LAYERS:
            axes.contour(changed, levels=[0.5], colors="white", linewidths=1, **look)
        axes.set_title(title, fontsize=10)
        axes.label_outer()
    for axes in figure.axes[4:]:
        axes.set_xlabel("seconds")
    for axes in figure.axes[::4]:
        axes.set_ylabel("mel band")
    with replacing(Path(path)) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


if __name__ == "__main__":
    draw(Path(__file__).with_suffix(".png"))

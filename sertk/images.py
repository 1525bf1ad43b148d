"""Images of a corpus as files: a folder of PNGs for each emotion, a table of them, and the way back to `tf.data`."""

import os
from pathlib import Path

import matplotlib.image
import numpy as np
import tensorflow as tf

from sertk.atomic import replacing
from sertk.corpora.manifest import require_columns, save_manifest
from sertk.corpora.readers.picture import image_size
from sertk.pipeline import check_examples, one_hot, shuffled, untuned
from sertk.progress import progress_bar

TABLE = "emotion.csv"
BATCH = 16


def write_images(manifest, directory, image, waveforms, fixed_length, progress=True):
    """Draws every clip, or chunk, of a manifest: `directory/<emotion>/<name>.png`, and `directory/emotion.csv`.

    The images are those that a network sees in training and in serving, pixel by pixel, rounded to whole numbers.
    `sertk.corpora.load("csv", directory / "emotion.csv")` reads the table back with all that the manifest knows, and
    `load("folders", directory)` the folders alone, without speakers and clips: a split then can't tell which images are
    of one clip.

    Args:
        manifest: DataFrame with `path` and `emotion`; with `chunk_start`, as `sertk.corpora.cut_chunks` gives it, each
            row is a chunk.
        directory: folder, new or empty.
        image: `sertk.features.SpectrogramImage`.
        waveforms: `sertk.audio.WaveformCache`. What it lacks is decoded now.
        fixed_length: `sertk.audio.FixedLength`, what is drawn of each clip.
        progress: bool, whether to show a bar on a terminal. Defaults to True.

    Returns:
        The manifest with the images' paths in `path`, and the clips' in `clip_path`, by which splits keep the
        images of a clip together.

    Raises:
        ValueError: if the manifest is empty or lacks a column, the folder holds something, or files can't be decoded.

    Source: paper 001, section 3: folders and a CSV file; paper 004, section 5.1: folders.
    """
    require_columns(manifest, ("path", "emotion"))
    if not len(manifest):
        raise ValueError("`manifest` must hold at least one clip. Received: an empty manifest")
    directory = Path(directory).absolute()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ValueError(f"{directory}: holds something already; write the images into a new folder")
    waveforms.prepare(manifest["path"], progress=progress)
    samples = fixed_length.samples
    draw = tf.function(image, input_signature=[tf.TensorSpec((None, samples), tf.float32)])
    rows, paths = manifest.to_dict("records"), []
    with progress_bar(total=len(rows), desc="images", unit="image", show=progress) as bar:
        for begin in range(0, len(rows), BATCH):
            batch = rows[begin : begin + BATCH]
            cut = [np.asarray(fixed_length(_part(waveforms, row, samples))) for row in batch]
            for number, (row, pixels) in enumerate(zip(batch, draw(np.stack(cut)).numpy(), strict=True), start=begin):
                path = directory / str(row["emotion"]) / f"{number:06d}-{Path(row['path']).stem}.png"
                save_image(pixels, path)
                paths.append(str(path))
                bar.update()
    table = manifest.reset_index(drop=True).assign(clip_path=manifest["path"].to_numpy(), path=paths)
    table = table.astype({"path": "string", "clip_path": "string"})
    save_manifest(table, directory / TABLE, relative=True)
    return table


def save_image(pixels, path):
    """Writes pixels, `(height, width, 3)` in [0, 255], as a PNG file, whole or not at all.

    Args:
        pixels: float array.
        path: the file; its folder is made if missing.
    """
    with replacing(path) as unfinished:
        matplotlib.image.imsave(unfinished, np.round(pixels).astype("uint8"), format="png")


class Images:
    """Image files as batches of (image, one-hot label), in an order that a seed fixes; what `Clips` is for sounds.

    Args:
        manifest: DataFrame with `path`, PNG or JPEG files of one size, and `emotion`.
        classes: sequence of str, the emotions in the order of the network's outputs.
        batch_size: int. Defaults to 32.
        shuffle: bool, another order every epoch. Defaults to False: the manifest's order.
        seed: int. Defaults to 0.

    Attributes:
        dataset: `tf.data.Dataset` of `(batch, height, width, 3)` float32 in [0, 255] and `(batch, classes)` float32.
        epoch: `tf.Variable`, the epoch whose order the next pass over `dataset` has.
        steps: int, batches an epoch.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if the manifest is empty, has an emotion that is not in `classes`, or a file is no image or has
            another size than the first one. All are looked into first.

    Example:
        >>> manifest = sertk.corpora.load("csv", "images/emotion.csv")
        >>> images = Images(manifest, sorted(set(manifest["emotion"])), shuffle=True)
        >>> model.fit(images.dataset)
    """

    def __init__(self, manifest, classes, *, batch_size=32, shuffle=False, seed=0):
        check_examples(manifest, manifest["emotion"], classes, batch_size)
        self.classes = tuple(classes)
        self.batch_size = batch_size
        self.epoch = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")
        width, height = _one_size(manifest["path"])
        paths = tf.constant([str(path) for path in manifest["path"]])
        labels = tf.constant(one_hot(manifest["emotion"], self.classes))

        def example(position):
            pixels = tf.io.decode_image(tf.io.read_file(paths[position]), channels=3, expand_animations=False)
            return tf.ensure_shape(tf.cast(pixels, tf.float32), (height, width, 3)), labels[position]

        total = len(manifest)
        positions = tf.data.Dataset.range(total)
        if shuffle:
            positions = positions.map(lambda position: shuffled(position, total, seed, self.epoch))
        batches = positions.map(example, num_parallel_calls=os.cpu_count()).batch(batch_size).prefetch(2)
        self.steps = -(-total // batch_size)
        self.dataset = batches.apply(tf.data.experimental.assert_cardinality(self.steps)).with_options(untuned())


def _part(waveforms, row, samples):
    waveform = waveforms.waveform(row["path"])
    return waveform[row["chunk_start"] : row["chunk_start"] + samples] if "chunk_start" in row else waveform


def _one_size(paths):
    """Width and height of all images; only their headers are read."""
    first = None
    for path in paths:
        size = image_size(path)
        first = first or (path, size)
        if size != first[1]:
            raise ValueError(
                f"`manifest` must hold images of one size; {first[0]} has {first[1][0]} x {first[1][1]} pixels. "
                f"Received: {path} with {size[0]} x {size[1]}"
            )
    return first[1]

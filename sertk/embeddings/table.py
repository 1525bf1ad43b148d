"""Embeddings as files to take elsewhere: an array, the manifest whose rows it has, and what made it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from sertk.atomic import replacing
from sertk.corpora import load_manifest, save_manifest


def save_embeddings(directory, manifest, arrays, described):
    """Writes the embeddings of a corpus to a folder.

    `manifest.csv` has a row a clip. Pooled embeddings are `embeddings.npy`, float32 `(clips, channels)`, in its order;
    unpooled ones are `states/00000.npy`, ..., float32 `(frames, channels)`, numbered like its rows. `embeddings.json`
    says what made them, `skipped.csv` which files were left out.

    Args:
        directory: the folder; made if it is missing.
        manifest: DataFrame, a row a clip.
        arrays: list of arrays, one a clip, as `embed` gives them.
        described: dict for JSON: source, layer, pooling.

    Returns:
        Path of the folder.
    """
    directory = Path(directory)
    pooled = arrays[0].ndim == 1
    for path, array in (
        [(directory / "embeddings.npy", np.stack(arrays))]
        if pooled
        else [(directory / "states" / f"{row:05}.npy", array) for row, array in enumerate(arrays)]
    ):
        with replacing(path) as unfinished:
            np.save(unfinished, array, allow_pickle=False)
    with replacing(directory / "manifest.csv") as unfinished:
        save_manifest(manifest, unfinished)
    if manifest.attrs.get("skipped"):
        with replacing(directory / "skipped.csv") as unfinished:
            pd.DataFrame(manifest.attrs["skipped"]).to_csv(unfinished, index=False)
    shape = [len(arrays), arrays[0].shape[-1]]
    with replacing(directory / "embeddings.json") as unfinished:
        unfinished.write_text(json.dumps({**described, "clips": shape[0], "channels": shape[1]}, indent=2) + "\n")
    return directory


def load_embeddings(directory):
    """Reads the pooled embeddings that `save_embeddings` wrote.

    Args:
        directory: the folder.

    Returns:
        The manifest, and a float32 array `(clips, channels)` in the order of its rows.

    Raises:
        FileNotFoundError: if the folder, or a file in it, is missing.
        ValueError: if the array is damaged, holds infinity or NaN, or has another number of rows than the manifest.
    """
    path = Path(directory) / "embeddings.npy"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file; `sertk embed` writes one, unless pooling is none")
    manifest = load_manifest(Path(directory) / "manifest.csv")
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: is no whole array of NumPy; embed the corpus again. Received: {error}") from error
    if array.ndim != 2 or len(array) != len(manifest):
        raise ValueError(
            f"{path}: must have a row for each of the {len(manifest)} clips in manifest.csv; embed the corpus again. "
            f"Received: shape={array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{path}: must be finite. Received: infinity or NaN in {manifest['path'][_first_bad(array)]}")
    return manifest, array.astype("float32", copy=False)


def _first_bad(array):
    return int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])

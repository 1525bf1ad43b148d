"""Embedding a corpus: each clip goes through the frozen network once, ever."""

import keras
import numpy as np

from sertk.audio import FixedLength, MaximumLength
from sertk.models.ssl.hearing import feature_encoder_of
from sertk.models.ssl.lengths import frame_count
from sertk.progress import progress_bar


def embed(manifest, model, store, waveforms, *, maximum_length=None, batch_size=8, progress=True):
    """Gives the embeddings of a manifest's clips, and computes those that the store lacks.

    Clips are sorted by length, so that little is padded. Where the features of a clip depend on how far it is padded,
    as in networks with group norm and those that make all clips equally long, only clips of equal length share a batch:
    an embedding is that of its clip alone, whatever else was computed beside it. What is finished is kept at once; the
    same call goes on after an interruption.

    Args:
        manifest: DataFrame with `path`.
        model: keras.Model from `[waveform, lengths]` to `(batch, channels)` or `(batch, frames, channels)`, as
            `embedder` or `classifier_embedder` builds it.
        store: `EmbeddingStore` of this model.
        waveforms: `sertk.audio.WaveformCache`, at 16 kHz for published networks.
        maximum_length: `sertk.audio.MaximumLength`, or None for whole clips. Defaults to None.
        batch_size: int, clips at once. Defaults to 8.
        progress: bool, whether to show a bar on a terminal. Defaults to True.

    Returns:
        list of float32 arrays in the order of the manifest, `(channels,)` each, or `(frames, channels)` with the
        clip's own frames.

    Raises:
        ValueError: if a file can't be decoded, a clip is shorter than the network's receptive field, or what comes out
            is infinite or NaN; the message names the file.
    """
    entries = waveforms.prepare(manifest["path"], progress=progress)
    found = [store.read(entry) for entry in entries]
    missing = [row for row, array in enumerate(found) if array is None]
    if not missing:
        return found
    crop = maximum_length or MaximumLength()
    lengths = _lengths(entries, crop)
    encoder = feature_encoder_of(model)
    for row in missing:
        if encoder is not None and lengths[row] < encoder.receptive_field:
            raise ValueError(
                f"{manifest['path'].iloc[row]}: is too short for the network; leave it out. Received: {lengths[row]} "
                f"samples, the network hears {encoder.receptive_field} at least"
            )
    alone = encoder is None or encoder.norm == "group" or _holds_fixed_length(model)
    with progress_bar(total=len(missing), desc="embedding", unit="clip", show=progress) as bar:
        for rows in _batches(missing, lengths, batch_size, alone):
            clips = [np.asarray(crop(np.fromfile(entries[row], "<f4"))) for row in rows]
            longest = max(map(len, clips))
            batch = np.stack([np.pad(clip, (0, longest - len(clip))) for clip in clips])
            sizes = np.array([len(clip) for clip in clips], "int32")
            answer = keras.ops.convert_to_numpy(model([batch, sizes], training=False))
            for row, size, array in zip(rows, sizes, answer, strict=True):
                own = array if array.ndim == 1 else array[: _frames(encoder, size, len(array))]
                if not np.isfinite(own).all():
                    raise ValueError(
                        f"{manifest['path'].iloc[row]}: has an embedding with infinity or NaN; check the network's "
                        "weights. Received: such an array"
                    )
                store.write(entries[row], own)
                found[row] = np.asarray(own, "float32")
            bar.update(len(rows))
    return found


def _lengths(entries, crop):
    """Samples of each clip, cropped."""
    whole = [entry.stat().st_size // 4 for entry in entries]
    return whole if crop.samples is None else [min(length, crop.samples) for length in whole]


def _batches(rows, lengths, size, alone):
    """The rows in batches, the longest clips first: what does not fit into memory is told at once."""
    batch = []
    for row in sorted(rows, key=lambda row: -lengths[row]):
        if batch and (len(batch) == size or (alone and lengths[row] != lengths[batch[0]])):
            yield batch
            batch = []
        batch.append(row)
    yield batch


def _holds_fixed_length(model):
    """Whether a model makes clips equally long, at any depth."""
    return any(isinstance(layer, FixedLength) or _holds_fixed_length(layer) for layer in getattr(model, "layers", []))


def _frames(encoder, samples, most):
    if encoder is None:
        return most
    return frame_count(int(samples), encoder.kernels, encoder.strides)

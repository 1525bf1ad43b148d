"""From a manifest to `tf.data`: waveforms of one length with their labels, in an order that a seed fixes."""

import keras
import numpy as np
import tensorflow as tf

from sertk.augment.awgn import add_noise


class Clips:
    """The clips of a manifest as batches of (waveform, one-hot label).

    Waveforms come from a `WaveformCache` and are cut to one length clip by clip; everything after that, features
    included, is the model's. In training, `shuffle=True`, order and noise are a pure function of seed, epoch and
    clip: set `epoch` (the callback of `sertk.learning` does) and a resumed run sees what the uninterrupted one would
    have seen. No clip is ever dropped: the last batch is as large as what is left.

    Args:
        manifest: DataFrame with `path` and `emotion`.
        classes: sequence of str, the emotions in the order of the network's outputs.
        cache: `sertk.audio.WaveformCache`. What it lacks is decoded now.
        fixed_length: `sertk.audio.FixedLength`.
        batch_size: int. Defaults to 32.
        shuffle: bool, another order every epoch. Defaults to False: the manifest's order.
        noisy_copies: int, how many copies with noise stand beside each clip; 2 make the training part three times as
            large. A copy's noise is the same in every epoch. Defaults to 0.
        snr: pair of floats, dB, the range from which each copy's SNR is drawn. Defaults to (15, 30).
        seed: int. Defaults to 0.
        progress: bool, whether decoding shows a bar. Defaults to True.

    Attributes:
        dataset: `tf.data.Dataset` of `(batch, samples)` float32 and `(batch, classes)` float32.
        epoch: `tf.Variable`, the epoch whose order the next pass over `dataset` has.

    Raises:
        ValueError: if the manifest is empty, has an emotion that is not in `classes`, or files that can't be decoded.

    Example:
        >>> clips = Clips(train, classes, WaveformCache(), FixedLength(48_000), shuffle=True, noisy_copies=2)
        >>> model.fit(clips.dataset)
    """

    def __init__(
        self,
        manifest,
        classes,
        cache,
        fixed_length,
        *,
        batch_size=32,
        shuffle=False,
        noisy_copies=0,
        snr=(15.0, 30.0),
        seed=0,
        progress=True,
    ):
        if not len(manifest):
            raise ValueError("`manifest` must hold at least one clip. Received: an empty manifest")
        unknown = sorted(set(manifest["emotion"]) - set(classes))
        if unknown:
            raise ValueError(
                f"`manifest` must hold only emotions of `classes`, {list(classes)}; map its labels first. "
                f"Received: {unknown}"
            )
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"`batch_size` must be a positive integer. Received: batch_size={batch_size!r}")
        if not isinstance(noisy_copies, int) or noisy_copies < 0:
            raise ValueError(f"`noisy_copies` must be an integer, 0 or more. Received: noisy_copies={noisy_copies!r}")
        self.classes = tuple(classes)
        self.batch_size = batch_size
        self.clips = len(manifest)
        self.copies = 1 + noisy_copies
        self.epoch = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")
        self._fixed_length = fixed_length
        self._snr = snr
        self._seed = seed
        entries = [str(entry) for entry in cache.prepare(manifest["path"], progress=progress)]
        labels = manifest["emotion"].map({emotion: index for index, emotion in enumerate(classes)})
        self._entries = tf.constant(entries)
        self._labels = tf.constant(keras.utils.to_categorical(np.asarray(labels, "int64"), len(self.classes)))
        self.dataset = self._dataset(shuffle)

    @property
    def steps(self):
        """Batches an epoch."""
        return -(-self.clips * self.copies // self.batch_size)

    def _dataset(self, shuffle):
        total = self.clips * self.copies
        positions = tf.data.Dataset.range(total)
        if shuffle:
            positions = positions.map(lambda position: self._shuffled(position, total))
        examples = positions.map(self._example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        batches = examples.batch(self.batch_size).prefetch(tf.data.AUTOTUNE)
        return batches.apply(tf.data.experimental.assert_cardinality(self.steps))

    def _shuffled(self, position, total):
        """The example that stands at `position` in this epoch: a permutation that needs no buffer."""
        seed = tf.stack([tf.cast(self._seed, tf.int64), self.epoch])
        return tf.random.experimental.index_shuffle(position, tf.cast(seed, tf.int32), total - 1)

    def _example(self, position):
        clip, copy = position // self.copies, position % self.copies
        raw = tf.io.decode_raw(tf.io.read_file(self._entries[clip]), tf.float32)
        waveform = self._fixed_length(raw)
        if self.copies > 1:
            waveform = tf.cond(copy > 0, lambda: self._with_noise(waveform, position), lambda: waveform)
        waveform.set_shape((self._fixed_length.samples,))
        return waveform, self._labels[clip]

    def _with_noise(self, waveform, position):
        seed = tf.stack([tf.cast(self._seed, tf.int64), position])
        snr_seed, noise_seed = tf.unstack(tf.random.split(seed, 2))
        snr = tf.random.stateless_uniform((1,), snr_seed, *self._snr)
        noise = tf.random.stateless_normal(tf.shape(waveform), noise_seed)
        return add_noise(waveform, noise, snr)

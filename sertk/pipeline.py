"""From a manifest to `tf.data`: clips with their labels, in an order that a seed fixes."""

import os

import keras
import numpy as np
import tensorflow as tf

from sertk.audio import MaximumLength
from sertk.augment.awgn import add_noise
from sertk.progress import progress_bar


class Clips:
    """The clips of a manifest as batches of (waveform, one-hot label), or of (features, one-hot label).

    Waveforms come from a `WaveformCache` and are cut to one length clip by clip, or with `MaximumLength` padded to the
    longest of their batch, with their lengths beside them. Everything after that is the model's, unless `features` are
    kept: they are then computed once for each clip and copy, and held in memory, which spares every epoch the reading,
    the noise and the features. In training, `shuffle=True`, order and noise are a pure function of seed, epoch and
    clip: set `epoch` (the callback of `sertk.learning` does) and a resumed run sees what the uninterrupted one would
    have seen. No clip is ever dropped: the last batch is as large as what is left.

    Args:
        manifest: DataFrame with `path` and `emotion`. Where it has a column `chunk_start`, as that of
            `sertk.corpora.cut_chunks`, an example is the part of the clip that begins with that sample and is as long
            as `fixed_length`.
        classes: sequence of str, the emotions in the order of the network's outputs.
        cache: `sertk.audio.WaveformCache`. What it lacks is decoded now. None where `features` are an array.
        fixed_length: `sertk.audio.FixedLength`, or `sertk.audio.MaximumLength` for clips of any length. None where
            `features` are an array.
        batch_size: int. Defaults to 32.
        shuffle: bool, another order every epoch. Defaults to False: the manifest's order.
        noisy_copies: int, how many copies with noise stand beside each clip; 2 make the training part three times as
            large. A copy's noise is the same in every epoch. Defaults to 0.
        snr: pair of floats, dB, the range from which each copy's SNR is drawn. Defaults to (15, 30).
        seed: int. Defaults to 0.
        features: layer from waveforms to features, such as `sertk.features.MFCC()`, which take `features_size` bytes of
            memory, twice that for a moment; or an array with a row a clip, such as embeddings that are at hand already;
            or None to yield waveforms. Defaults to None.
        beside: dict of arrays with a row a clip, such as `{"embedding": ...}`, or None: what else the network is given.
            An example is then a dict of these and of its "features", or its "waveform". Defaults to None.
        neighbors: pair of arrays `(clips, most)`, or None: which clips are each clip's neighbours, int32, and the
            weights of these edges, float32, 0 where there are fewer, as `sertk.graphs.Graph.neighbors` gives them. An
            example is then a dict in the form of neural-structured-learning: the clip's own values by their names, and
            `NL_nbr_0_` and the name for those of its first neighbour, `NL_nbr_0_weight` for its weight. A noisy copy
            has its clip's neighbours, without noise. Defaults to None.
        labelled: bool array with an element a clip, or None for all: which clips have a label. The others may have any
            emotion, also none, and their labels are rows of zeros. Defaults to None.
        rounds: pair of ints (batches, epochs), or None. With it a pass over `dataset` is not an epoch but a round of as
            many batches, so that a model is judged and saved every few steps, and there are `passes` of them in as many
            epochs. Batches then go on from one epoch into the next; only the last one of all may be smaller, and the
            last round shorter. Defaults to None.
        progress: bool, whether decoding and features show a bar on a terminal. Defaults to True.

    Attributes:
        dataset: `tf.data.Dataset` of `(batch, samples)` float32, or with `features` of `(batch, frames, bands)`, and
            `(batch, classes)` float32. With `MaximumLength` the waveforms come as a dict of `waveform`,
            `(batch, longest)`, and `lengths`, int32 `(batch,)`, in samples.
        epoch: `tf.Variable`, the epoch, or the round, that the next pass over `dataset` is.

    Raises:
        ValueError: if the manifest is empty, has a label that is not in `classes`, or files that can't be decoded,
            if features are to be kept of clips of any length, or if `beside` lacks rows or has a clip's own names.

    Example:
        >>> clips = Clips(train, classes, WaveformCache(), FixedLength(48_000), shuffle=True, noisy_copies=2)
        >>> model.fit(clips.dataset)
    """

    def __init__(
        self,
        manifest,
        classes,
        cache=None,
        fixed_length=None,
        *,
        batch_size=32,
        shuffle=False,
        noisy_copies=0,
        snr=(15.0, 30.0),
        seed=0,
        features=None,
        beside=None,
        neighbors=None,
        labelled=None,
        rounds=None,
        progress=True,
    ):
        labelled = _checked_labelled(labelled, len(manifest))
        check_examples(manifest, manifest["emotion"][labelled], classes, batch_size)
        if not isinstance(noisy_copies, int) or noisy_copies < 0:
            raise ValueError(f"`noisy_copies` must be an integer, 0 or more. Received: noisy_copies={noisy_copies!r}")
        self.padded = isinstance(fixed_length, MaximumLength)
        if self.padded and features is not None and not isinstance(features, np.ndarray):
            raise ValueError(
                "`features` can be kept of clips of one length only; pass a `FixedLength`, or None as features. "
                "Received: features with a MaximumLength"
            )
        if rounds is not None and not all(isinstance(count, int) and count > 0 for count in rounds):
            raise ValueError(f"`rounds` must be two positive integers, batches and epochs. Received: rounds={rounds!r}")
        self.classes = tuple(classes)
        self.batch_size = batch_size
        self.clips = len(manifest)
        self.copies = 1 + noisy_copies
        self.epoch = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")
        self._fixed_length = fixed_length
        self._snr = snr
        self._seed = seed
        self._rounds = rounds
        labels = np.zeros((len(manifest), len(self.classes)), "float32")
        labels[labelled] = one_hot(manifest["emotion"][labelled], self.classes)
        self._labels = tf.constant(labels)
        self._name = "waveform" if features is None else "features"
        self._neighbors = None if neighbors is None else _checked_neighbors(*neighbors, len(manifest))
        self._beside = _checked_beside(beside or {}, len(manifest))
        if isinstance(features, np.ndarray):
            if len(features) != len(manifest) or noisy_copies:
                raise ValueError(
                    "`features` must have a row for each clip, and `noisy_copies` be 0 where they are an array. "
                    f"Received: shape={features.shape} for {len(manifest)} clips, noisy_copies={noisy_copies}"
                )
            read = self._from(features)
        else:
            self._entries = tf.constant([str(entry) for entry in cache.prepare(manifest["path"], progress=progress)])
            self._starts = tf.constant(manifest["chunk_start"], tf.int64) if "chunk_start" in manifest else None
            read = self._waveforms if features is None else self._from(self._computed(features, progress))
        self._read = read
        self.dataset = self._dataset(shuffle, read)

    @property
    def steps(self):
        """Batches an epoch."""
        return -(-self.clips * self.copies // self.batch_size)

    @property
    def passes(self):
        """Rounds in the epochs of `rounds`; None without."""
        if self._rounds is None:
            return None
        batches, epochs = self._rounds
        return -(-self.clips * self.copies * epochs // (batches * self.batch_size))

    @property
    def heard(self):
        """`tf.data.Dataset`, each example's waveform or features once, in the manifest's order, in batches.

        Without labels, rounds, neighbours and what else comes with a clip: what a normalisation is fitted on. Waveforms
        with `MaximumLength` are a dict with their lengths here too.
        """
        positions = tf.data.Dataset.range(self.clips * self.copies)
        alone = self._read(positions, self.batch_size).map(lambda values, _: values)
        return alone.prefetch(2).with_options(untuned())

    def _dataset(self, shuffle, read):
        total = self.clips * self.copies
        a_pass, epochs = total, None
        if self._rounds is not None:
            a_pass, epochs = self._rounds[0] * self.batch_size, self._rounds[1]

        def position(number):
            """Of the example that is drawn as the so many-th in this pass."""
            if epochs is None:
                epoch, place = self.epoch, number
            else:
                drawn = self.epoch * a_pass + number
                epoch, place = drawn // total, drawn % total
            return shuffled(place, total, self._seed, epoch) if shuffle else place

        numbers = tf.data.Dataset.range(a_pass)
        if epochs is not None:
            numbers = numbers.take_while(lambda number: self.epoch * a_pass + number < total * epochs)
        batches = self._batches(numbers.map(position), read).prefetch(2)
        if epochs is None:
            batches = batches.apply(tf.data.experimental.assert_cardinality(self.steps))
        return batches.with_options(untuned())

    def _batches(self, positions, read):
        """The batches of these examples, with what is beside them, and with their neighbours."""
        if self._neighbors is None:
            examples = read(positions, self.batch_size)
            if not self._beside:
                return examples
            clips = positions.batch(self.batch_size).map(lambda batch: batch // self.copies)
            return tf.data.Dataset.zip(examples, clips).map(lambda given, clip: (self._named(given[0], clip), given[1]))
        indices, weights = self._neighbors
        most = indices.shape[1]

        def with_neighbors(position):
            return tf.concat([position[None], tf.gather(indices, position // self.copies) * self.copies], axis=0)

        def packed(given, clips):
            """From a batch of clips, each followed by its neighbours, to a batch of clips."""
            values, labels = given
            values = self._named(values, clips)
            grouped = {name: _grouped(array, 1 + most) for name, array in values.items()}
            examples = {name: array[:, 0] for name, array in grouped.items()}
            edges = tf.gather(weights, _grouped(clips, 1 + most)[:, 0])
            for number in range(most):
                examples |= {f"NL_nbr_{number}_{name}": array[:, 1 + number] for name, array in grouped.items()}
                examples[f"NL_nbr_{number}_weight"] = edges[:, number : number + 1]
            return examples, _grouped(labels, 1 + most)[:, 0]

        # One flat stream: parallel maps inside a flat map may deadlock.
        positions = positions.map(with_neighbors).unbatch()
        size = (1 + most) * self.batch_size
        clips = positions.batch(size).map(lambda batch: batch // self.copies)
        return tf.data.Dataset.zip(read(positions, size), clips).map(packed)

    def _named(self, values, clips):
        values = values if isinstance(values, dict) else {self._name: values}
        return values | {name: tf.gather(array, clips) for name, array in self._beside.items()}

    def _waveforms(self, positions, size):
        examples = positions.map(self._example, num_parallel_calls=os.cpu_count(), deterministic=True)
        return examples.padded_batch(size) if self.padded else examples.batch(size)

    def _computed(self, features, progress):
        """The features of all examples."""
        positions = tf.data.Dataset.range(self.clips * self.copies)
        waveforms = self._waveforms(positions, self.batch_size).prefetch(2)
        compute = tf.function(features, input_signature=[waveforms.element_spec[0]])
        total, done, kept = self.clips * self.copies, 0, None
        with progress_bar(total=total, desc="features", unit="clip", show=progress, leave=False) as bar:
            for batch, _ in waveforms.with_options(untuned()):
                computed = compute(batch).numpy()
                if kept is None:
                    kept = np.empty((total, *computed.shape[1:]), "float32")
                kept[done : done + len(computed)] = computed
                done += len(computed)
                bar.update(len(computed))
        return kept

    def _from(self, kept):
        """A function from positions to batches of features that are at hand."""
        with tf.device("CPU"):
            kept = tf.constant(kept)

        def pick(positions):
            return tf.gather(kept, positions), tf.gather(self._labels, positions // self.copies)

        return lambda positions, size: positions.batch(size).map(pick)

    def _example(self, position):
        clip, copy = position // self.copies, position % self.copies
        raw = tf.io.decode_raw(tf.io.read_file(self._entries[clip]), tf.float32)
        if self._starts is not None:
            start = self._starts[clip]
            raw = raw[start : start + self._fixed_length.samples]
        waveform = self._fixed_length(raw)
        if self.copies > 1:
            waveform = tf.cond(copy > 0, lambda: self._with_noise(waveform, position), lambda: waveform)
        if self.padded:
            waveform.set_shape((None,))
            return {"waveform": waveform, "lengths": tf.size(waveform)}, self._labels[clip]
        waveform.set_shape((self._fixed_length.samples,))
        return waveform, self._labels[clip]

    def _with_noise(self, waveform, position):
        seed = tf.stack([tf.cast(self._seed, tf.int64), position])
        snr_seed, noise_seed = tf.unstack(tf.random.split(seed, 2))
        snr = tf.random.stateless_uniform((1,), snr_seed, *self._snr)
        noise = tf.random.stateless_normal(tf.shape(waveform), noise_seed)
        return add_noise(waveform, noise, snr)


def _checked_beside(beside, clips):
    taken = sorted({"features", "waveform", "lengths"} & set(beside))
    if taken:
        raise ValueError(
            "`beside` must have names of its own, not features, waveform or lengths, which are the clips'. "
            f"Received: {', '.join(taken)}"
        )
    wrong = [f"{name}={np.shape(array)}" for name, array in beside.items() if np.shape(array)[:1] != (clips,)]
    if wrong:
        raise ValueError(
            f"`beside` must hold arrays with a row for each clip. Received: shapes {', '.join(wrong)} for {clips} clips"
        )
    return {name: tf.constant(array) for name, array in beside.items()}


def _checked_labelled(labelled, clips):
    labelled = np.ones(clips, bool) if labelled is None else np.asarray(labelled)
    if labelled.shape != (clips,) or labelled.dtype != bool:
        raise ValueError(
            "`labelled` must be a bool array with an element for each clip. "
            f"Received: shape={labelled.shape}, dtype={labelled.dtype} for {clips} clips"
        )
    return labelled


def _checked_neighbors(indices, weights, clips):
    indices, weights = np.asarray(indices), np.asarray(weights, "float32")
    if indices.shape != weights.shape or indices.ndim != 2 or len(indices) != clips or not indices.shape[1]:
        raise ValueError(
            "`neighbors` must be two arrays with a row for each clip and a column for each neighbour. "
            f"Received: shapes {indices.shape} and {weights.shape} for {clips} clips"
        )
    if indices.min() < 0 or indices.max() >= clips:
        raise ValueError(
            f"`neighbors` must be numbers of clips, 0 to {clips - 1}. Received: {indices.min()} to {indices.max()}"
        )
    return tf.constant(indices, tf.int64), tf.constant(weights)


def _grouped(array, size):
    """`(groups * size, ...)` as `(groups, size, ...)`."""
    return tf.reshape(array, tf.concat([[-1, size], tf.shape(array)[1:]], axis=0))


def features_size(clips, copies, features, samples):
    """The memory that kept features take, in bytes.

    Args:
        clips: int, how many clips.
        copies: int, examples a clip: 1, and 1 for each noisy copy.
        features: the feature layer.
        samples: int, the length of a clip in samples.
    """
    return 4 * clips * copies * int(np.prod(features.compute_output_shape((samples,))))


def untuned():
    # While its autotuning is on, tf.data may end an epoch only when the tuner wakes up, after 0.01 (2^n - 1) seconds:
    # an epoch of 1.3 s takes 2.6. What it would tune is set here.
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def check_examples(manifest, labels, classes, batch_size):
    """Refuses what can't be batches of examples: no row, a label that is no class, an odd batch size."""
    if not len(manifest):
        raise ValueError("`manifest` must hold at least one clip. Received: an empty manifest")
    unknown = sorted({str(label) for label in labels} - set(classes))
    if unknown:
        raise ValueError(
            f"`manifest` must hold only emotions of `classes`, {list(classes)}; map its labels first. "
            f"Received: {unknown}"
        )
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"`batch_size` must be a positive integer. Received: batch_size={batch_size!r}")


def one_hot(emotions, classes):
    """Labels, float32 `(examples, classes)`."""
    indices = emotions.map({emotion: index for index, emotion in enumerate(classes)})
    return keras.utils.to_categorical(np.asarray(indices, "int64"), len(classes)).astype("float32")


def shuffled(position, total, seed, epoch):
    """The example that stands at `position` in an epoch: a permutation that needs no buffer."""
    pair = tf.stack([tf.cast(seed, tf.int64), epoch])
    return tf.random.experimental.index_shuffle(position, tf.cast(pair, tf.int32), total - 1)

"""What an exported model can be asked: the functions that become a SavedModel's signatures."""

import tensorflow as tf

from sertk.embeddings.of_classifier import classifier_embedder
from sertk.export.recordings import read_batch
from sertk.export.refusals import check_lengths, check_longest, check_shortest, check_waveform
from sertk.models.by_lengths import by_lengths
from sertk.models.ssl.hearing import shortest_clip

WAVEFORM = tf.TensorSpec((None, None), tf.float32, name="waveform")
LENGTHS = tf.TensorSpec((None,), tf.int32, name="lengths")
AUDIO_BYTES = tf.TensorSpec((None,), tf.string, name="audio_bytes")


def signatures(model, classes, sample_rate, max_seconds, alone=False):
    """The signatures of a model by their names, as `export_saved_model` describes them.

    Args:
        model: keras.Model from waveforms to probabilities: a run's.
        classes: list of str, in the order of the probabilities.
        sample_rate: int, Hz.
        max_seconds: float, the longest recording that is taken.
        alone: bool, whether the model is asked about one clip at a time, since what it says of a clip depends on the
            others of a batch. Defaults to False.

    Returns:
        dict from a name to a function and the list of its `tf.TensorSpec`.
    """
    names, padding = tf.constant(classes), by_lengths(model)
    embed = classifier_embedder(padding)
    shortest, longest = shortest_clip(model), round(max_seconds * sample_rate)

    def limits(lengths, name):
        return [
            *check_shortest(lengths, name, shortest, sample_rate),
            *check_longest(lengths, name, longest, sample_rate),
        ]

    def ask(network, given):
        if not alone:
            return network(given, training=False)

        def one(row):
            return network(tf.nest.map_structure(lambda part: part[None], row), training=False)[0]

        return tf.map_fn(one, given, fn_output_signature=tf.float32)

    def whole(waveform):
        """Waveforms of one length, checked, with that length."""
        # The signature's shape is a promise to clients; nothing but this holds them to it.
        waveform = tf.ensure_shape(waveform, (None, None))
        checks = [*check_waveform(waveform), *limits(tf.shape(waveform)[1], "waveform")]
        with tf.control_dependencies(checks):
            return tf.identity(waveform), tf.fill(tf.shape(waveform)[:1], tf.shape(waveform)[1])

    def serving_default(waveform):
        waveform, lengths = whole(waveform)
        if model is padding:
            return told(ask(model, {"waveform": waveform, "lengths": lengths}))
        return told(ask(model, waveform))

    def padded(waveform, lengths):
        waveform, lengths = tf.ensure_shape(waveform, (None, None)), tf.ensure_shape(lengths, (None,))
        total = tf.shape(waveform)[1]
        checks = [
            *check_lengths(lengths, waveform),
            *check_shortest(lengths, "lengths", shortest, sample_rate),
            *check_longest(total, "waveform", longest, sample_rate),
        ]
        with tf.control_dependencies(checks):
            # TF Serving pads with a request's first sample, not with zeros.
            own = tf.sequence_mask(lengths, total)
            waveform = tf.where(own, waveform, 0.0)
        with tf.control_dependencies(check_waveform(waveform)):
            waveform = tf.identity(waveform)
        return told(ask(padding, {"waveform": waveform, "lengths": lengths}))

    def audio_bytes(audio_bytes):
        waveform, lengths = read_batch(tf.ensure_shape(audio_bytes, (None,)), sample_rate, max_seconds)
        # How long a file may be is checked by its header, before it is decoded.
        checks = check_shortest(lengths, "audio_bytes", shortest, sample_rate)
        with tf.control_dependencies(checks):
            waveform = tf.identity(waveform)
        return told(ask(padding, {"waveform": waveform, "lengths": lengths}))

    def embedding(waveform):
        return {"embedding": ask(embed, list(whole(waveform)))}

    def told(probabilities):
        return {
            "label": tf.gather(names, tf.argmax(probabilities, axis=1)),
            "classes": tf.tile(names[None], (tf.shape(probabilities)[0], 1)),
            "probabilities": probabilities,
        }

    return {
        "serving_default": (serving_default, [WAVEFORM]),
        "padded": (padded, [WAVEFORM, LENGTHS]),
        "audio_bytes": (audio_bytes, [AUDIO_BYTES]),
        "embedding": (embedding, [WAVEFORM]),
    }

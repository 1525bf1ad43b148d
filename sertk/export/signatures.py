"""What an exported model can be asked: the functions that become a SavedModel's signatures."""

import tensorflow as tf

from sertk.embeddings.of_classifier import classifier_embedder
from sertk.export.recordings import read_batch
from sertk.export.refusals import check_lengths, check_limits, check_waveform
from sertk.models.by_lengths import by_lengths
from sertk.models.ssl.hearing import shortest_clip

WAVEFORM = tf.TensorSpec((None, None), tf.float32, name="waveform")
LENGTHS = tf.TensorSpec((None,), tf.int32, name="lengths")
AUDIO_BYTES = tf.TensorSpec((None,), tf.string, name="audio_bytes")


def signatures(model, classes, sample_rate, max_seconds):
    """The signatures of a model by their names, as `export_saved_model` describes them.

    Args:
        model: keras.Model from waveforms to probabilities: a run's.
        classes: list of str, in the order of the probabilities.
        sample_rate: int, Hz.
        max_seconds: float, the longest recording that is taken.

    Returns:
        dict from a name to a function and the list of its `tf.TensorSpec`.
    """
    names, padding = tf.constant(classes), by_lengths(model)
    embed = classifier_embedder(padding)
    limits = {"shortest": shortest_clip(model), "longest": round(max_seconds * sample_rate), "sample_rate": sample_rate}

    def whole(waveform):
        """Waveforms of one length, checked, with that length."""
        # The signature's shape is a promise to clients; nothing but this holds them to it.
        waveform = tf.ensure_shape(waveform, (None, None))
        checks = [*check_waveform(waveform), *check_limits(tf.shape(waveform)[1], "waveform", **limits)]
        with tf.control_dependencies(checks):
            return tf.identity(waveform), tf.fill(tf.shape(waveform)[:1], tf.shape(waveform)[1])

    def serving_default(waveform):
        waveform, lengths = whole(waveform)
        if model is padding:
            return told(model({"waveform": waveform, "lengths": lengths}, training=False))
        return told(model(waveform, training=False))

    def padded(waveform, lengths):
        waveform, lengths = tf.ensure_shape(waveform, (None, None)), tf.ensure_shape(lengths, (None,))
        checks = [
            *check_waveform(waveform),
            *check_lengths(lengths, waveform),
            *check_limits(lengths, "lengths", **limits),
        ]
        with tf.control_dependencies(checks):
            # TF Serving pads with a request's first sample, not with zeros.
            own = tf.sequence_mask(lengths, tf.shape(waveform)[1])
            waveform = tf.where(own, waveform, 0.0)
        return told(padding({"waveform": waveform, "lengths": lengths}, training=False))

    def audio_bytes(audio_bytes):
        waveform, lengths = read_batch(tf.ensure_shape(audio_bytes, (None,)), sample_rate, max_seconds)
        # To resample can add a sample to what is as long as may be, which the file's own length was measured by.
        longest = limits["longest"] + 1
        checks = check_limits(lengths, "audio_bytes", **{**limits, "longest": longest})
        with tf.control_dependencies(checks):
            waveform = tf.identity(waveform)
        return told(padding({"waveform": waveform, "lengths": lengths}, training=False))

    def embedding(waveform):
        return {"embedding": embed(list(whole(waveform)), training=False)}

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

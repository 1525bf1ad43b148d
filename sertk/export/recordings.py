"""A batch of recordings in a TensorFlow graph: from files' bytes to padded waveforms at the model's rate."""

import tensorflow as tf

from sertk.export.refusals import refuse_unless
from sertk.export.resampling import resample, supported_rates
from sertk.export.riff import decode_wav


def read_batch(files, sample_rate, max_seconds):
    """Decodes and resamples WAV files, each as `sertk.audio.read` does.

    Args:
        files: string tensor `(batch,)`, the files' bytes.
        sample_rate: int, Hz, the rate to give.
        max_seconds: float, the longest recording.

    Returns:
        float32 tensor `(batch, samples)`, zeros behind the shorter ones, and int32 tensor `(batch,)`, their lengths. A
        file that is refused ends in an `InvalidArgumentError` of one sentence that names its row.
    """
    rates = supported_rates(sample_rate)
    some = refuse_unless(tf.size(files) > 0, "`audio_bytes` must hold at least one file. Received: none")

    def read_one(given):
        row, content = given
        waveform, rate = decode_wav(content, row, rates, max_seconds)
        which = tf.argmax(rate == tf.constant(rates, tf.int64), output_type=tf.int32)
        resampled = tf.switch_case(which, [lambda one=one: resample(waveform, one, sample_rate) for one in rates])
        enough = refuse_unless(
            tf.size(resampled) > 0, "`audio_bytes`, row ", row, ": is too short to resample. Received: ",
            tf.size(waveform), " samples at ", rate, " Hz",
        )  # fmt: skip
        with tf.control_dependencies([enough]):
            return tf.identity(resampled)

    # Strings live in the machine's memory, and a file is too little for an accelerator.
    with tf.control_dependencies([some]), tf.device("/CPU:0"):
        waveforms = tf.map_fn(
            read_one,
            (tf.range(tf.size(files)), files),
            fn_output_signature=tf.RaggedTensorSpec([None], tf.float32, ragged_rank=0),
        )
        return waveforms.to_tensor(), tf.cast(waveforms.row_lengths(), tf.int32)

"""WAV files in a TensorFlow graph: from the bytes of one to a mono waveform at the rate that it was recorded at."""

from typing import NamedTuple

import tensorflow as tf

from sertk.audio.decode import LOUDEST, MOST_CHANNELS
from sertk.audio.header import MOST_CHUNKS, OPEN_SIZES
from sertk.export.refusals import refuse_unless

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
# What follows the two bytes of the format in the identifier that an extensible header ends with.
GUID = bytes.fromhex("0000 0000 1000 8000 00aa00389b71")
# The formats that are decoded, by tag and bits a sample.
FORMATS = ((PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32))


class Head(NamedTuple):
    """What a WAV file's header says, int64 tensors without a shape but for `format`.

    Attributes:
        kind: which of `FORMATS`.
        channels: their number.
        rate: Hz.
        start: of the samples, in bytes.
        frames: how many samples each channel has.
    """

    kind: tf.Tensor
    channels: tf.Tensor
    rate: tf.Tensor
    start: tf.Tensor
    frames: tf.Tensor


def decode_wav(content, row, rates, max_seconds):
    """Decodes a WAV file as `sertk.audio.read` does, with its channels mixed down, before any resampling.

    PCM of 8, 16, 24 and 32 bits and float of 32, 1 to 32 channels, plain or extensible headers, chunks of any other
    name before and after the samples. A file written into a pipe, whose sizes are open, is read to its end; one that is
    cut off is refused.

    Args:
        content: string tensor without a shape, the file.
        row: int tensor, which of the batch it is, for the sentence.
        rates: the sample rates that are taken, Hz.
        max_seconds: float, the longest recording.

    Returns:
        float32 tensor `(samples,)` and int64 tensor, its rate in Hz. What is no such file ends in an
        `InvalidArgumentError` of one sentence that names the row.

    Source: EBU Tech 3306; Microsoft's Multiple Channel Audio Data and WAVE Files.
    """
    head = _head(content, row, rates, max_seconds)
    width = tf.gather(tf.constant([bits // 8 for _, bits in FORMATS], tf.int64), head.kind)
    data = tf.strings.substr(content, head.start, head.frames * width * head.channels)
    samples = tf.switch_case(tf.cast(head.kind, tf.int32), [lambda one=one: _samples(data, *one) for one in FORMATS])
    waveform = tf.reduce_mean(tf.reshape(samples, [head.frames, head.channels]), axis=1)
    finite, peak = tf.reduce_all(tf.math.is_finite(waveform)), tf.reduce_max(tf.abs(waveform))
    checks = [
        _refuse_file_unless(
            finite,
            row,
            "holds samples that are NaN or infinite; export it again from its source. Received: such samples",
        ),
        _refuse_file_unless(
            tf.logical_not(finite & (peak > LOUDEST)),
            row,
            "holds samples that are no sound; export it again from its source, in [-1, 1]. Received: ",
            peak,
        ),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(waveform), head.rate


def _head(content, row, rates, max_seconds):
    """The header, after every check that needs no samples."""
    size = tf.cast(tf.strings.length(content), tf.int64)
    riff = _number(content, 4, 4)
    wave = (_text(content, 0, 4) == b"RIFF") & (_text(content, 8, 4) == b"WAVE")
    fmt, fmt_size, start, length = _walk(content, size)
    has_fmt, has_data = fmt > 0, start > 0
    tag, channels, rate = _number(content, fmt, 2), _number(content, fmt + 2, 2), _number(content, fmt + 4, 4)
    bits = _number(content, fmt + 14, 2)
    extended = (tag == EXTENSIBLE) & (fmt_size >= 40) & (_text(content, fmt + 26, 14) == GUID)
    known = tf.where(extended, _number(content, fmt + 24, 2), tag)
    is_kind = tf.stack([(known == one_tag) & (bits == one_bits) for one_tag, one_bits in FORMATS])
    there = tf.maximum(size - start, 0)
    is_open = _is_open(start, length, riff, size)
    frames = tf.where(is_open, there, length) // tf.maximum(channels * (bits // 8), 1)
    seconds = tf.cast(frames, tf.float64) / tf.cast(tf.maximum(rate, 1), tf.float64)
    begins = _text(content, 0, 4)
    # What is no text must not get into a message, which has to be UTF-8.
    begins = tf.where(tf.strings.regex_full_match(begins, "[ -~]*"), begins, "....")
    *others, last = (f"{one:,}" for one in rates)
    named = f"{', '.join(others)} or {last}" if others else last
    # Each needs what those before it found, so they run in their order, and the first that fails is what is told.
    checks = (
        (size > 0, "is empty; copy or download it again. Received: 0 bytes"),
        (wave, "can't be decoded; send the bytes of a WAV file. Received: ", size, " bytes that begin with ", begins),
        (has_fmt & (fmt_size >= 16), "has no description of its samples before them; is it complete? Received: ", size,
         " bytes"),
        (has_data, "has no samples; is it complete? Received: ", size, " bytes without a data chunk"),
        (tf.reduce_any(is_kind), "must be PCM of 8, 16, 24 or 32 bits or float of 32; convert it. Received: format ",
         known, " with ", bits, " bits"),
        ((channels >= 1) & (channels <= MOST_CHANNELS),
         f"its header gives no number of channels from 1 to {MOST_CHANNELS}. Received: ", channels, " channels"),
        (tf.reduce_any(rate == tf.constant(rates, tf.int64)), f"must have a sample rate of {named} Hz; resample it. "
         "Received: ", rate, " Hz"),
        (is_open | (length <= there), "is cut off, or its header is damaged; copy or download it again. Received: ",
         there, " of the ", length, " bytes of samples that its header announces"),
        (frames > 0, "holds no samples; delete it or record it again. Received: 0 samples"),
        (seconds <= max_seconds, f"is longer than {max_seconds:g} s; send less, or export again with a larger "
         "`max_seconds`. Received: ", seconds, " s"),
    )  # fmt: skip
    done = []
    for holds, *sentence in checks:
        with tf.control_dependencies(done):
            done = [_refuse_file_unless(holds, row, *sentence)]
    with tf.control_dependencies(done):
        return Head(*map(tf.identity, (tf.argmax(is_kind), channels, rate, start, frames)))


def _refuse_file_unless(holds, row, *sentence):
    return refuse_unless(holds, "`audio_bytes`, row ", row, ": ", *sentence)


def _is_open(start, length, riff, size):
    """Whether its sizes are those of a writer that never came back to its header, as `sertk.audio` tells it."""
    end = riff + 8
    nothing = (size > start) & ((end <= start) | tf.reduce_any(riff == tf.constant(OPEN_SIZES, tf.int64)))
    unknown = tf.reduce_any(length == tf.constant(OPEN_SIZES, tf.int64)) & ((riff == 0) | (end > size))
    return tf.where(length == 0, nothing, unknown)


def _walk(content, size):
    """Goes from chunk to chunk up to the samples.

    Returns:
        int64 tensors: where the last description before the samples starts, and its size; where the samples start, and
        their size. A start of 0 says that there is none.
    """
    none = tf.constant(0, tf.int64)

    def goes_on(place, count, fmt, fmt_size, start, length):
        return (start == 0) & (place + 8 <= size) & (count < MOST_CHUNKS)

    def step(place, count, fmt, fmt_size, start, length):
        name, long = _text(content, place, 4), _number(content, place + 4, 4)
        inside = place + 8
        is_fmt, is_data = name == b"fmt ", name == b"data"
        # What has no name is no chunk: libsndfile gives up there too.
        count = tf.where(tf.strings.regex_full_match(name, "[ -~]{4}"), count + 1, MOST_CHUNKS)
        return (
            inside + long + long % 2,
            count,
            tf.where(is_fmt, inside, fmt),
            tf.where(is_fmt, tf.minimum(long, size - inside), fmt_size),
            tf.where(is_data, inside, start),
            tf.where(is_data, long, length),
        )

    state = (none + 12, tf.constant(0), none, none, none, none)
    return tf.while_loop(goes_on, step, state, parallel_iterations=1)[2:]


def _text(content, start, count):
    """Bytes of a file; fewer where it ends before."""
    size = tf.cast(tf.strings.length(content), tf.int64)
    start = tf.minimum(tf.cast(start, tf.int64), size)
    return tf.strings.substr(content, start, tf.constant(count, tf.int64))


def _number(content, start, count):
    """An unsigned number of up to 4 bytes, the lowest first; what the file lacks counts as zeros."""
    taken = tf.cast(tf.io.decode_raw(_text(content, start, count), tf.uint8), tf.int64)
    weights = tf.constant([1 << 8 * place for place in range(count)], tf.int64)
    return tf.reduce_sum(taken * weights[: tf.size(taken)])


def _samples(data, tag, bits):
    """All channels' samples in [-1, 1), float32, one after the other as they lie in the file."""
    if tag == FLOAT:
        return tf.io.decode_raw(data, tf.float32)
    if bits == 8:
        return (tf.cast(tf.io.decode_raw(data, tf.uint8), tf.float32) - 128.0) / 128.0
    if bits == 24:
        low, middle, high = tf.unstack(tf.reshape(tf.io.decode_raw(data, tf.uint8), [-1, 3]), axis=1)
        high = tf.cast(tf.bitcast(high, tf.int8), tf.int32)
        whole = tf.cast(low, tf.int32) + 2**8 * tf.cast(middle, tf.int32) + 2**16 * high
        return tf.cast(whole, tf.float32) / 2**23
    return tf.cast(tf.io.decode_raw(data, tf.int16 if bits == 16 else tf.int32), tf.float32) / 2.0 ** (bits - 1)

"""What an exported graph refuses, each with the sentence that the client gets as an `InvalidArgumentError`."""

import tensorflow as tf

# The loudest sample of a waveform, far above what float files and resamplers give: integers lie above.
LOUDEST = 100.0


def refuse_unless(holds, *sentence):
    """An assertion of the graph.

    Args:
        holds: bool tensor, a scalar.
        *sentence: str and tensors, scalars, which are put together to one sentence.

    Returns:
        The operation, for `tf.control_dependencies`.
    """
    parts = [part if isinstance(part, str) else tf.strings.as_string(part) for part in sentence]
    return tf.debugging.Assert(holds, [tf.strings.join(parts)])


def check_waveform(waveform):
    """The checks of a batch of waveforms that hold whatever the model is.

    Args:
        waveform: float32 tensor `(batch, samples)`.

    Returns:
        list of operations.
    """
    finite, loudest = tf.reduce_all(tf.math.is_finite(waveform)), tf.reduce_max(tf.abs(waveform))
    # One sentence a fault: infinity is not loud as well.
    quiet = tf.logical_not(finite) | tf.equal(tf.size(waveform), 0) | (loudest <= LOUDEST)
    return [
        refuse_unless(tf.shape(waveform)[1] > 0, "`waveform` must hold at least one sample. Received: none"),
        refuse_unless(
            finite,
            "`waveform` must be finite; it holds NaN or infinity. Received: a waveform with such samples",
        ),
        refuse_unless(
            quiet,
            "`waveform` must lie in [-1, 1]; divide 16-bit PCM by 32768. Received: a sample of ",
            loudest,
        ),
    ]


def check_lengths(lengths, waveform):
    """The checks of the lengths that come with a padded batch.

    Args:
        lengths: int32 tensor `(batch,)`, in samples.
        waveform: float32 tensor `(batch, samples)`.

    Returns:
        list of operations.
    """
    rows, total = tf.shape(waveform)[0], tf.shape(waveform)[1]
    inside = tf.reduce_all((lengths > 0) & (lengths <= total))
    return [
        refuse_unless(
            tf.equal(tf.size(lengths), rows),
            "`lengths` must have one for each row of `waveform`. Received: ",
            tf.size(lengths),
            " for ",
            rows,
            " rows",
        ),
        refuse_unless(
            inside,
            "`lengths` must be above 0 and no more than the samples that `waveform` has. Received: ",
            tf.reduce_min(lengths),
            " to ",
            tf.reduce_max(lengths),
            " for ",
            total,
            " samples",
        ),
    ]


def check_shortest(lengths, name, shortest, sample_rate):
    """The check that clips are as long as the model needs.

    Args:
        lengths: int tensor of any shape, in samples.
        name: str, the argument to name.
        shortest: int, in samples.
        sample_rate: int, Hz.

    Returns:
        list of operations.
    """
    if shortest == 1:
        return []  # that there is a sample at all is checked with the waveform
    # Of no clips at all the least is the largest number there is.
    least = tf.reduce_min(lengths)
    return [
        refuse_unless(
            least >= shortest,
            f"`{name}` must have at least {shortest} samples, {shortest / sample_rate:g} s. Received: ",
            least,
            " samples",
        )
    ]


def check_longest(lengths, name, longest, sample_rate):
    """The check that clips are no longer than whoever exported the model allows.

    Args:
        lengths, name, sample_rate: as in `check_shortest`.
        longest: int, in samples.

    Returns:
        list of operations.
    """
    most = tf.reduce_max(lengths)
    return [
        refuse_unless(
            most <= longest,
            f"`{name}` must have at most {longest} samples, {longest / sample_rate:g} s; send less, or export again "
            "with a larger `max_seconds`. Received: ",
            most,
            " samples",
        )
    ]

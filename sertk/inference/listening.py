"""Listening: a stream's answers as sound comes in, with how long each took."""

import time


def listen(stream, pieces):
    """Feeds a stream with sound as it comes in.

    Args:
        stream: `Stream`.
        pieces: iterable of pairs: when a piece came in, `time.perf_counter()`, and the piece, as `read_pcm` and
            `Microphone` give them.

    Yields:
        Pairs: each `Moment`, and its latency: the seconds from when the window's last sample came in until now. What
        the resampler holds back, `stream.held_back`, comes in before.

    Raises:
        ValueError: as `Stream.feed` does.

    Example:
        >>> for moment, latency in listen(Stream("runs/first"), read_pcm(sys.stdin.buffer)):
        ...     print(moment.predicted, f"{1000 * latency:.0f} ms")
    """
    for arrived, samples in pieces:
        for moment in stream.feed(samples):
            yield moment, time.perf_counter() - arrived
    ended = time.perf_counter()
    for moment in stream.end():
        yield moment, time.perf_counter() - ended

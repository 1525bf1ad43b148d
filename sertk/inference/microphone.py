"""A microphone, by PortAudio: sounddevice is an extra."""

import queue
import time

import numpy as np

# How long a block of the microphone is, and how much of its sound waits for a model that is slow.
BLOCK_SECONDS = 0.05
LONGEST_WAIT = 60
# Windows let no key through to a program that waits for ever.
PATIENCE = 0.5


class Microphone:
    """The sound of a microphone as it comes in, at the rate that the device prefers.

    Used as a context, in which it is open, and iterated over: each item is when a piece came in,
    `time.perf_counter()`, and the piece, float32 `(samples,)`. It ends when the device is taken away.

    Args:
        device: int or str, the number or a part of the name of an input device, as `python -m sounddevice` lists them.
            Defaults to the system's.

    Attributes:
        sample_rate: int, Hz.
        lost: float, seconds of sound that nobody fetched within a minute.

    Raises:
        ImportError: if sounddevice, or the library that it needs, is not installed.
        ValueError: if there is no such device, or it can't be opened.

    Example:
        >>> with Microphone() as microphone:
        ...     stream = Stream("runs/first", microphone.sample_rate)
        ...     for arrived, samples in microphone:
        ...         moments = stream.feed(samples)
    """

    def __init__(self, device=None):
        self._sounddevice = _import()
        self._device = device
        try:
            self.sample_rate = int(self._sounddevice.query_devices(device, "input")["default_samplerate"])
        except (ValueError, self._sounddevice.PortAudioError) as error:
            raise ValueError(
                "`device` must be a microphone; `python -m sounddevice` lists what there is, and where there is none, "
                f"raw PCM can come from standard input. Received: device={device!r}: {error}"
            ) from error
        self._block = round(BLOCK_SECONDS * self.sample_rate)
        self._waiting = queue.Queue(round(LONGEST_WAIT / BLOCK_SECONDS))
        self._lost = 0
        self._over = False
        self._stream = None

    @property
    def lost(self):
        return self._lost / self.sample_rate

    def __enter__(self):
        try:
            self._stream = self._sounddevice.InputStream(
                samplerate=self.sample_rate,
                blocksize=self._block,
                device=self._device,
                channels=1,
                dtype="float32",
                callback=self._hear,
                finished_callback=self._finish,
            )
            self._stream.start()
        except self._sounddevice.PortAudioError as error:
            if self._stream is not None:
                self._stream.close()
            raise ValueError(
                "`device` can't be opened; does another program hold it, or is the microphone not allowed? "
                f"Received: device={self._device!r}: {error}"
            ) from error
        return self

    def __exit__(self, *_):
        self._stream.close()

    def __iter__(self):
        while True:
            try:
                arrived, *pieces = self._waiting.get(timeout=PATIENCE)
            except queue.Empty:
                # The last of it may have come in just now.
                if self._over and self._waiting.empty():
                    return
                continue
            # What came in while the model was busy is one piece, whose windows it is asked about together.
            while not self._waiting.empty():
                pieces.append(self._waiting.get_nowait()[1])
            yield arrived, np.concatenate(pieces)

    def _hear(self, samples, frames, *_):
        """Called by PortAudio, in a thread of its own that must not wait."""
        try:
            self._waiting.put_nowait((time.perf_counter(), samples[:, 0].copy()))  # PortAudio writes there again
        except queue.Full:
            self._lost += frames

    def _finish(self):
        self._over = True


def _import():
    try:
        import sounddevice
    except ImportError as error:
        raise ImportError("sounddevice is needed to hear a microphone; pip install 'sertk[listen]'") from error
    except OSError as error:  # the Python package alone, without PortAudio
        raise ImportError(
            "sounddevice needs the library PortAudio to hear a microphone; apt install libportaudio2, or your system's "
            f"package of it. Received: {error}"
        ) from error
    return sounddevice

"""A microphone, played by a stand-in for sounddevice: no test machine has one."""

import sys
import threading
import types

import numpy as np
import pytest

from sertk.inference import Microphone, Stream, listen


class PortAudioError(Exception):
    pass


@pytest.fixture
def sounddevice(monkeypatch):
    """sounddevice as its documentation describes it, with a microphone that plays `played`, block by block."""
    module = types.ModuleType("sounddevice")
    module.PortAudioError = PortAudioError
    module.played = np.zeros(0, "float32")
    module.streams = []
    module.stuck = False

    def query_devices(device=None, kind=None):
        assert kind == "input"
        if device == "gone":
            raise ValueError("No input device matching 'gone'")
        if device == 7:
            raise PortAudioError("Error querying device 7")
        return {"name": "a microphone", "default_samplerate": 48_000.0, "max_input_channels": 1}

    class InputStream:
        def __init__(self, samplerate, blocksize, device, channels, dtype, callback, finished_callback):
            if device == "held":
                raise PortAudioError("Device unavailable")
            assert (samplerate, channels, dtype) == (48_000, 1, "float32")
            self.blocksize, self.callback, self.finished, self.closed = blocksize, callback, finished_callback, False
            module.streams.append(self)

        def start(self):
            if module.stuck:
                raise PortAudioError("Unanticipated host error")
            self.thread = threading.Thread(target=self._play)
            self.thread.start()

        def _play(self):
            buffer = np.empty((self.blocksize, 1), "float32")  # PortAudio's own, written to again and again
            for start in range(0, len(module.played), self.blocksize):
                piece = module.played[start : start + self.blocksize]
                buffer[: len(piece), 0] = piece
                self.callback(buffer[: len(piece)], len(piece), None, None)
            buffer[:] = np.nan
            self.finished()

        def close(self):
            if not module.stuck:
                self.thread.join()
            self.closed = True

    module.query_devices, module.InputStream = query_devices, InputStream
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def test_every_sample_is_heard_once_and_in_its_place(sounddevice, speech_like):
    sounddevice.played = speech_like(48_000 * 2 + 123)
    with Microphone() as microphone:
        assert microphone.sample_rate == 48_000
        heard = np.concatenate([samples for _, samples in microphone])
    np.testing.assert_array_equal(heard, sounddevice.played)
    assert microphone.lost == 0
    assert sounddevice.streams[0].closed


def test_a_stream_listens_to_it(sounddevice, energy_predictor, speech_like):
    sounddevice.played = speech_like(48_000 * 3)
    with Microphone("a micro") as microphone:
        stream = Stream(energy_predictor(1.0), microphone.sample_rate, hop=0.5)
        told = list(listen(stream, microphone))
    assert [moment.start for moment, _ in told] == pytest.approx([0, 0.5, 1, 1.5, 2])
    assert all(0 <= latency < 60 for _, latency in told)


def test_what_nobody_fetches_is_lost_and_told(sounddevice):
    """A minute waits; of 62 s two are lost."""
    sounddevice.played = np.zeros(48_000 * 62, "float32")
    with Microphone() as microphone:
        sounddevice.streams[0].thread.join()
        assert microphone.lost == pytest.approx(2)
        assert sum(len(samples) for _, samples in microphone) == 48_000 * 60


@pytest.mark.parametrize("device", ["gone", 7])
def test_a_device_that_is_not_there_is_told(sounddevice, device):
    with pytest.raises(ValueError, match=r"`device` must be a microphone; .* Received: device="):
        Microphone(device)


def test_a_device_that_is_held_is_told(sounddevice):
    with (
        pytest.raises(ValueError, match=r"`device` can't be opened; .* Received: device='held': Device unavailable"),
        Microphone("held"),
    ):
        pass


def test_a_device_that_does_not_start_is_told_and_closed(sounddevice):
    sounddevice.stuck = True
    with pytest.raises(ValueError, match=r"`device` can't be opened; .* Unanticipated host error"), Microphone():
        pass
    assert sounddevice.streams[0].closed


def test_without_sounddevice_or_its_library_it_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ImportError, match=r"pip install 'sertk\[listen\]'"):
        Microphone()


def test_without_portaudio_it_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=r"apt install libportaudio2, .* Received: PortAudio library not found"):
        Microphone()

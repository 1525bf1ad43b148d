"""The synthetic voice by physics: librosa measures in the waveform what the tables ask for."""

from dataclasses import replace

import librosa
import numpy as np
import pytest
from scipy.signal import find_peaks

from sertk.corpora.voice import PROSODY, VOWELS, Prosody, Speaker, speak, vary

RATE = 16_000
MAN = Speaker(pitch=115.0, formants=1.0, rate=4.4, spread=1.0, level=0.0, tension=0.0, breath=1.0)
WOMAN = replace(MAN, pitch=205.0, formants=1.16)
SENTENCE = [("m", "a"), ("s", "i"), ("k", "o"), ("z", "e"), ("m", "u"), ("t", "a")]


def say(prosody, speaker=WOMAN, takes=3, sentence=SENTENCE, seconds=2.4, rate=RATE):
    return [speak(speaker, prosody, sentence, seconds, rate, np.random.RandomState(take)) for take in range(takes)]


def pitch_of(waveform):
    """Fundamental frequency in Hz where the voice is loud, by librosa's YIN."""
    options = {"frame_length": 1024, "hop_length": 160}
    pitch = librosa.yin(waveform, fmin=60, fmax=600, sr=RATE, **options)
    level = librosa.feature.rms(y=waveform, **options)[0][: len(pitch)]
    return pitch[: len(level)][level > np.median(level)]


def median_pitch(waveforms):
    return np.median(np.concatenate([pitch_of(waveform) for waveform in waveforms]))


@pytest.mark.parametrize("speaker", [MAN, WOMAN], ids=["man", "woman"])
def test_pitch_is_the_speakers_times_the_emotions(speaker):
    for emotion, prosody in PROSODY.items():
        flat = replace(prosody, spread=0.0, contour=0.0)
        assert median_pitch(say(flat, speaker)) == pytest.approx(speaker.pitch * prosody.pitch, rel=0.03), emotion


def test_pitch_moves_along_the_contour():
    """Eight semitones over the clip: half of it apart are the middles of the two halves."""
    for contour in (-6.0, 8.0):
        waveforms = say(Prosody(spread=0.0, contour=contour))
        halves = [np.array_split(pitch_of(waveform), 2) for waveform in waveforms]
        rise = np.mean([12 * np.log2(np.median(late) / np.median(early)) for early, late in halves])
        assert rise == pytest.approx(contour / 2, abs=1.2)


def test_wide_accents_spread_the_pitch():
    def spread(semitones):
        pitch = np.concatenate([pitch_of(waveform) for waveform in say(Prosody(spread=semitones, contour=0.0))])
        return np.diff(np.percentile(12 * np.log2(pitch), (20, 80)))[0]

    assert spread(0.0) < 0.5 < spread(1.0) < spread(3.0)


def test_rate_is_syllables_a_second():
    """A syllable of a vowel between m's is one swell of loudness."""

    def syllables(rate):
        steady = Prosody(rate=rate, pause=0.0, spread=0.0, contour=0.0, tremor=0.0)
        counts = []
        for waveform in say(steady, sentence=[("m", "a")], seconds=4.0):
            level = librosa.feature.rms(y=waveform, frame_length=1024, hop_length=160)[0]
            counts.append(len(find_peaks(level, prominence=0.2 * level.max())[0]))
        return np.mean(counts) / 4.0

    assert syllables(0.8) == pytest.approx(0.8 * MAN.rate, rel=0.1)
    assert syllables(1.2) == pytest.approx(1.2 * MAN.rate, rel=0.1)


def test_pause_is_silence():
    def silence(pause):
        levels = [librosa.feature.rms(y=waveform)[0] for waveform in say(Prosody(pause=pause))]
        return np.mean([np.mean(level < 0.05 * level.max()) for level in levels])

    assert silence(0.3) - silence(0.0) == pytest.approx(0.3, abs=0.08)


def test_level_is_in_decibels():
    quiet, loud = (np.mean(np.square(say(Prosody(level=level)))) for level in (-4.0, 4.0))
    assert 10 * np.log10(loud / quiet) == pytest.approx(8.0, abs=0.01)


def test_tense_voice_is_brighter_than_a_lax_one():
    def brightness(tension):
        sentence = [("m", vowel) for vowel in VOWELS]
        waveforms = say(Prosody(tension=tension), sentence=sentence)
        return np.mean([librosa.feature.spectral_centroid(y=waveform, sr=RATE).mean() for waveform in waveforms])

    assert brightness(-0.8) < brightness(0.0) < brightness(1.0)


def test_vowels_have_their_formants():
    """Peterson and Barney's first formants, 270 Hz of i and 730 Hz of a, and a sixth higher for women."""
    for speaker, vowel in ((MAN, "i"), (MAN, "a"), (MAN, "e"), (WOMAN, "a"), (WOMAN, "e")):
        prosody = Prosody(breath=0.02, tremor=0.0)
        waveform = np.concatenate(say(prosody, speaker, sentence=[("m", vowel)]))
        predictor = librosa.lpc(librosa.effects.preemphasis(waveform), order=14)
        roots = np.roots(predictor)
        resonances = sorted(np.angle(roots[(roots.imag > 0) & (np.abs(roots) > 0.9)]) * RATE / (2 * np.pi))
        expected = VOWELS[vowel][0] * speaker.formants
        # Linear prediction is drawn to the nearest harmonic, at most half the pitch away.
        assert min(resonances, key=lambda found: abs(found - expected)) == pytest.approx(
            expected, abs=speaker.pitch / 2
        )


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("seconds", [0.5, 3.0])
def test_never_clips_nor_falls_silent(rate, seconds):
    loud = replace(WOMAN, level=40.0)
    for emotion, prosody in PROSODY.items():
        for waveform in say(prosody, loud, takes=2, seconds=seconds, rate=rate):
            assert waveform.shape == (round(seconds * rate),), emotion
            assert np.isfinite(waveform).all()
            assert 0.9 < np.abs(waveform).max() < 1.0


def test_no_two_renderings_are_alike_yet_they_stay_close():
    renderings = [vary(PROSODY["angry"], np.random.RandomState(seed)) for seed in range(200)]
    pitches = [rendering.pitch for rendering in renderings]
    assert len(set(pitches)) == 200
    assert np.mean(pitches) == pytest.approx(PROSODY["angry"].pitch, rel=0.02)
    assert min(rendering.pause for rendering in renderings) > 0


def test_directions_are_those_of_the_literature():
    """Scherer (2003) and Juslin and Laukka (2003), each cue against neutral speech: up, down."""
    up_and_down = {
        "angry": ({"pitch", "spread", "rate", "level", "tension"}, {"pause"}),
        "fear": ({"pitch", "rate", "tremor"}, {"spread"}),
        "happy": ({"pitch", "spread", "rate", "level", "contour", "tension"}, {"tremor", "pause"}),
        "sad": ({"pause", "breath"}, {"pitch", "spread", "contour", "rate", "level", "tension"}),
    }
    neutral = PROSODY["neutral"]
    for emotion, (up, down) in up_and_down.items():
        assert all(getattr(PROSODY[emotion], cue) > getattr(neutral, cue) for cue in up), emotion
        assert all(getattr(PROSODY[emotion], cue) < getattr(neutral, cue) for cue in down), emotion

"""A small source-filter voice: glottal pulses and noise through moving formants, spoken with an emotion's prosody."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.signal import lfilter

FRAME = 0.016  # seconds; how often the vocal tract moves
OPEN, CLOSED = 0.40, 0.58  # where in its cycle the glottis is widest open, and where it shuts
LEVEL_DB = -30.0  # a clip's usual root mean square, in dB below full scale


def _rosenberg_pulse():
    """The air that flows through the glottis over one cycle, as phases and values: Rosenberg (1971)."""
    phase = np.linspace(0, 1, 401)
    opening = 0.5 - 0.5 * np.cos(np.pi * phase / OPEN)
    closing = np.cos(0.5 * np.pi * (phase - OPEN) / (CLOSED - OPEN))
    return phase, np.where(phase < OPEN, opening, np.where(phase < CLOSED, closing, 0.0))


_PULSE = _rosenberg_pulse()


@dataclass(frozen=True)
class Prosody:
    """How an emotion is spoken.

    Args:
        pitch: mean fundamental frequency, as a multiple of the speaker's own.
        spread: how far accents leave the pitch contour, in semitones.
        contour: rise (or fall) of the pitch from the first to the last syllable, in semitones.
        rate: syllables a second, as a multiple of the speaker's own.
        level: loudness in dB.
        tension: vocal effort from -1 (lax, dark) to 1 (pressed, bright): how little high frequencies fall off.
        breath: aspiration noise beside the voice, as a share of it.
        tremor: irregularity of the glottal pulses, jitter as a share of the period; shimmer is five times that.
        pause: share of the clip that is pause.
    """

    pitch: float = 1.0
    spread: float = 1.6
    contour: float = -3.0
    rate: float = 1.0
    level: float = 0.0
    tension: float = 0.0
    breath: float = 0.04
    tremor: float = 0.007
    pause: float = 0.08


# Directions of the cues from the reviews of acted emotion: Scherer (2003), Speech Communication 40 (pitch, its range
# and contour, intensity, rate, high-frequency energy); Juslin and Laukka (2003), Psychological Bulletin 129 (these,
# jitter, pauses and voice quality). Disgust and surprise, rarer in both, follow what acted corpora sound like: low,
# slow and pressed; high, wide and rising. The sizes are ours.
PROSODY = {
    "angry": Prosody(1.12, 2.6, -5.0, 1.14, 4.0, 1.0, 0.03, 0.014, 0.05),
    "disgust": Prosody(0.92, 2.0, -4.5, 0.82, -1.0, 0.3, 0.06, 0.016, 0.12),
    "fear": Prosody(1.38, 1.2, 0.5, 1.20, -1.0, 0.0, 0.10, 0.018, 0.10),
    "happy": Prosody(1.28, 3.2, 1.0, 1.08, 2.5, 0.3, 0.03, 0.005, 0.06),
    "neutral": Prosody(),
    "sad": Prosody(0.88, 0.8, -4.0, 0.76, -4.0, -0.8, 0.11, 0.009, 0.18),
    "surprise": Prosody(1.50, 2.8, 8.0, 0.96, 1.5, 0.0, 0.08, 0.006, 0.06),
}


@dataclass(frozen=True)
class Speaker:
    """A voice and its habits: mean pitch in Hz, formants as multiples of a man's, and own ways of speaking."""

    pitch: float
    formants: float
    rate: float  # syllables a second
    spread: float  # multiple of the pitch accents
    level: float  # dB
    tension: float  # added to the emotion's
    breath: float  # multiple


# First three formants in Hz of men's vowels: Peterson and Barney (1952); women's lie about a sixth higher.
VOWELS = {
    "i": (270, 2290, 3010),
    "e": (530, 1840, 2480),
    "a": (730, 1090, 2440),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
HIGHER_FORMANTS = (3400, 4500)
BANDWIDTHS = (70, 90, 130, 200, 300)  # Hz

# Consonant -> (seconds, noise level, centre of its noise in Hz, share of the voice that goes on).
CONSONANTS = {
    "s": (0.09, 0.35, 5500, 0.0),
    "sh": (0.09, 0.40, 3200, 0.0),
    "t": (0.05, 0.50, 4200, 0.0),
    "k": (0.05, 0.45, 1900, 0.0),
    "z": (0.07, 0.20, 5200, 0.4),
    "m": (0.06, 0.0, 1000, 0.5),
}


def make_speaker(gender, random):
    """Invents a speaker of a gender ("female" or "male") from a `numpy.random.RandomState`."""
    female = gender == "female"
    return Speaker(
        pitch=(205.0 if female else 115.0) * np.exp(random.normal(0, 0.08)),
        formants=(1.16 if female else 1.0) * np.exp(random.normal(0, 0.03)),
        rate=4.4 * np.exp(random.normal(0, 0.07)),
        spread=np.exp(random.normal(0, 0.15)),
        level=random.normal(0, 2),
        tension=random.normal(0, 0.15),
        breath=np.exp(random.normal(0, 0.3)),
    )


# How much one person's rendering of an emotion differs from the next: as a share of the cue, or in its own unit.
SCATTER_SHARE = {"pitch": 0.04, "spread": 0.2, "rate": 0.05, "breath": 0.2, "tremor": 0.2, "pause": 0.2}
SCATTER = {"contour": 0.8, "level": 3.0, "tension": 0.12}


def vary(prosody, random):
    """One rendering of a prosody, from half-hearted to overdone, and never twice the same."""
    strength = random.uniform(0.8, 1.2)
    # The defaults are those of neutral speech, from which each emotion leads away.
    cues = {cue.name: cue.default + strength * (getattr(prosody, cue.name) - cue.default) for cue in fields(prosody)}
    for name, scatter in SCATTER_SHARE.items():
        cues[name] *= np.exp(random.normal(0, scatter))
    for name, scatter in SCATTER.items():
        cues[name] += random.normal(0, scatter)
    return Prosody(**cues)


def speak(speaker, prosody, sentence, seconds, sample_rate, random):
    """Says as many syllables of a sentence as there is time for, over and over if need be.

    Args:
        speaker: a `Speaker`.
        prosody: a `Prosody`.
        sentence: list of (consonant, vowel) names.
        seconds: length of the clip.
        sample_rate: samples a second.
        random: a `numpy.random.RandomState`.

    Returns:
        float64 waveform in (-1, 1), shape `(round(seconds * sample_rate),)`.
    """
    syllables = _syllables(sentence, seconds, speaker.rate * prosody.rate, prosody.pause, random)
    samples = round(seconds * sample_rate)
    time = np.arange(samples) / sample_rate
    loudness = np.interp(time, *_track(syllables, _voicing))
    pitch = _pitch(time, syllables, speaker, prosody, random)
    voice = _glottis(pitch, sample_rate, speaker, prosody, random)
    speech = _formants(loudness * voice, syllables, speaker.formants, sample_rate)
    speech = speech / np.sqrt(np.mean(speech**2)) + _friction(samples, syllables, sample_rate, random)
    speech += 10 ** (random.uniform(-48, -40) / 20) * random.standard_normal(samples)
    gain = 10 ** ((LEVEL_DB + speaker.level + prosody.level) / 20)
    return speech * min(gain, 0.95 / np.abs(speech).max())


def _syllables(sentence, seconds, rate, pause, random):
    """The timed syllables of a clip: (start, length, consonant, vowel), pauses between phrases left out."""
    margin = 0.06
    spoken = (seconds - 2 * margin) * (1 - pause)
    number = max(2, round(spoken * rate))
    lengths = random.uniform(0.8, 1.2, number)
    lengths[-1] *= 1.3  # the last syllable of a phrase is drawn out
    lengths *= spoken / lengths.sum()
    starts = margin + np.cumsum(lengths) - lengths
    gap = random.randint(1, number)
    starts[gap:] += (seconds - 2 * margin) * pause
    sounds = (sentence[index % len(sentence)] for index in range(number))
    return [(start, length, *sound) for start, length, sound in zip(starts, lengths, sounds, strict=True)]


def _track(syllables, points):
    """Joins what each syllable sets, as times and values to interpolate between."""
    track = np.array([point for syllable in syllables for point in points(*syllable)])
    return track[:, 0], track[:, 1]


def _voicing(start, length, consonant, vowel):
    onset = min(CONSONANTS[consonant][0], 0.4 * length)
    carried = CONSONANTS[consonant][3]
    end = start + length
    yield from (
        (start, 0.0),
        (start + 0.3 * onset, carried),
        (start + onset, carried),
        (start + onset + 0.15 * length, 1.0),
    )
    yield from ((end - 0.3 * length, 0.9), (end - 0.001, 0.0))


def _pitch(time, syllables, speaker, prosody, random):
    """Fundamental frequency at each sample, in Hz: a slope over the clip, and an accent on each syllable."""
    centres = np.array([start + 0.6 * length for start, length, *_ in syllables])
    slope = prosody.contour * (np.linspace(0, 1, len(centres)) - 0.5)
    accents = prosody.spread * speaker.spread * random.standard_normal(len(centres))
    semitones = slope + accents - accents.mean()
    return speaker.pitch * prosody.pitch * 2 ** (np.interp(time, centres, semitones) / 12)


def _glottis(pitch, sample_rate, speaker, prosody, random):
    """The sound of the glottis: irregular pulses, breath while it is open, and the fall-off of a lax or tense voice."""
    cycles = int(pitch.sum() / sample_rate * 1.5) + 10
    jitter = 1 + prosody.tremor * random.standard_normal(cycles)
    shimmer = 1 + 5 * prosody.tremor * random.standard_normal(cycles)
    cycle = np.cumsum(pitch / sample_rate).astype(int)
    phase = np.cumsum(pitch / sample_rate * jitter[cycle])
    cycle, phase = phase.astype(int), phase % 1
    flow = np.interp(phase, *_PULSE) * shimmer[cycle]
    pulses = np.diff(flow, prepend=flow[0])  # what the lips radiate is the change of the flow
    pulses /= np.sqrt(np.mean(pulses**2))
    breath = prosody.breath * speaker.breath * random.standard_normal(len(pitch)) * (0.3 + (phase < CLOSED))
    dark = np.clip(0.45 - 0.35 * (prosody.tension + speaker.tension), 0.02, 0.9)
    return lfilter([1 - dark], [1, -dark], pulses) + breath


def _formants(source, syllables, scale, sample_rate):
    """Filters the source by five resonances that move from vowel to vowel."""
    hop = round(FRAME * sample_rate)
    frames = np.arange(0, len(source), hop) / sample_rate
    times = np.array([start + share * length for start, length, *_ in syllables for share in (0.45, 0.85)])
    vowels = np.repeat([VOWELS[vowel] for *_, vowel in syllables], 2, axis=0)
    moving = [np.interp(frames, times, formant) for formant in vowels.T]
    fixed = [np.full(len(frames), formant) for formant in HIGHER_FORMANTS]
    tract = _resonances(scale * np.stack(moving + fixed, axis=1), np.array(BANDWIDTHS), sample_rate)
    state, pieces = np.zeros(2 * len(BANDWIDTHS)), []
    for frame, poles in enumerate(tract):
        # The sum of the poles' coefficients as gain lets 0 Hz pass as it is, as in Klatt's cascade (1980).
        piece, state = lfilter([poles.sum()], poles, source[frame * hop : (frame + 1) * hop], zi=state)
        pieces.append(piece)
    return np.concatenate(pieces)


def _resonances(centres, bandwidths, sample_rate):
    """Denominators of all-pole filters: (frames, resonances) in Hz -> (frames, 2 * resonances + 1)."""
    radius = np.exp(-np.pi * bandwidths / sample_rate)
    angle = 2 * np.pi * np.minimum(centres, 0.47 * sample_rate) / sample_rate
    poles = np.ones((len(centres), 1))
    for first, second in zip((-2 * radius * np.cos(angle)).T, radius**2, strict=True):
        grown = np.pad(poles, ((0, 0), (0, 2)))
        poles = grown + first[:, None] * np.roll(grown, 1, axis=1) + second * np.roll(grown, 2, axis=1)
    return poles


def _friction(samples, syllables, sample_rate, random):
    """The hisses and bursts of the consonants."""
    sound = np.zeros(samples)
    for start, length, consonant, _ in syllables:
        seconds, level, centre, _ = CONSONANTS[consonant]
        if level:
            hiss = random.standard_normal(round(min(seconds, 0.4 * length) * sample_rate))
            hiss = lfilter([1], _resonances(np.array([[centre]]), np.array([1200]), sample_rate)[0], hiss)
            hiss *= level * np.interp(np.linspace(0, 1, len(hiss)), (0, 0.4, 0.8, 1), (0, 1, 1, 0)) / hiss.std()
            first = round(start * sample_rate)
            sound[first : first + len(hiss)] += hiss
    return sound

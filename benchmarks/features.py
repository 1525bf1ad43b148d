"""Times log-mel and MFCC of 3 s clips against librosa, Keras's own layer and kapre, after checking that they agree.

    python benchmarks/features.py --json features.json

Each contestant is first compared with librosa on the same clips, with librosa set to what the contestant computes:

- sertk: librosa's defaults, to 1e-3 dB.
- `keras.layers.MelSpectrogram`: HTK's mel scale without normalisation, the clip's ends mirrored instead of padded with
  zeros, and `top_db` below the loudest value of the whole batch. To 0.1 dB, since the sides of its mel bands are
  straight in mel, librosa's in Hz. It has no MFCC.
- kapre, to 1e-3 dB: the mel bands of the magnitude, not of the power. It does not centre its frames, so the clips are
  padded beforehand, outside the timing. Its MFCC scale the first coefficient by the root of two.

Those differences change no amount of work worth speaking of: all transform as many frames of as many samples into as
many bands.
"""

import multiprocessing
import os
import sys
import tempfile
from dataclasses import dataclass

import librosa
import numpy as np
from rounds import machine, parser, print_machine, print_table, take_turns, times_as_fast, whole, write_json

SR, SECONDS = 16_000, 3
SAMPLES = SR * SECONDS
N_FFT, HOP_LENGTH, N_MELS, TOP_DB = 2048, 512, 128, 80.0
FRAMES = {"n_fft": N_FFT, "hop_length": HOP_LENGTH}
BASELINE = "librosa, a clip at a time"
# In dB: the tolerance that sertk promises, and those at which the others agree with librosa set to their ways.
OURS, KAPRE, KERAS = 1e-3, 1e-3, 0.1
# How many batches tf.data gets at a time: setting it up takes longer than one.
PASSES = 8


@dataclass(frozen=True)
class Contestant:
    """One way to compute the features of all clips.

    Args:
        run: function without arguments that gives the features of all clips, `(clips, frames, bands)` or alike.
        expected: array of that shape, librosa's.
        tolerance: float, dB.
        group: "librosa", "sertk" or "peer".
        batched: bool, whether it takes many clips at a time.
        passes: int, how often a run computes the features of all clips; it gives those of the first time.
    """

    run: object
    expected: np.ndarray
    tolerance: float
    group: str
    batched: bool
    passes: int = 1


def main(arguments=None):
    options = parser(__doc__.splitlines()[0], rounds=15)
    options.add_argument("--clips", type=whole, default=32, help="clips in a batch (default: 32)")
    options.add_argument("--n-mfcc", type=whole, default=N_MELS, help="coefficients (default: 128, as in paper 004)")
    options = options.parse_args(arguments)

    clips = speech(options.clips)
    about = machine("jax", "joblib", "kapre")
    print_machine(about)
    results = {}
    for title, contestants in (("log-mel", log_mels(clips)), ("MFCC", mfccs(clips, options.n_mfcc))):
        apart = {name: disagreement(name, contestant) for name, contestant in contestants.items()}
        seconds = take_turns({name: contestant.run for name, contestant in contestants.items()}, options.rounds)
        seconds = {name: times / contestants[name].passes for name, times in seconds.items()}
        print(f"{title}: {len(clips)} clips of {SECONDS} s, median of {options.rounds} rounds\n")
        print_table(table(contestants, apart, seconds, len(clips)))
        print_verdict(contestants, seconds)
        results[title] = {"seconds": seconds, "decibels_apart": apart}
    write_json(options.json, machine=about, clips=len(clips), **results)


def speech(count):
    """Clips to compute on, `(count, 48000)`: synthetic speech, with pauses and a range of levels as real speech has."""
    from sertk.audio import read
    from sertk.corpora import load, write_synthetic

    with tempfile.TemporaryDirectory() as folder:
        manifest = load("synthetic", write_synthetic(folder, speakers=-(-count // 7), clips=1, seconds=(3.0, 3.0)))
        clips = [read(path)[:SAMPLES] for path in manifest["path"][:count]]
    return np.stack([np.pad(clip, (0, SAMPLES - len(clip))) for clip in clips])


def log_mels(clips):
    """The contestants for log-mel spectrograms, by name."""
    import keras

    from sertk.features import LogMelSpectrogram

    found = _ours(clips, LogMelSpectrogram(SR, N_FFT, HOP_LENGTH, N_MELS, top_db=TOP_DB), of_librosa(clips))
    theirs = keras.layers.MelSpectrogram(N_FFT, HOP_LENGTH, sampling_rate=SR, num_mel_bins=N_MELS, min_freq=0.0)
    mirrored = {"pad_mode": "reflect", "htk": True, "norm": None}
    one, many = of_librosa(clips, **mirrored), of_librosa(clips, together=True, **mirrored)
    turned = {True: many.transpose(0, 2, 1), False: one.transpose(0, 2, 1)}
    found |= _as_functions("keras.layers.MelSpectrogram", theirs, clips, turned, KERAS, "peer")
    found |= _kapre(clips, of_librosa(clips, power=1.0))
    return found


def mfccs(clips, n_mfcc):
    """The contestants for MFCC, by name."""
    from sertk.features import MFCC

    found = _ours(clips, MFCC(SR, n_mfcc, N_FFT, HOP_LENGTH, N_MELS, top_db=TOP_DB), of_librosa(clips, n_mfcc))
    expected = of_librosa(clips, n_mfcc, power=1.0)
    expected[..., 0] *= np.sqrt(2)
    return found | _kapre(clips, expected, n_mfcc)


def of_librosa(clips, n_mfcc=None, together=False, **options):
    """librosa's features of clips, `(clips, frames, bands)`.

    Args:
        clips: array `(clips, samples)`.
        n_mfcc: int, how many coefficients; None for log-mel.
        together: bool, whether `top_db` is below the maximum of all clips. Defaults to False: of each one.
        **options: those of `librosa.feature.melspectrogram`.
    """
    power = librosa.feature.melspectrogram(y=clips, sr=SR, n_mels=N_MELS, **FRAMES, **options)
    # A clip at a time, since releases of librosa differ in whose maximum `top_db` counts from.
    decibels = np.stack([librosa.power_to_db(clip, top_db=None if together else TOP_DB) for clip in power])
    if together:
        decibels = np.maximum(decibels, decibels.max() - TOP_DB)
    if n_mfcc is not None:
        decibels = librosa.feature.mfcc(S=decibels, n_mfcc=n_mfcc)
    return decibels.transpose(0, 2, 1)


def disagreement(name, contestant):
    """The largest difference between what a contestant computes and what librosa does, in dB.

    Raises:
        SystemExit: if it is above the contestant's tolerance: a rate would mean nothing then.
    """
    computed = np.asarray(contestant.run())
    if computed.shape != contestant.expected.shape:
        raise SystemExit(f"{name}: has the shape {computed.shape}, librosa's is {contestant.expected.shape}")
    apart = float(np.abs(computed - contestant.expected).max())
    if not apart <= contestant.tolerance:
        raise SystemExit(f"{name}: is up to {apart:.2g} dB from librosa; {contestant.tolerance:g} is allowed")
    return apart


def table(contestants, apart, seconds, clips):
    """One row a contestant: its rate, what that is of librosa's, and how far its numbers are from librosa's.

    The fastest round is the one that other work on the machine disturbed least.
    """
    return [
        {
            "contestant": name,
            "clips/s": clips / float(np.median(seconds[name])),
            "fastest round": clips / float(seconds[name].min()),
            "times librosa": times_as_fast(seconds, name, BASELINE),
            "from librosa (dB)": apart[name],
            "at most": contestant.tolerance,
        }
        for name, contestant in contestants.items()
    ]


def print_verdict(contestants, seconds):
    """Says what the targets ask: five times librosa's rate, and no less than the fastest peer."""
    for batched in (True, False):
        best = {
            group: min(
                (name for name, one in contestants.items() if (one.group, one.batched) == (group, batched)),
                key=lambda name: np.median(seconds[name]),
                default=None,
            )
            for group in ("sertk", "peer")
        }
        print(
            f"{best['sertk']}: {times_as_fast(seconds, best['sertk'], BASELINE):.1f} times librosa's rate per clip",
            end="",
        )
        if best["peer"]:
            ratio = times_as_fast(seconds, best["sertk"], best["peer"])
            print(f", {ratio:.2f} times that of the fastest peer, {best['peer']}", end="")
        print()
    print(flush=True)


def _ours(clips, layer, expected):
    """librosa's rows and sertk's."""
    import joblib

    n_mfcc = getattr(layer, "n_mfcc", None)
    cores = os.cpu_count()

    def in_processes():
        halves = np.array_split(clips, cores)
        with joblib.parallel_config("loky", n_jobs=cores):
            return np.concatenate(joblib.Parallel()(joblib.delayed(one_by_one)(half, n_mfcc) for half in halves))

    found = {
        BASELINE: Contestant(lambda: one_by_one(clips, n_mfcc), expected, OURS, "librosa", False),
        "librosa, a batch": Contestant(lambda: of_librosa(clips, n_mfcc), expected, OURS, "librosa", True),
        f"librosa, {cores} processes": Contestant(in_processes, expected, OURS, "librosa", False),
    }
    found |= _as_functions("sertk", layer, clips, {True: expected, False: expected}, OURS, "sertk")
    in_tf_data = _in_tf_data(layer, clips, PASSES)
    found["sertk, in tf.data"] = Contestant(in_tf_data, expected, OURS, "sertk", True, PASSES)
    on_jax = OnJax(layer.get_config(), type(layer).__name__, clips)
    if on_jax.is_there:
        found["sertk, a batch, on JAX"] = Contestant(on_jax.run, expected, OURS, "sertk", True)
    return found


def one_by_one(clips, n_mfcc):
    """librosa as it is used in most code: a clip at a time, in one process."""
    return np.concatenate([of_librosa(clip[None], n_mfcc) for clip in clips])


def _as_functions(name, layer, clips, expected, tolerance, group):
    """A layer compiled as a graph and by XLA, on a batch and on a clip at a time."""
    import tensorflow as tf

    batch, single = tf.constant(clips), [tf.constant(clip[None]) for clip in clips]
    found = {}
    for batched, how in ((True, "a batch"), (False, "a clip at a time")):
        for xla in (False, True):
            compute = tf.function(layer, jit_compile=xla)
            run = _on_all(compute, [batch] if batched else single)
            title = f"{name}, {how}{', XLA' if xla else ''}"
            found[title] = Contestant(run, expected[batched], tolerance, group, batched)
    return found


def _in_tf_data(layer, clips, passes):
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensors(clips).repeat(passes).map(layer, num_parallel_calls=os.cpu_count())
    options = tf.data.Options()
    options.autotune.enabled = False  # the tuner would hold the last batch back: see pipeline.py
    batches = batches.with_options(options)

    def run():
        first, *_ = batches.as_numpy_iterator()
        return first

    return run


def _on_all(compute, inputs):
    return lambda: np.concatenate([compute(one).numpy() for one in inputs])


def _kapre(clips, expected, n_mfcc=None):
    """kapre's rows; none where it is not installed."""
    import keras

    try:
        import kapre
        from kapre.composed import get_melspectrogram_layer
    except ImportError:
        print("kapre is not installed: `pip install --no-deps kapre`\n")
        return {}
    padded = np.pad(clips, ((0, 0), (N_FFT // 2, N_FFT // 2)))[:, None]  # (clips, channels, samples)
    first = {"input_data_format": "channels_first", "output_data_format": "channels_first"}
    spectrogram = get_melspectrogram_layer(
        n_fft=N_FFT,
        hop_length=HOP_LENGTH,
        sample_rate=SR,
        n_mels=N_MELS,
        mel_f_min=0.0,
        mel_f_max=SR / 2,
        return_decibel=True,
        db_amin=1e-10,
        db_dynamic_range=TOP_DB,
        **first,
    )
    steps = [spectrogram]
    if n_mfcc is not None:
        steps.append(kapre.signal.LogmelToMFCC(n_mfcc, data_format="channels_first"))
    layer = keras.Sequential([keras.Input(padded.shape[1:]), *steps])
    expected = expected[:, None]
    return _as_functions("kapre", layer, padded, {True: expected, False: expected}, KAPRE, "peer")


class OnJax:
    """The layer under JAX, in a process of its own, since a process has one Keras backend.

    It takes turns with the others: between them it waits. What is timed includes the way back of the result through a
    pipe, about a millisecond.

    Args:
        settings: the layer's configuration.
        name: the layer's class in `sertk.features`.
        clips: array `(clips, samples)`.
    """

    def __init__(self, settings, name, clips):
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        before = os.environ.get("KERAS_BACKEND")
        os.environ["KERAS_BACKEND"] = "jax"
        try:
            context.Process(target=_serve_jax, args=(there, settings, name, clips), daemon=True).start()
        finally:
            os.environ.pop("KERAS_BACKEND")
            if before is not None:
                os.environ["KERAS_BACKEND"] = before
        self.is_there = self._here.recv()

    def run(self):
        self._here.send("go")
        return self._here.recv()


def _serve_jax(pipe, settings, name, clips):
    try:
        import jax
    except ImportError:
        print("JAX is not installed: `pip install jax[cpu]`\n")
        pipe.send(False)
        return
    import sertk.features

    layer = getattr(sertk.features, name).from_config(settings)
    compute = jax.jit(lambda waveforms: layer(waveforms))
    clips = jax.numpy.asarray(clips)
    pipe.send(True)
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        pipe.send(np.asarray(compute(clips)))


if __name__ == "__main__":
    sys.exit(main())

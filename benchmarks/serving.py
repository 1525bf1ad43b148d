"""Times the way from WAV files' bytes to labels: a SavedModel and LiteRT beside librosa and Keras, once they agree.

    python benchmarks/serving.py --json serving.json
    python benchmarks/serving.py --run runs/first

Every contestant gets the same recordings of 3 s as bytes and gives probabilities:

- librosa and Keras, as most code has it: `librosa.load`, `librosa.feature.mfcc`, a network that takes features, by
  `model.predict` or as a compiled function.
- The SavedModel, which gets the bytes, or waveforms that soundfile and soxr made of them.
- LiteRT, which gets waveforms too, one at a time, on a thread a core; where `ai-edge-litert` is installed.

Latency is of one call with a clip; throughput of a call with a batch. No server and no network is between.
"""

import io
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import librosa
import numpy as np
import soundfile
import soxr
from rounds import machine, parser, print_machine, print_table, take_turns, times_as_fast, whole, write_json

SR, SECONDS, RECIPE = 16_000, 3.0, "004-parallel-mfcc"
CLASSES = ["angry", "calm", "disgust", "fearful", "happy", "neutral", "sad", "surprised"]
BASELINE = "librosa, Keras's predict"
# Of probabilities, between contestants, for two filters for resampling and two ways to sum. The recordings' own differ
# by ten times as much, with fresh weights.
TOLERANCE = 1e-3
# A network that is so sure says the same whatever it hears: that contestants agree would prove nothing.
SURE = 0.99


def main(arguments=None):
    options = parser(__doc__.splitlines()[0], rounds=100)
    options.add_argument("--batch", type=whole, nargs="+", default=[1, 32], help="clips in a call (default: 1 and 32)")
    options.add_argument("--rate", type=whole, default=48_000, help="Hz, of the recordings (default: 48000)")
    options.add_argument("--run", type=Path, metavar="RUN_DIR", help="a run on MFCC (default: random weights)")
    options = options.parse_args(arguments)

    with tempfile.TemporaryDirectory() as folder:
        run = untrained(Path(folder) / "run") if options.run is None else options.run
        served = contestants(run, Path(folder))
        recordings = files(max(options.batch), options.rate)
        about = machine("ai-edge-litert", "soxr", "soundfile")
        print_machine(about)
        results = {}
        for batch in options.batch:
            given = recordings[:batch]
            apart = disagreement({name: one(given) for name, one in served.items()})
            calls = {name: lambda one=one: one(given) for name, one in served.items()}  # noqa: B023
            seconds = take_turns(calls, options.rounds)
            print(f"{batch} of {SECONDS:g} s at {options.rate} Hz a call, {options.rounds} rounds\n")
            print_table(table(seconds, apart, batch))
            results[batch] = {"seconds": seconds, "apart": apart}
    write_json(options.json, machine=about, rate=options.rate, **{f"batch {key}": one for key, one in results.items()})


def files(count, rate):
    """Recordings as WAV files' bytes, 16 bits: synthetic speech, with pauses and a range of levels as speech has."""
    from sertk.audio import read
    from sertk.corpora import load, write_synthetic

    found = []
    with tempfile.TemporaryDirectory() as folder:
        manifest = load("synthetic", write_synthetic(folder, speakers=-(-count // 7), clips=1, seconds=(3.0, 3.0)))
        for path in manifest["path"][:count]:
            clip = librosa.util.fix_length(read(path, rate), size=round(SECONDS * rate))
            file = io.BytesIO()
            soundfile.write(file, clip, rate, format="WAV", subtype="PCM_16")
            found.append(file.getvalue())
    return found


def untrained(directory):
    """A run of paper 004's parallel network with random weights, which take as long as trained ones."""
    import json

    import keras

    from sertk.models import from_waveform
    from sertk.recipes import Run, assemble, get

    recipe = get(RECIPE)
    keras.utils.set_random_seed(0)
    network = assemble.network(recipe, assemble.input_shape(recipe), len(CLASSES))
    # Fresh weights make logits of hundreds out of MFCC: one class would have all the probability.
    kernel = network.trainable_weights[-2]
    kernel.assign(0.01 * kernel)
    model = from_waveform(network, assemble.features(recipe), fixed_length=assemble.fixed_length(recipe))
    directory.mkdir(parents=True)
    model.save(directory / "model.keras")
    about = {"recipe": recipe.to_dict(), "classes": CLASSES, "corpora": ["synthetic"], "command": "none"}
    (directory / "recipe.json").write_text(json.dumps(about))
    return Run(directory)


def contestants(run, folder):
    """What is timed: functions from a list of files' bytes to probabilities, by name.

    Args:
        run: `Run`, or its folder.
        folder: Path to export to.
    """
    import tensorflow as tf

    from sertk.export import export_litert, export_saved_model
    from sertk.recipes import Run

    run = run if isinstance(run, Run) else Run.open(run)
    model, chosen = run.classifier(), run.recipe.features
    if chosen.kind != "mfcc":
        raise SystemExit(f"{run.directory}: is no run on MFCC, which librosa is compared on, but on {chosen.kind}")
    network = model.layers[-1]
    compiled = tf.function(lambda features: network(features, training=False))
    loaded = tf.saved_model.load(str(export_saved_model(run, folder / "served" / "1", warm_up=False)))
    samples = round(run.recipe.length * SR)

    def features(recordings):
        clips = [librosa.load(io.BytesIO(one), sr=SR)[0] for one in recordings]
        settings = {"n_mfcc": chosen.n_mfcc, "n_fft": chosen.n_fft, "hop_length": chosen.hop_length}
        settings |= {"n_mels": chosen.n_mels, "fmin": chosen.fmin, "fmax": chosen.fmax, "center": chosen.center}
        return np.stack(
            [librosa.feature.mfcc(y=librosa.util.fix_length(clip, size=samples), sr=SR, **settings).T for clip in clips]
        )

    def of_waveforms(recordings):
        return loaded.signatures["serving_default"](waveform=tf.constant(waveforms(recordings)))

    found = {
        BASELINE: lambda recordings: network.predict(features(recordings), verbose=0),
        "librosa, Keras compiled": lambda recordings: compiled(features(recordings)).numpy(),
        "SavedModel, files": lambda recordings: loaded.signatures["audio_bytes"](audio_bytes=tf.constant(recordings))[
            "probabilities"
        ].numpy(),
        "SavedModel, waveforms": lambda recordings: of_waveforms(recordings)["probabilities"].numpy(),
    }
    if find_spec("ai_edge_litert") is not None:
        found["LiteRT, waveforms"] = of_litert(export_litert(run, folder / "model.tflite"))
    return found


def waveforms(recordings):
    """What soundfile and soxr make of files' bytes, `(batch, samples)`."""
    decoded = [soundfile.read(io.BytesIO(one), dtype="float32") for one in recordings]
    return np.stack([clip if rate == SR else soxr.resample(clip, rate, SR) for clip, rate in decoded])


def of_litert(path):
    """A function from files' bytes to probabilities: a model on a thread a core, clip after clip."""
    import os

    from ai_edge_litert.interpreter import Interpreter

    ask = Interpreter(str(path), num_threads=os.cpu_count()).get_signature_runner()
    return lambda recordings: np.concatenate(
        [ask(waveform=clip[None])["probabilities"] for clip in waveforms(recordings)]
    )


def disagreement(answers):
    """How far each contestant's probabilities are from the baseline's at most.

    Raises:
        SystemExit: if that is above `TOLERANCE`, a shape is another, or the baseline is sure whatever it hears: a rate
            would mean nothing then.
    """
    expected, apart = answers[BASELINE], {}
    if not expected.max(axis=1).min() < SURE:
        raise SystemExit(f"{BASELINE}: gives every clip a class at {expected.max():.3f}; agreement proves nothing then")
    for name, said in answers.items():
        if said.shape != expected.shape:
            raise SystemExit(f"{name}: has the shape {said.shape}, the baseline's is {expected.shape}")
        apart[name] = float(np.abs(said - expected).max())
        if not apart[name] <= TOLERANCE:
            raise SystemExit(f"{name}: is up to {apart[name]:.2g} from the baseline; {TOLERANCE:g} is allowed")
    return apart


def table(seconds, apart, batch):
    """One row a contestant: its latency, its rate, what that is of the baseline's, and how far its answers are."""
    return [
        {
            "contestant": name,
            "p50 (ms)": 1e3 * float(np.median(times)),
            "p99 (ms)": 1e3 * float(np.percentile(times, 99)),
            "clips/s": batch / float(np.median(times)),
            "times the baseline": times_as_fast(seconds, name, BASELINE),
            "from it": apart[name],
        }
        for name, times in seconds.items()
    ]


if __name__ == "__main__":
    sys.exit(main())

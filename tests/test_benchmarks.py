"""The benchmarks run, at a size that takes seconds, and refuse to time what does not agree. No time is asserted."""

import importlib
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def benchmark_module(monkeypatch):
    """A function that imports one of the benchmarks, which find each other in their own folder."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.fixture
def features(benchmark_module, monkeypatch):
    module = benchmark_module("features")
    # A process with another backend takes long to start; the layer under JAX has tests of its own.
    monkeypatch.setattr(module, "OnJax", lambda *_: type("NotThere", (), {"is_there": False}))
    monkeypatch.setattr(module, "speech", lambda count: noise(count))
    return module


@pytest.fixture
def images(benchmark_module, monkeypatch):
    module = benchmark_module("images")
    monkeypatch.setattr(module, "speech", lambda count: noise(count))
    return module


def noise(clips):
    """Noise over 80 dB of levels, so that `top_db` cuts some off."""
    random = np.random.default_rng(0)
    return (random.standard_normal((clips, 48_000)) * np.geomspace(1, 1e-5, 48_000)).astype("float32")


@pytest.fixture
def encoders(benchmark_module, monkeypatch):
    module = benchmark_module("speech_encoders")
    monkeypatch.setattr(benchmark_module("features"), "speech", lambda count: noise(count))
    return module


@pytest.fixture
def steps(benchmark_module, monkeypatch):
    module = benchmark_module("encoder_steps")
    # Left as it was: in the benchmark it belongs to a process that ends.
    monkeypatch.setattr(module, "_step", None)
    return module


@pytest.fixture
def small_encoder(encoders):
    """The configuration of a speech encoder that takes a step in no time."""
    small = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 40, "conv_dim": [8] * 7}
    return {**encoders.settings(1), **small, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 4}


@pytest.fixture
def way(benchmark_module):
    return benchmark_module("training").Way


def test_features_are_timed_after_they_agreed(features, tmp_path, capsys):
    features.main(["--clips", "2", "--rounds", "1", "--json", str(tmp_path / "out.json")])
    told = json.loads((tmp_path / "out.json").read_text())
    for title in ("log-mel", "MFCC"):
        apart = told[title]["decibels_apart"]
        assert set(apart) == set(told[title]["seconds"]) >= {features.BASELINE, "sertk, a batch", "sertk, in tf.data"}
        assert all(difference <= 1e-3 for name, difference in apart.items() if name.startswith(("sertk", "librosa")))
    assert "keras.layers.MelSpectrogram, a batch" in told["log-mel"]["decibels_apart"]
    assert "times librosa's rate per clip" in capsys.readouterr().out


@pytest.mark.parametrize("error", [0.002, -0.002, float("nan")])
def test_features_that_disagree_with_librosa_are_not_timed(features, error):
    expected = features.of_librosa(noise(1))
    wrong = expected.copy()
    wrong[0, 50, 7] += error
    contestant = features.Contestant(lambda: wrong, expected, features.OURS, "sertk", True)
    with pytest.raises(SystemExit, match="somebody: is up to"):
        features.disagreement("somebody", contestant)


def test_features_of_another_shape_are_not_timed(features):
    expected = features.of_librosa(noise(1))
    contestant = features.Contestant(lambda: expected[:, :1], expected, features.OURS, "sertk", True)
    with pytest.raises(SystemExit, match=r"has the shape \(1, 1, 128\), librosa's is \(1, 94, 128\)"):
        features.disagreement("somebody", contestant)


def test_images_are_timed_after_they_agreed(images, tmp_path, capsys):
    out = tmp_path / "out.json"
    images.main(["--clips", "2", "--size", "60", "80", "--rounds", "1", "--json", str(out)])
    told = json.loads(out.read_text())
    apart = told["grey_levels_apart"]
    assert set(apart) == set(told["seconds"])
    assert set(apart) >= {images.IN_MEMORY, images.IN_FILES, images.FIGURES, "sertk, smooth, a batch"}
    assert all(difference < images.TOLERANCE for difference in apart.values())
    assert "2 clips of 3 s, 60 x 80 pixels" in capsys.readouterr().out


@pytest.mark.parametrize("error", [2.1, -2.1, float("nan")])
def test_images_that_disagree_with_matplotlib_are_not_timed(images, error):
    expected = np.full((1, 4, 5, 3), 100, "uint8")
    assert images.disagreement("somebody", images.Contestant(lambda: expected + 1.9, expected)) < 2
    with pytest.raises(SystemExit, match=r"somebody: is .* grey levels from imshow; 2 are allowed"):
        images.disagreement("somebody", images.Contestant(lambda: expected + error, expected))


def test_images_of_another_size_are_not_timed(images):
    expected = np.zeros((1, 4, 5, 3), "uint8")
    with pytest.raises(SystemExit, match=r"has the shape \(1, 4, 4, 3\), imshow's is \(1, 4, 5, 3\)"):
        images.disagreement("somebody", images.Contestant(lambda: expected[:, :, 1:], expected))


def test_ways_of_training_that_learn_other_things_are_not_timed(benchmark_module):
    training = benchmark_module("training")
    training.check_losses({"sertk": 1.0005, "plain Keras": 1.0})
    for loss in (1.002, 0.998, float("nan")):
        with pytest.raises(SystemExit, match="sertk: comes to a loss of"):
            training.check_losses({"sertk": loss, "plain Keras": 1.0})


def test_plain_keras_learns_what_sertk_does(benchmark_module, way, tmp_path):
    training = benchmark_module("training")
    manifest = training.corpus(tmp_path, 6)
    losses = {}
    for name, one in (("sertk", way()), ("plain Keras", way(True, "auto", True, True))):
        losses[name] = training.second_loss("one CNN", training.clips_of(manifest, tmp_path, one, 3), one)
    training.check_losses(losses)
    assert all(np.isfinite(loss) for loss in losses.values())


def test_a_training_is_timed(benchmark_module, way, tmp_path):
    training = benchmark_module("training")
    clips = training.clips_of(training.corpus(tmp_path, 4), tmp_path, way(), 2)
    assert training.trainer(training.trainable("one CNN", way()), clips.dataset, way())() > 0


def test_the_pipeline_is_timed_from_cold_and_from_warm_cache(benchmark_module, tmp_path, capsys):
    pipeline = benchmark_module("pipeline")
    out = tmp_path / "out.json"
    pipeline.main(
        ["input", "--clips", "4", "--batch", "2", "--networks", "one CNN", "--rounds", "1", "--json", str(out)]
    )
    rows = json.loads(out.read_text())["input"]
    assert [row["input"] for row in rows] == list(pipeline.INPUTS)
    assert all(
        row[rate] > 0 for row in rows for rate in ("input alone, cold", "input alone, warm", "steps alone", "both")
    )


def test_batches_at_hand_are_those_of_the_input(benchmark_module, way, tmp_path):
    pipeline, training = benchmark_module("pipeline"), benchmark_module("training")
    dataset = training.clips_of(training.corpus(tmp_path, 5), tmp_path, way(in_model=True), 2).dataset
    pairs = zip(pipeline.at_hand(dataset).as_numpy_iterator(), dataset.as_numpy_iterator(), strict=True)
    for (waveforms, labels), (expected, expected_labels) in pairs:
        np.testing.assert_array_equal(waveforms, expected)
        np.testing.assert_array_equal(labels, expected_labels)


def test_an_epoch_that_the_tuner_held_back_is_counted(benchmark_module):
    row = benchmark_module("pipeline").held_back(1.4, np.array([1.5, 2.56, 1.52]), np.array([1.5, 1.5, 1.49]))
    assert (row["held back"], row["tuned, longest (s)"], row["epoch, not tuned (s)"]) == (1, 2.56, 1.5)


def test_growth_is_measured_in_a_process_of_its_own(benchmark_module, tmp_path):
    growth = benchmark_module("growth")
    rows = growth.measure(growth.write_corpus(tmp_path, 200), 120, tmp_path)
    assert {row["clips"] for row in rows} == {120}
    assert [row["step"] for row in rows][:3] == [
        "import",
        "read the manifest, look for its files",
        "split by speaker, search for copies",
    ]
    peaks = [row["peak"] for row in rows]
    assert peaks == sorted(peaks)
    assert peaks[0] > 50  # MB: TensorFlow alone
    assert len(list((tmp_path / "growth-cache-120").rglob("*.f32"))) == 120


def test_speech_encoders_are_timed(encoders, tmp_path, capsys):
    out = tmp_path / "out.json"
    encoders.main(["--tasks", "forward", "--layers", "1", "--clips", "1", "--rounds", "1", "--json", str(out)])
    told = json.loads(out.read_text())
    peers = set(encoders.PEERS) if find_spec("torch") and find_spec("transformers") else set()
    assert {name: len(seconds) for name, seconds in told["forward"]["seconds"].items()} == dict.fromkeys(
        {"sertk"} | peers, 1
    )
    shown = capsys.readouterr().out
    assert "Forward pass: 1 clips of 3 s" in shown
    assert ("pip install 'torch>=2.6' transformers" in shown) == (not peers)


@pytest.mark.parametrize("task", ["training", "checkpointed"])
def test_speech_encoders_do_the_same_in_both_frameworks(encoders, steps, small_encoder, task, tmp_path):
    if not (find_spec("torch") and find_spec("transformers")):
        pytest.skip("pip install torch transformers to compare live")
    with encoders.Worker("transformers") as worker:
        worker.ask(steps.write_checkpoint, small_encoder, tmp_path)
    shared = (small_encoder, str(tmp_path), noise(2)[:, :4_000], *encoders.TASKS[task])
    works = {"sertk": (steps.sertk, *shared), "transformers, sdpa": (steps.transformers, *shared, "sdpa")}
    result = encoders.measure(works, 1)
    assert all(apart <= encoders.CLOSE for apart in result["apart"].values())


def test_a_training_step_of_a_speech_encoder_gives_its_loss(steps, small_encoder):
    losses = steps.start(steps.sertk, small_encoder, None, noise(2)[:, :4_000], True, True)
    assert losses.shape == (steps.LOSSES,)
    # Of seven classes that random weights can't tell apart.
    np.testing.assert_allclose(losses, np.log(7), rtol=0.5)
    seconds, processor = steps.seconds()
    assert seconds > 0
    assert processor > 0


def test_a_forward_pass_of_a_speech_encoder_gives_log_probabilities(steps, small_encoder):
    answer = steps.start(steps.sertk, small_encoder, None, noise(3)[:, :4_000], False, False)
    np.testing.assert_allclose(np.exp(answer).sum(axis=1), np.ones(3), rtol=1e-5)


@pytest.mark.parametrize("error", [0.002, -0.002, float("nan")])
def test_speech_encoders_that_disagree_are_not_timed(encoders, error):
    answers = {"sertk": np.array([1.9, 1.8]), "transformers, sdpa": np.array([1.9, 1.8005])}
    assert encoders.disagreement("sertk", answers) == pytest.approx(0.0005)
    answers["sertk"] = np.array([1.9 + error, 1.8])
    with pytest.raises(SystemExit, match=r"sertk: is .* from transformers; 0\.001 are allowed"):
        encoders.disagreement("sertk", answers)


def test_a_speech_encoder_without_a_peer_is_compared_with_none(encoders):
    assert encoders.disagreement("sertk", {"sertk": np.array([1.9])}) is None


def test_a_speech_encoder_is_compared_with_the_faster_peer(encoders):
    names = ["sertk", "transformers, eager", "transformers, sdpa"]
    result = {
        "seconds": dict(zip(names, np.array([[2.0, 2.0, 5.0], [6.0, 6.0, 6.0], [1.0, 3.0, 20.0]]), strict=True)),
        "processor_seconds": dict(zip(names, np.array([[4.0], [5.0], [6.0]]), strict=True)),
        "peak": dict.fromkeys(names, 1_000),
        "apart": dict.fromkeys(names, 1e-6),
    }
    rows = {row.pop("network"): row for row in encoders.table(result, 4)}
    assert [row["clips/s"] for row in rows.values()] == pytest.approx([2, 4 / 6, 4 / 3])
    # Within the rounds, sdpa takes 0.5, 1.5 and 4 times as long.
    assert rows["sertk"]["times transformers' faster"] == pytest.approx(1.5)
    del result["seconds"]["transformers, eager"], result["seconds"]["transformers, sdpa"]
    assert [row["times transformers' faster"] for row in encoders.table(result, 4)] == [None]


def test_a_process_that_is_ended_is_named(encoders):
    with (
        pytest.raises(SystemExit, match="somebody: its process was ended"),
        encoders.Worker("somebody") as worker,
    ):
        worker.ask(os._exit, 9)


def test_the_peak_of_memory_is_of_the_process_alone(encoders, benchmark_module):
    rounds = benchmark_module("rounds")
    held = np.ones(100_000_000, "uint8")
    with encoders.Worker("somebody") as worker:
        before = worker.ask(rounds.peak_memory)
        assert before < rounds.peak_memory() - 95
        worker.ask(len, held.tobytes())
        assert worker.ask(rounds.peak_memory) >= before + 95


def test_python_finds_its_own_ssl_beside_the_benchmarks():
    code = f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r}); import ssl; print(ssl.create_default_context())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.startswith("<ssl.SSLContext"), result.stderr


def test_contestants_take_turns_in_another_order_each_round(benchmark_module):
    rounds, ran = benchmark_module("rounds"), []
    contestants = {name: lambda name=name: ran.append(name) for name in "abcd"}
    seconds = rounds.take_turns(contestants, 6, measure=lambda contestant: contestant() or len(ran))
    orders = [tuple(ran[start : start + 4]) for start in range(0, 24, 4)]
    assert all(sorted(order) == list("abcd") for order in orders)
    assert len(set(orders)) > 1
    assert {name: len(times) for name, times in seconds.items()} == dict.fromkeys("abcd", 6)


def test_a_ratio_compares_turns_of_the_same_round(benchmark_module):
    seconds = {"fast": np.array([1.0, 10.0, 2.0]), "slow": np.array([3.0, 30.0, 8.0])}
    assert benchmark_module("rounds").times_as_fast(seconds, "fast", "slow") == 3.0


def test_a_table_is_markdown(benchmark_module, capsys):
    benchmark_module("rounds").print_table(
        [{"who": "a", "rate": 1234.4, "n": 1}, {"who": "bc", "rate": 0.5, "n": None}]
    )
    assert capsys.readouterr().out.splitlines() == [
        "| who |  rate |   n |",
        "| --- | ----: | --: |",
        "| a   | 1,234 |   1 |",
        "| bc  |  0.50 |     |",
        "",
    ]


@pytest.mark.parametrize("script", ["features.py", "training.py", "pipeline.py", "images.py", "ssl.py"])
@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--clips", "-3"]])
def test_impossible_numbers_are_refused_before_anything_is_loaded(script, arguments):
    result = subprocess.run([sys.executable, BENCHMARKS / script, *arguments], capture_output=True, text=True)
    assert result.returncode == 2
    assert f"Received: {arguments[1]}" in result.stderr


def test_an_unknown_part_is_refused(benchmark_module, capsys):
    with pytest.raises(SystemExit):
        benchmark_module("pipeline").main(["outputs"])
    assert "PART must be one of input, tuner, growth. Received: outputs" in capsys.readouterr().err


@pytest.fixture
def graphs(benchmark_module):
    return benchmark_module("graphs")


def test_graphs_are_timed_after_they_agreed(graphs, tmp_path, capsys):
    out = tmp_path / "out.json"
    graphs.main(["--clips", "60", "--channels", "16", "--sizes", "50", "--rounds", "1", "--json", str(out)])
    told = json.loads(out.read_text())
    assert told["edges"][graphs.OURS] == told["edges"][graphs.THEIRS] > 0
    assert {name: len(times) for name, times in told["seconds"].items()} == dict.fromkeys(told["edges"], 1)
    (row,) = told["sizes"]
    assert (row["clips"], row["edges"] > 0, row["peak memory (MB)"] > 0) == (50, True, True)
    assert "60 clips of 16 channels" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ours", "hashed", "message"),
    [
        ({("a", "c"): 0.995}, {}, "sertk: has 1 edges, NSL 1; 2 are not the other's"),
        ({("a", "b"): 0.995002}, {}, "sertk: a weight is 2e-06 from NSL's"),
        ({("a", "b"): 0.995}, {("a", "c"): 0.995}, "NSL, hashing as published: has edges that are none"),
    ],
)
def test_graphs_that_disagree_are_not_timed(graphs, ours, hashed, message):
    found = {graphs.OURS: ours, graphs.THEIRS: {("a", "b"): 0.995}, graphs.HASHED: hashed}
    with pytest.raises(SystemExit, match=message):
        graphs.check(found)


def test_serving_is_timed_after_it_agreed(benchmark_module, tmp_path, capsys):
    serving = benchmark_module("serving")
    serving.main(["--batch", "1", "2", "--rounds", "1", "--json", str(tmp_path / "out.json")])
    told = json.loads((tmp_path / "out.json").read_text())
    for batch in ("batch 1", "batch 2"):
        assert set(told[batch]["apart"]) == set(told[batch]["seconds"]) >= {serving.BASELINE, "SavedModel, files"}
        assert all(apart <= serving.TOLERANCE for apart in told[batch]["apart"].values())
    assert "p99 (ms)" in capsys.readouterr().out


@pytest.mark.parametrize("error", [0.0012, float("nan")])
def test_what_is_served_otherwise_is_not_timed(benchmark_module, error):
    serving = benchmark_module("serving")
    said = np.full((2, 4), 0.25, "float32")
    assert serving.disagreement({serving.BASELINE: said, "somebody": said + 0.0008}).keys()
    with pytest.raises(SystemExit, match=r"somebody: is up to .* from the baseline"):
        serving.disagreement({serving.BASELINE: said, "somebody": said + error})
    with pytest.raises(SystemExit, match=r"somebody: has the shape \(1, 4\), the baseline's is \(2, 4\)"):
        serving.disagreement({serving.BASELINE: said, "somebody": said[:1]})
    sure = np.array([[1.0, 0.0]] * 2, "float32")
    with pytest.raises(SystemExit, match=r"gives every clip a class at 1.000; agreement proves nothing"):
        serving.disagreement({serving.BASELINE: sure, "somebody": sure})

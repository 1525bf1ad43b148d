"""The command line as a user meets it: what it prints, where, and with which status."""

import json
import subprocess
import sys
from unittest import mock

import pytest

from sertk.recipes import RECIPES

COMMANDS = (
    "recipes",
    "train",
    "evaluate",
    "predict",
    "listen",
    "images",
    "embed",
    "ensemble",
    "graph",
    "compare",
    "sensitivity",
    "export",
    "quickstart",
)


def test_installed_command_and_its_help():
    result = subprocess.run([sys.executable, "-m", "sertk.cli", "--help"], capture_output=True, text=True, check=True)
    for command in COMMANDS:
        assert f"  {command} " in result.stdout


def test_no_command_gives_the_help(sertk):
    assert sertk() == sertk("--help")
    assert sertk()[0] == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(sertk, command):
    status, out, _ = sertk(command, "--help")
    assert status == 0
    assert out.startswith(f"Usage: sertk {command}")


def test_recipes_are_listed_with_paper_and_table(sertk):
    status, out, _ = sertk("recipes")
    assert status == 0
    for recipe in RECIPES.values():
        (line,) = [line for line in out.splitlines() if line.startswith(f"{recipe.name} ")]
        assert recipe.source in line


def test_a_recipe_shows_every_setting_and_its_json_is_the_recipe(sertk):
    assert "  training.learning_rate = 0.01" in sertk("recipes", "004-cnn-mfcc")[1].splitlines()
    assert json.loads(sertk("recipes", "004-cnn-mfcc", "--json")[1]) == RECIPES["004-cnn-mfcc"].to_dict()
    assert len(json.loads(sertk("recipes", "--json")[1])) == len(RECIPES)


def test_train_evaluate_export_predict(sertk, tiny_corpus, small, cache, tmp_path):
    corpus = tiny_corpus["path"][0].rsplit("/", 2)[0]
    run, saved_model = tmp_path / "run", tmp_path / "saved" / "1"
    settings = [part for key, value in small.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    arguments = ("train", "004-cnn-mfcc", "--corpus", f"synthetic={corpus}", "-o", run, "--cache", cache, *settings)
    status, out, _ = sertk(*arguments)
    assert status == 0
    assert "Best epoch" in out
    assert f"sertk evaluate {run}" in out
    assert json.loads((run / "recipe.json").read_text())["command"].startswith("sertk train 004-cnn-mfcc --corpus")

    status, out, _ = sertk("evaluate", run, "--cache", cache)
    assert status == 0
    assert "chance is 14.3%" in out
    assert (run / "report" / "report.md").is_file()
    metrics = json.loads(sertk("evaluate", run, "--json", "--cache", cache)[1])
    assert f"accuracy {metrics['accuracy']:.1%}" in out

    status, out, _ = sertk("export", run, "-o", saved_model, "--max-seconds", 30, "--no-warm-up")
    assert status == 0
    assert "takes WAV files (audio_bytes) and waveforms, float32 (batch, samples), of up to 30 s" in out
    assert [path.name for path in (saved_model / "assets.extra").iterdir()] == ["sertk.json"]
    clip = tiny_corpus["path"][0]
    status, out, _ = sertk("predict", saved_model, clip)
    assert status == 0
    assert out.splitlines()[1].startswith(clip)
    (answer,) = json.loads(sertk("predict", run, clip, "--json")[1])
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert answer["predicted"] == max(answer["probabilities"], key=answer["probabilities"].get)
    assert answer["predicted"] in out


@pytest.mark.slow
def test_images_and_a_run_on_chunks_of_them(sertk, tiny_corpus, cache, tmp_path):
    """Figures a chunk and a clip, one example image an emotion, and no advice to average where that is done already."""
    corpus = tiny_corpus["path"][0].rsplit("/", 2)[0]
    settings = {
        "labels": "seven",
        "split.kind": "speaker",
        "chunks.counts": [35, 14, 14],
        "features.height": 32,
        "features.width": 32,
        "model.weights": None,
        "training.epochs": 1,
    }
    arguments = [part for key, value in settings.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    arguments = ["--corpus", f"synthetic={corpus}", "--cache", cache, *arguments]
    status, out, _ = sertk("images", "001-squeezenet", "-o", tmp_path / "images", *arguments)
    assert status == 0
    assert f"63 images (9 angry, 9 disgust, 9 fear, 9 happy, 9 neutral, 9 sad, 9 surprise) are in {tmp_path}" in out
    assert len(list((tmp_path / "images" / "sad").glob("*.png"))) == 9

    assert sertk("train", "001-squeezenet", "-o", tmp_path / "run", *arguments)[0] == 0
    assert len(list((tmp_path / "run" / "examples").glob("*.png"))) == 7
    out = sertk("evaluate", tmp_path / "run", "--cache", cache)[1].splitlines()
    assert "on 14 chunks; chance is 14.3%" in out[0]
    assert out[1].startswith("By clip: UAR ")
    status, out, err = sertk("predict", tmp_path / "run", tiny_corpus["path"][0])
    assert (status, err) == (0, "")


def test_none_is_a_word_and_null_is_nothing(sertk, tiny_corpus, cache, tmp_path):
    """`sertk recipes` shows `model.trainable = "none"`; who types it back must get it."""
    corpus = tiny_corpus["path"][0].rsplit("/", 2)[0]
    settings = ["model.trainable=none", "model.weights=null", "training.patience=None", "model.backbone=squeezenet"]
    settings += ["features.height=32", "features.width=32", "training.epochs=1", "training.retrain=false"]
    arguments = [word for setting in settings for word in ("-s", setting)]
    arguments = ("-c", f"synthetic={corpus}", "--cache", cache, "-o", tmp_path / "run", *arguments)
    assert sertk("train", "004-vgg16-1", *arguments)[0] == 0
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())["recipe"]
    assert (recipe["model"]["options"]["trainable"], recipe["model"]["options"]["weights"]) == ("none", None)
    assert recipe["training"]["patience"] is None


def test_images_of_a_recipe_without_images(sertk, one_line, tiny_corpus, cache, tmp_path):
    corpus = tiny_corpus["path"][0].rsplit("/", 2)[0]
    arguments = ("--corpus", f"synthetic={corpus}", "--cache", cache, "-o", tmp_path)
    one_line(sertk("images", "004-cnn-mfcc", *arguments), "`recipe` must have images for features")


@pytest.mark.slow
def test_cross_validation_is_one_option_of_train(sertk, tiny_corpus, small, cache, tmp_path):
    """Named by its kind, or by a table of folds; validation figures after training, test figures from `evaluate`."""
    corpus = tiny_corpus["path"][0].rsplit("/", 2)[0]
    folds = tmp_path / "folds.csv"
    speakers = sorted(set(tiny_corpus["speaker"]))
    folds.write_text("speaker,fold\n" + "".join(f"{speaker},{n % 2 + 1}\n" for n, speaker in enumerate(speakers)))
    settings = {**small, "training.epochs": 1, "split.validation": 1}
    del settings["split.kind"]
    arguments = ["train", "004-cnn-mfcc", "-c", f"synthetic={corpus}", "--cache", cache, "--split", folds]
    arguments += [word for key, value in settings.items() for word in ("-s", f"{key}={json.dumps(value)}")]
    status, out, _ = sertk(*arguments, "-o", tmp_path / "run")
    assert status == 0
    assert out.index("fold-1 (1/2)") < out.index("fold-2 (2/2)") < out.index("2 folds, the best epoch of each")
    assert "mean and standard deviation" in out
    assert "sertk export" not in out

    status, out, _ = sertk("evaluate", tmp_path / "run", "--cache", cache)
    assert status == 0
    first, second, both, *_ = out.splitlines()
    assert (first[:6], second[:6]) == ("fold-1", "fold-2")
    metrics = json.loads((tmp_path / "run" / "report" / "metrics.json").read_text())["metrics"]
    mean, sd = (metrics["folds"]["uar"][name] for name in ("mean", "sd"))
    assert both.startswith(f"UAR {mean:.1%} ± {sd:.1%}, accuracy")


def test_predict_lists_bad_files_and_goes_on_where_asked(sertk, finished_run, tiny_corpus, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_text("not audio")
    status, out, err = sertk("predict", finished_run.directory, broken, tiny_corpus["path"][0], "--skip-bad", "--json")
    assert status == 0
    (answer,) = json.loads(out)
    assert answer["path"] == tiny_corpus["path"][0]
    assert err.startswith(f"sertk: left out {broken}: can't be decoded as audio")


def test_a_long_recording_gets_a_hint(sertk, finished_run, tmp_path):
    import numpy as np
    import soundfile

    soundfile.write(tmp_path / "long.wav", np.zeros(16_000 * 5), 16_000)
    status, _, err = sertk("predict", finished_run.directory, tmp_path / "long.wav")
    assert status == 0
    assert "--windows averages over the whole" in err
    assert sertk("predict", finished_run.directory, tmp_path / "long.wav", "--windows")[2] == ""


def test_slips_end_in_one_line_and_status_1(sertk, one_line, finished_run, tmp_path):
    clip = tmp_path / "broken.wav"
    clip.write_text("not audio")
    corpus = f"folders={tmp_path}"
    one_line(sertk("recipes", "nope"), "There is no recipe 'nope'")
    one_line(sertk("train", "nope", "-c", corpus, "-o", tmp_path / "r"), "There is no recipe 'nope'; choose one of")
    one_line(sertk("train", "004-cnn-mfcc", "-c", "ravdess", "-o", tmp_path / "r"), "must be NAME=DIR")
    one_line(sertk("train", "004-cnn-mfcc", "-c", f"ravdes={tmp_path}", "-o", tmp_path / "r"), "ravdes")
    one_line(sertk("train", "004-cnn-mfcc", "-c", "ravdess=/no/such", "-o", tmp_path / "r"), "/no/such")
    one_line(sertk("train", "004-cnn-mfcc", "-c", corpus, "-o", "r", "-s", "epochs"), "must be KEY=VALUE")
    one_line(sertk("train", "004-cnn-mfcc", "-c", corpus, "-o", "r", "-s", "epoch=1"), "did you mean")
    both = ("--split", "random", "-s", "split.kind=speaker")
    one_line(sertk("train", "004-cnn-mfcc", "-c", "csv=/no/such", "-o", "r", *both), "say the same; give one of them")
    one_line(sertk("train", "004-cnn-mfcc", "-c", "csv=/no/such", "-o", "r", "--split", "rnd"), "`kind` must be one of")
    one_line(sertk("evaluate", tmp_path / "nowhere"), "there is no such run folder")
    one_line(sertk("evaluate", tmp_path), "holds no run")
    one_line(sertk("evaluate", finished_run.directory, "--part", "train"), '`part` must be "test" or "validation"')
    one_line(sertk("predict", tmp_path, clip), "is neither a run")
    one_line(sertk("predict", finished_run.directory, clip), "broken.wav: can't be decoded as audio")
    one_line(sertk("predict", finished_run.directory, clip, "--skip-bad"), "1 that can't, the first", "broken.wav")
    long = finished_run.split["path"].iloc[0]
    one_line(sertk("predict", finished_run.directory, long, "--max-seconds", 0.1), "is longer than `max_seconds`")
    one_line(sertk("predict", finished_run.directory, tmp_path / "gone.wav"), "there is no such file")
    one_line(sertk("export", tmp_path / "nowhere", "-o", tmp_path / "1"), "there is no such run folder")
    one_line(sertk("export", finished_run.directory, "-o", tmp_path / "1", "--max-seconds", 0), "`max_seconds` must be")


def test_usage_errors_name_the_option_and_end_with_status_2(sertk):
    for arguments, words in (
        (("train", "004-cnn-mfcc"), "Missing option '--corpus' / '-c'. `sertk train --help` tells more"),
        (("tain",), "No such command 'tain'."),
        (("evaluate", "run", "--prat", "test"), "No such option: --prat"),
        (("predict",), "Missing argument"),
    ):
        status, out, err = sertk(*arguments)
        assert status == 2
        assert out == ""
        (line,) = err.strip().splitlines()
        assert line.startswith("sertk: ")
        assert words in line


def test_an_interruption_is_told_in_one_line(sertk, monkeypatch, tmp_path):
    monkeypatch.setattr("sertk.corpora.load", mock.Mock(side_effect=KeyboardInterrupt))
    status, out, err = sertk("train", "004-cnn-mfcc", "-c", f"ravdess={tmp_path}", "-o", tmp_path / "run")
    assert (status, out) == (130, "")
    assert err == "sertk: interrupted; the same command goes on with what is unfinished\n"


def test_an_interruption_promises_nothing_where_nothing_is_kept(sertk, monkeypatch, tmp_path):
    monkeypatch.setattr("sertk.inference.Predictor", mock.Mock(side_effect=KeyboardInterrupt))
    status, out, err = sertk("predict", tmp_path, tmp_path / "x.wav", "--skip-bad")
    assert (status, out, err) == (130, "", "sertk: interrupted; the same command begins anew\n")


def test_unexpected_errors_are_one_line_too_unless_asked_for(sertk, one_line, monkeypatch):
    def burst(*_):
        raise RuntimeError("the pipe burst\n  at a joint\n  in the cellar")

    monkeypatch.setattr("sertk.recipes.book.get", burst)
    one_line(sertk("recipes", "x"), "RuntimeError: the pipe burst (SERTK_DEBUG=1 shows where)")
    monkeypatch.setenv("SERTK_DEBUG", "1")
    with pytest.raises(RuntimeError, match="in the cellar"):
        sertk("recipes", "x")

"""What every test may use: real speech where it is at hand."""

import os
from pathlib import Path

import pytest

BESIDE_THE_PROJECT = Path(__file__).resolve().parents[2] / "shared" / "corpora"


@pytest.fixture(scope="session")
def corpora_dir():
    """The folder of real corpora: `SERTK_CORPORA`, or `../shared/corpora`; skips where there is none."""
    folder = Path(os.environ.get("SERTK_CORPORA", BESIDE_THE_PROJECT))
    if not folder.is_dir():
        pytest.skip("no real corpora at hand: set SERTK_CORPORA to a folder that holds ravdess-16k")
    return folder


@pytest.fixture(scope="session")
def ravdess_dir(corpora_dir):
    """All 1,440 RAVDESS speech clips at 16 kHz; skips where they are not at hand."""
    folder = corpora_dir / "ravdess-16k"
    if not folder.is_dir():
        pytest.skip(f"no RAVDESS at {folder}")
    return folder


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory):
    """The manifest of a synthetic corpus of 6 speakers, 7 emotions and 2 clips each: 84 clips of about a second."""
    from sertk.corpora import load, write_synthetic

    directory = write_synthetic(tmp_path_factory.mktemp("tiny"), speakers=6, clips=2, seconds=(0.8, 1.2))
    return load("synthetic", directory)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """One folder of decoded waveforms for the whole session."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def small():
    """Settings that make any recipe train in seconds."""
    return {
        "split.kind": "speaker",
        "split.fractions": [0.5, 0.25, 0.25],
        "audio.seconds": 1.0,
        "features.n_mels": 32,
        "features.n_mfcc": 32,
        "features.normalize": True,
        "training.epochs": 2,
        "training.learning_rate": 1e-3,
    }


@pytest.fixture(scope="session")
def small_simclr():
    """Settings that make paper 000's recipes train in seconds: the one CNN on 64 bands, some thousand weights."""
    return {
        "model.builder": "cnn",
        "model.batch_norm": "channels",
        "audio.seconds": 1.1,
        "training.epochs": 1,
        "training.batch_size": 16,
        "labels": None,
        "split.kind": "speaker",
        "split.fractions": [0.5, 0.25, 0.25],
    }


@pytest.fixture(scope="session")
def finished_run(tiny_corpus, cache, small, tmp_path_factory):
    """A run of the one CNN on the tiny corpus, trained for two epochs."""
    import sertk

    directory = tmp_path_factory.mktemp("runs") / "finished"
    return sertk.train("004-cnn-mfcc", tiny_corpus, directory, changes=small, cache=cache, verbose=0)


@pytest.fixture(scope="session")
def tiny_encoder():
    """The configuration of a speech encoder with layer norm: wav2vec 2.0's convolutions, narrow, under two layers."""
    return {
        "model_type": "wav2vec2",
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "conv_dim": [8] * 7,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 4,
        "feat_extract_norm": "layer",
        "do_stable_layer_norm": True,
    }


@pytest.fixture(scope="module")
def eagerly():
    """Trains and predicts without graphs, for modules that are about runs and not about what Keras does.

    To trace the steps takes most of the time of a run that has just some of them.
    """
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def write_run():
    """A function that writes a run that was measured, as far as a comparison looks into it; returns its folder.

    Of `clips` clips a part (of folds each), sad and happy by turns, all are recognised but the first `wrong`: an int, a
    list of them for `folds`, or a dict of these by part. Five times as many clips are its training part.
    """
    import json

    import pandas as pd

    from sertk.evaluation import predictions_table, save_predictions
    from sertk.recipes import RECIPES, override

    classes = ["happy", "sad"]

    def said(name, clips, wrong):
        emotions = ["sad" if i % 2 == 0 else "happy" for i in range(clips)]
        manifest = {"path": [f"/{name}-{i}.wav" for i in range(clips)], "emotion": emotions, "corpus": "own"}
        sad = [0.8 if (word == "sad") == (i >= wrong) else 0.2 for i, word in enumerate(emotions)]
        return predictions_table(pd.DataFrame(manifest), [[1 - p, p] for p in sad], classes)

    def write(directory, wrong, changes=None, *, clips=20, folds=(), parts=("test",), corpus="c"):
        recipe = override(RECIPES["004-cnn-mfcc"], changes or {}).to_dict()
        about = {"recipe": recipe, "classes": classes, "corpora": ["own"], "command": "sertk train ..."}
        tables = {part: [] for part in parts}
        for number, fold in enumerate(folds or [""]):
            (directory / fold).mkdir(parents=True)
            (directory / fold / "model.keras").touch()
            (directory / fold / "recipe.json").write_text(json.dumps(about))
            train = pd.DataFrame({"path": [f"/{fold}{i}.wav" for i in range(5 * clips)], "emotion": "sad"})
            split = [train.assign(part="train")]
            for part in parts:
                count = wrong[part] if isinstance(wrong, dict) else wrong
                count = count[number] if folds else count
                tables[part].append(
                    said(f"{corpus}{fold}{part}", clips, count).assign(**{"fold": fold} if folds else {})
                )
                split.append(tables[part][-1][["path", "emotion"]].assign(part=part))
            pd.concat(split).to_csv(directory / fold / "split.csv", index=False)
        if folds:
            (directory / "recipe.json").write_text(json.dumps(about | {"folds": list(folds)}))
        for part, there in tables.items():
            report = directory / ("report" if part == "test" else f"report-{part}")
            save_predictions(pd.concat(there, ignore_index=True), report / "predictions.csv")
        return directory

    return write


@pytest.fixture
def check_layer(tmp_path):
    """A function that proves a layer in every place where it will run, and returns its output for `inputs`.

    Called directly, one by one, rebuilt from its configuration, compiled by XLA, in a model of any batch and length, in
    that model saved and loaded in safe mode, and inside `tf.data`: numbers, shape and dtype must be the same.
    """
    import json

    import keras
    import numpy as np
    import tensorflow as tf

    def check(layer, inputs, *, atol=1e-5, length_axis=1):
        expected = keras.ops.convert_to_numpy(layer(inputs))

        def same(outputs):
            outputs = keras.ops.convert_to_numpy(outputs)
            assert outputs.dtype == expected.dtype
            np.testing.assert_allclose(outputs, expected, atol=atol, rtol=1e-5)

        same(np.concatenate([layer(inputs[i : i + 1]) for i in range(len(inputs))]))
        described = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        rebuilt = keras.saving.deserialize_keras_object(described)
        assert rebuilt.get_config() == layer.get_config()
        if not layer.weights:
            same(rebuilt(inputs))
        same(tf.function(layer, jit_compile=True)(inputs))

        any_length = list(inputs.shape[1:])
        any_length[length_axis - 1] = None
        assert layer.compute_output_shape(inputs.shape) == expected.shape
        model = keras.Sequential([keras.Input(any_length), layer])
        same(model(inputs))
        model.save(tmp_path / "layer.keras")
        loaded = keras.saving.load_model(tmp_path / "layer.keras", safe_mode=True)
        same(loaded(inputs))

        batches = tf.data.Dataset.from_tensor_slices(inputs).batch(len(inputs) - 1).map(layer)
        same(np.concatenate(list(batches)))
        return expected

    return check

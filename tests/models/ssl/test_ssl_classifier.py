"""Classifiers on speech transformers: the papers' counts, transformers' own head, what learns and what stays."""

import importlib
import json

import keras
import numpy as np
import pytest

from sertk.models import load, ssl_classifier, until, with_hidden_states, with_lengths, without_lengths
from sertk.models.without_values import without_values

TINY = {
    "model_type": "wav2vec2",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 4,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "classifier_proj_size": 12,
}
# Keras's remark on attention over a single frame, which is meant here.
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis")

LENGTHS = np.array([4_000, 2_000, 400], "int32")
HEADS = ("linear", "two_layer", "projection")


def waveforms(samples=4_000, seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal((3, samples)).astype("float32")


def labels(classes=3):
    return np.eye(classes, dtype="float32")[[0, 1, 2]]


def small(**options):
    return ssl_classifier(**{"num_classes": 3, "backbone": TINY, "seed": 0} | options)


def numbers(outputs):
    return keras.ops.convert_to_numpy(outputs)


def compiled(model, rate=1e-3):
    model.compile(keras.optimizers.Adam(rate), loss="categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    return model


def counted(**options):
    """The parameters of a classifier that is built without values."""
    model = without_values(lambda: ssl_classifier(**options))
    return tuple(
        sum(int(np.prod(weight.shape)) for weight in weights) for weights in (model.weights, model.trainable_weights)
    )


def test_has_the_parameters_of_paper_004():
    """94,377,095 in its table; the feature encoder's by hand: 5,120 + 4 x 786,432 + 2 x 524,288 and a norm of 1,024."""
    assert counted() == (94_377_095, 94_377_095)
    assert counted(freeze_feature_encoder=True) == (94_377_095, 94_377_095 - 4_200_448)
    assert counted(trainable=False) == (94_377_095, 768 * 7 + 7)


def test_has_the_parameters_of_the_two_layer_heads(golden):
    """Of 256 units, as paper 003's FC1; transformers' own classifier has as many."""
    expected = 94_371_712 + 768 * 256 + 256 + 256 * 7 + 7
    assert counted(head="two_layer")[0] == counted(head="projection")[0] == expected
    assert golden["parameters_with_classifier"] == expected
    assert counted(head="two_layer", units=64)[0] == 94_371_712 + 768 * 64 + 64 + 64 * 7 + 7


@pytest.mark.parametrize("form", ["wav2vec2-base", "wav2vec2-large", "hubert-large"])
def test_probabilities_are_those_of_transformers_classifier(form, script, golden, drawn, fill):
    """On a padded batch, through the projection, the mean over the valid frames, and the classifier."""
    config = script.networks()[form]
    model = ssl_classifier(num_classes=script.CLASSES, backbone=config, head="projection", padded=True)
    fill(model, drawn(form))
    for layer, name, shape in (("projector", "projector", (256, 16)), ("logits", "classifier", (script.CLASSES, 256))):
        kernel, bias = (script.draw(f"{name}.{part}", of) for part, of in (("weight", shape), ("bias", shape[:1])))
        model.get_layer(layer).set_weights([kernel.T, bias])
    inputs = {"waveform": script.clips(), "lengths": np.array(script.LENGTHS)}
    np.testing.assert_allclose(numbers(until(model, "logits")(inputs)), golden[f"{form}/logits"], atol=2e-5)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("pooling", ["mean", "sum", "max"])
def test_a_clip_has_the_same_probabilities_alone_and_padded(head, pooling):
    whole = small(head=head, pooling=pooling)
    together = numbers(with_lengths(whole)([waveforms(), LENGTHS]))
    np.testing.assert_allclose(together.sum(axis=1), 1, rtol=1e-5)
    for clip, length in enumerate(LENGTHS):
        alone = numbers(whole(waveforms()[clip : clip + 1, :length]))[0]
        np.testing.assert_allclose(together[clip], alone, atol=1e-4)


def test_the_embedding_is_the_time_average_of_the_layer_before_it():
    model = small(head="two_layer", units=10, padded=True)
    inputs = {"waveform": waveforms(), "lengths": LENGTHS}
    frames, embedding = (numbers(until(model, layer)(inputs)) for layer in ("fc1", "embedding"))
    assert frames.shape == (3, 12, 10)
    expected = [frames[clip, :count].mean(axis=0) for clip, count in enumerate((12, 6, 1))]
    np.testing.assert_allclose(embedding, expected, atol=1e-6)


@pytest.mark.parametrize("head", HEADS)
def test_saved_and_loaded_it_gives_the_same_numbers_in_both_forms(head, tmp_path):
    model = small(head=head, dropout=0.2, freeze_feature_encoder=True, gradient_checkpointing=True)
    model.save(tmp_path / "model.keras")
    loaded = load(tmp_path / "model.keras")
    assert loaded.to_json() == model.to_json()
    assert len(loaded.trainable_weights) == len(model.trainable_weights) < len(model.weights)
    np.testing.assert_array_equal(numbers(loaded(waveforms())), numbers(model(waveforms())))
    padded = with_lengths(loaded)
    inputs = [waveforms(), LENGTHS]
    np.testing.assert_array_equal(numbers(padded(inputs)), numbers(with_lengths(model)(inputs)))
    padded.save(tmp_path / "padded.keras")
    again = without_lengths(load(tmp_path / "padded.keras"))
    np.testing.assert_array_equal(numbers(again(waveforms())), numbers(model(waveforms())))
    assert len(with_hidden_states(again)(waveforms())) == 3


@pytest.mark.parametrize(
    ("options", "learns"),
    [
        ({}, lambda name: True),
        ({"freeze_feature_encoder": True}, lambda name: not name.startswith("feature_encoder")),
        ({"trainable": False}, lambda name: name.startswith("logits")),
    ],
    ids=["all", "feature encoder frozen", "encoder frozen"],
)
def test_a_step_moves_what_learns_and_nothing_else(options, learns):
    """With masks on, so that the vector in their place learns too, and dropout and recomputation as in fine-tuning."""
    backbone = TINY | {"num_hidden_layers": 1}
    model = compiled(small(backbone=backbone, padded=True, gradient_checkpointing=True, layer_drop=0.0, **options))
    before = {weight.path: numbers(weight) for weight in model.weights}
    losses = [float(model.train_on_batch([waveforms(), LENGTHS], labels())) for _ in range(2)]
    assert np.isfinite(losses).all()
    for weight in model.weights:
        # The keys' bias moves all scores of a frame alike, so that the softmax has no gradient for it.
        if "key/bias" not in weight.path:
            assert (numbers(weight) != before[weight.path]).any() == learns(weight.path), weight.path


def test_it_learns():
    """Three clips that differ by their pitch, told apart after some steps; from a dict of inputs, as pipelines give."""
    keras.utils.set_random_seed(0)
    backbone = TINY | {"num_hidden_layers": 1}
    model = compiled(small(backbone=backbone, padded=True, spec_augment=False, layer_drop=0.0), 1e-2)
    time = np.arange(4_000) / 16_000
    tones = np.stack([np.sin(2 * np.pi * pitch * time) for pitch in (200, 800, 3_000)]).astype("float32")
    inputs = {"waveform": tones, "lengths": np.array([4_000, 3_000, 2_000], "int32")}
    losses = [float(model.train_on_batch(inputs, labels())) for _ in range(40)]
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.slow
def test_mixed_precision_learns_and_answers_in_float32():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = small(backbone=TINY | {"num_hidden_layers": 1}, padded=True, gradient_checkpointing=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("encoder").compute_dtype == "float16"
    probabilities = model([waveforms(), LENGTHS])
    assert keras.backend.standardize_dtype(probabilities.dtype) == "float32"
    np.testing.assert_allclose(numbers(probabilities).sum(axis=1), 1, rtol=1e-5)
    compiled(model)
    losses = [float(model.train_on_batch([waveforms(), LENGTHS], labels())) for _ in range(3)]
    assert np.isfinite(losses).all()
    assert all(np.isfinite(numbers(weight)).all() for weight in model.weights)


def test_the_seed_tells_dropout_masks_and_layer_drop():
    def answers(seed):
        keras.utils.set_random_seed(0)
        model = small(seed=seed, dropout=0.3, layer_drop=0.3)
        return np.stack([numbers(model(waveforms(), training=True)) for _ in range(2)])

    first, same, other = map(answers, (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert abs(first - other).max() > 1e-3
    assert abs(first[0] - first[1]).max() > 1e-3


def test_masks_and_dropped_layers_come_by_the_arguments():
    quiet = dict.fromkeys(("hidden_dropout", "attention_dropout", "activation_dropout"), 0.0)

    def differs(**options):
        model = small(backbone=TINY | quiet, **options)
        return abs(numbers(model(waveforms(), training=True)) - numbers(model(waveforms()))).max() > 1e-4

    assert not differs(spec_augment=False, layer_drop=0.0)
    assert differs(layer_drop=0.0)
    assert differs(spec_augment=False, layer_drop=0.9)


def test_a_fixed_length_is_kept():
    model = small(input_shape=(4_000,))
    assert model.input_shape == (None, 4_000)
    assert with_lengths(model).input_shape == [(None, 4_000), (None,)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_shape": 4_000}, r"`input_shape` must be \(samples,\), .* Received: input_shape=4000"),
        ({"input_shape": (94, 128)}, r"`input_shape` must be \(samples,\), .* Received: input_shape=\(94, 128\)"),
        ({"input_shape": (0,)}, r"`input_shape` must be a positive integer\. Received: input_shape=0"),
        ({"input_shape": (399,)}, r"Clips must have at least 400 samples, the receptive field\. Received: 399"),
        ({"num_classes": 1}, r"`num_classes` must be an integer of at least 2\. Received: num_classes=1"),
        ({"head": "deep"}, r"`head` must be one of linear, two_layer, projection\. Received: head='deep'"),
        ({"pooling": "median"}, r"`pooling` must be one of mean, sum, max\. Received: pooling='median'"),
        ({"units": 0, "head": "two_layer"}, r"`units` must be a positive integer\. Received: units=0"),
        ({"dropout": 1.0}, r"`dropout` must be a share, at least 0 and below 1\. Received: dropout=1.0"),
        ({"layer_drop": -0.1}, r"`layer_drop` must be a share, .* Received: layer_drop=-0.1"),
        ({"backbone": "wavlm"}, r"`backbone` must be one of facebook/wav2vec2-base, .* Received: backbone='wavlm'"),
        ({"backbone": TINY | {"model_type": "wavlm"}}, r"`model_type` must be one of .* Received: model_type='wavlm'"),
        ({"weights": "pretrained"}, r"`weights` must be the folder of a checkpoint, .* of the type dict"),
    ],
    ids=str,
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        small(backbone=tmp_path / "nowhere")
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    with pytest.raises(ValueError, match="holds no checkpoint"):
        small(backbone=tmp_path, weights="pretrained")


def test_the_weights_of_a_folder_are_taken(script, golden, drawn, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    config = script.networks()["wav2vec2-large"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    safetensors.save_file(drawn("wav2vec2-large"), tmp_path / "model.safetensors")
    expected = golden["wav2vec2-large/whole"][-1].mean(axis=1)
    for options in (
        {"backbone": tmp_path, "weights": "pretrained"},
        {"backbone": tmp_path / "config.json", "weights": "pretrained"},
        {"backbone": config, "weights": tmp_path},
    ):
        model = ssl_classifier(**options, trainable=False)
        np.testing.assert_allclose(numbers(until(model, "embedding")(script.clips())), expected, atol=1e-5)


def test_a_published_name_is_built_as_its_checkpoint_says(script, drawn, tmp_path, monkeypatch):
    """Not as the table here does, where that may be wrong: this checkpoint is a small one under another's name."""
    safetensors = pytest.importorskip("safetensors.numpy")
    (tmp_path / "config.json").write_text(json.dumps(script.networks()["wav2vec2-large"]))
    safetensors.save_file(drawn("wav2vec2-large"), tmp_path / "model.safetensors")
    for module in ("sertk.models.ssl_classifier", "sertk.models.ssl.pretrained"):
        monkeypatch.setattr(importlib.import_module(module), "checkpoint_folder", lambda *_: tmp_path)
    model = ssl_classifier(backbone="facebook/wav2vec2-base", weights="pretrained")
    assert until(model, "embedding").output_shape == (None, 16)

"""Published weights in a speech encoder: transformers' own numbers from its own folders, and what is refused."""

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from sertk.models.ssl.encoder import ssl_encoder
from sertk.models.ssl.names import checkpoint_variables
from sertk.models.ssl.pretrained import from_pretrained, load_pretrained

safetensors = pytest.importorskip("safetensors.numpy")

HERE = Path(__file__).parent
SCRIPT = runpy.run_path(str(HERE / "golden" / "make_checkpoints.py"))
FOLDERS, CHECKPOINTS = SCRIPT["FOLDERS"], list(SCRIPT["CHECKPOINTS"])
POSITIONAL = "encoder.pos_conv_embed.conv.parametrizations.weight.original"


@pytest.fixture(scope="module")
def golden():
    """What transformers answered, by folder."""
    return dict(np.load(FOLDERS / SCRIPT["OUTPUTS"]))


@pytest.fixture
def changed(tmp_path):
    """A function that copies a folder with other tensors, None for one to leave out, and other settings."""

    def copy(name, tensors=None, **settings):
        folder = shutil.copytree(FOLDERS / name, tmp_path / name)
        held = safetensors.load_file(folder / "model.safetensors") | (tensors or {})
        held = {key: tensor for key, tensor in held.items() if tensor is not None}
        safetensors.save_file(held, folder / "model.safetensors")
        config = json.loads((folder / "config.json").read_text()) | settings
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    return copy


def tensors(name):
    return safetensors.load_file(FOLDERS / name / "model.safetensors")


def config(name, **settings):
    return json.loads((FOLDERS / name / "config.json").read_text()) | settings


def answers(encoder):
    return np.stack([keras.ops.convert_to_numpy(state) for state in encoder(SCRIPT["waveforms"]())])


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_answers_as_transformers_does_from_the_same_folder(name, golden):
    encoder = from_pretrained(FOLDERS / name, hidden_states=True)
    np.testing.assert_allclose(answers(encoder), golden[name], atol=1e-4)
    other = ssl_encoder(FOLDERS / name, hidden_states=True)
    assert np.abs(answers(other) - golden[name]).max() > 0.1
    assert load_pretrained(other, str(FOLDERS / name)) is None
    np.testing.assert_allclose(answers(other), golden[name], atol=1e-4)


def test_the_folders_hold_what_they_stand_for():
    """Each has a form of its own, without which the test above would prove less."""
    shards = sorted(path.name for path in (FOLDERS / "wav2vec2-classifier-in-shards").glob("*.safetensors*"))
    assert shards[0] == "model-00001-of-00003.safetensors"
    assert shards[-1] == "model.safetensors.index.json"
    assert "wav2vec2.masked_spec_embed" in tensors("wav2vec2-ctc")
    assert "hubert.masked_spec_embed" not in tensors("hubert-ctc-without-masks")
    assert {"masked_spec_embed", f"{POSITIONAL}0", f"{POSITIONAL}1"} <= tensors("hubert").keys()
    # Its head has a layer called as the encoder's convolutions are.
    assert "feature_extractor.weight" in tensors("wav2vec2-speakers")
    old = tensors("unispeech-pretraining-of-pytorch-1")
    assert {"unispeech.encoder.pos_conv_embed.conv.weight_g", "unispeech.encoder.pos_conv_embed.conv.weight_v"} <= (
        old.keys()
    )


def test_the_vector_of_masked_frames_is_loaded():
    encoder = from_pretrained(FOLDERS / "hubert")
    vector = checkpoint_variables(encoder)["masked_spec_embed"].variable
    np.testing.assert_array_equal(vector, tensors("hubert")["masked_spec_embed"])


def test_without_that_vector_the_random_one_stays(golden):
    """As in facebook/wav2vec2-base-960h, of whose missing vector transformers warns."""
    name = "hubert-ctc-without-masks"
    encoder = ssl_encoder(config(name, mask_time_prob=0.05), hidden_states=True)
    vector = checkpoint_variables(encoder)["masked_spec_embed"].variable
    before = np.array(vector)
    load_pretrained(encoder, FOLDERS / name)
    np.testing.assert_array_equal(vector, before)
    np.testing.assert_allclose(answers(encoder), golden[name], atol=1e-4)


def test_a_vector_that_no_layer_needs_is_passed_over(golden):
    encoder = ssl_encoder(config("hubert", mask_time_prob=0.0), hidden_states=True)
    assert "masked_spec_embed" not in checkpoint_variables(encoder)
    load_pretrained(encoder, FOLDERS / "hubert")
    np.testing.assert_allclose(answers(encoder), golden["hubert"], atol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_cast(dtype, changed):
    half = {name: tensor.astype(dtype) for name, tensor in tensors("hubert").items()}
    variables = checkpoint_variables(from_pretrained(changed("hubert", half)))
    kernel = variables["feature_extractor.conv_layers.1.conv.weight"].variable
    expected = half["feature_extractor.conv_layers.1.conv.weight"].astype("float32")
    assert kernel.dtype == "float32"
    assert kernel.shape == (3, 8, 8)
    for output in range(8):
        for channel in range(8):
            np.testing.assert_array_equal(kernel[:, channel, output], expected[output, channel])
    for direction in ("0", "1"):
        name = POSITIONAL + direction
        np.testing.assert_array_equal(variables[name].variable, half[name].astype("float32").transpose(2, 1, 0))


def test_an_encoder_of_half_precision_takes_single(golden):
    keras.config.set_dtype_policy("bfloat16")
    try:
        encoder = from_pretrained(FOLDERS / "wav2vec2-ctc", hidden_states=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert checkpoint_variables(encoder)["encoder.layer_norm.weight"].variable.dtype == "bfloat16"
    np.testing.assert_allclose(answers(encoder).astype("float32"), golden["wav2vec2-ctc"], atol=0.2)


def test_options_go_to_the_encoder():
    encoder = from_pretrained(FOLDERS / "hubert", padded=True, name="listener")
    assert encoder.name == "listener"
    assert [tensor.name for tensor in encoder.inputs] == ["waveform", "lengths"]


def test_a_name_is_fetched_from_the_hub(monkeypatch, golden):
    hub = pytest.importorskip("huggingface_hub")
    asked = []
    listed = SimpleNamespace(siblings=[SimpleNamespace(rfilename="model.safetensors")])
    monkeypatch.setattr(hub, "model_info", lambda *_, **__: listed)
    monkeypatch.setattr(
        hub, "snapshot_download", lambda name, *, revision, **_: asked.append((name, revision)) or FOLDERS / "hubert"
    )
    encoder = from_pretrained("facebook/hubert", "refs/pr/2", hidden_states=True)
    np.testing.assert_allclose(answers(encoder), golden["hubert"], atol=1e-4)
    load_pretrained(encoder, "facebook/hubert", revision="v1")
    assert asked == [("facebook/hubert", "refs/pr/2"), ("facebook/hubert", "v1")]


HEADS_OF_TRANSFORMERS = [
    *("lm_head.weight", "lm_head.bias", "projector.weight", "classifier.bias", "layer_weights"),
    *("quantizer.codevectors", "quantizer.weight_proj.weight", "project_q.weight", "project_hid.bias", "ctc_proj.bias"),
    # Of the network that tells speakers: its own layer is called as the encoder's convolutions are.
    *("tdnn.0.kernel.weight", "feature_extractor.weight", "objective.weight"),
]


def test_heads_are_passed_over(changed, golden):
    heads = {name: np.zeros(2, "float32") for name in HEADS_OF_TRANSFORMERS}
    encoder = from_pretrained(changed("wav2vec2-ctc", heads), hidden_states=True)
    np.testing.assert_allclose(answers(encoder), golden["wav2vec2-ctc"], atol=1e-4)


QUERY = "encoder.layers.0.attention.q_proj"


@pytest.mark.parametrize(
    ("name", "tensors", "message"),
    [
        ("hubert", {f"{QUERY}.bias": None}, rf"a checkpoint without {QUERY}\.bias$"),
        ("hubert", {f"encoder.layers.2.{i}": np.zeros(1) for i in range(5)}, r"with \S+2\.0, \S+, \S+2\.2 and 2 more$"),
        ("hubert", {"lm_head.weight": np.zeros(3)}, r"a checkpoint with lm_head\.weight$"),
        ("wav2vec2-ctc", {"adapter.weight": np.zeros(3)}, r"a checkpoint with adapter\.weight$"),
        ("wav2vec2-ctc", {"wav2vec2.lm_head.bias": np.zeros(3)}, r"a checkpoint with wav2vec2\.lm_head\.bias$"),
        ("wav2vec2-ctc", {"masked_spec_embed": np.zeros(16)}, r"a checkpoint with masked_spec_embed$"),
        (
            "hubert",
            {f"{QUERY}.bias": np.zeros(17), "feature_projection.projection.weight": np.zeros((8, 16))},
            rf"with {QUERY}\.bias of \(17,\) where \(16,\) is needed, feature_projection\.projection\.weight of "
            r"\(8, 16\) where \(16, 8\) is needed$",
        ),
        ("hubert", {f"{POSITIONAL}0": np.zeros((8, 1, 1))}, r"original0 of \(8, 1, 1\) where \(1, 1, 8\) is needed$"),
        (
            "hubert",
            {"encoder.pos_conv_embed.conv.weight_g": np.ones((1, 1, 8))},
            r"a checkpoint with encoder\.pos_conv_embed\.conv\.weight_g$",
        ),
        (
            "hubert",
            {f"{QUERY}.weight": np.zeros((16, 16), "int8")},
            rf"with {QUERY}\.weight of I8 \(16, 16\) where \(16, 16\) is needed$",
        ),
        (
            "hubert",
            {f"{QUERY}.weight": None, "extra": np.zeros(1), f"{QUERY}.bias": np.zeros(1)},
            rf"a checkpoint without {QUERY}\.weight, with extra, with {QUERY}\.bias of \(1,\) where",
        ),
    ],
    ids=[
        *("missing", "one layer too many", "a head beside a bare encoder", "unknown head", "head inside the encoder"),
        *("twice", "misshapen", "positional", "both names of a weight", "whole numbers", "all at once"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused_and_nothing_is_loaded(name, tensors, message, changed):
    encoder = ssl_encoder(FOLDERS / name)
    before = encoder.get_weights()
    opening = rf"{name}: holds no weights of this encoder; build it from the checkpoint's own config\.json, .*"
    with pytest.raises(ValueError, match=opening + message):
        load_pretrained(encoder, changed(name, tensors))
    for weight, old in zip(encoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


@pytest.mark.parametrize(
    ("setting", "value", "built"),
    [
        ("do_stable_layer_norm", False, "True"),
        ("num_attention_heads", 8, "4"),
        ("layer_norm_eps", 1e-6, "1e-05"),
        ("conv_stride", [5, 2, 2, 2, 2, 2, 1], r"\[5, 2, 2, 2, 2, 2, 2\]"),
    ],
)
def test_what_no_shape_tells_is_compared_by_the_settings(setting, value, built, changed):
    """Large networks of both norm forms have the same tensors; each would load the other's without a word."""
    encoder = ssl_encoder(FOLDERS / "hubert")
    message = rf"hubert: `{setting}` of config\.json must be {built} as in this encoder; .* Received: {setting}="
    with pytest.raises(ValueError, match=message):
        load_pretrained(encoder, changed("hubert", **{setting: value}))


def test_a_folder_of_another_norm_is_refused():
    with pytest.raises(ValueError, match=r"`do_stable_layer_norm` of config\.json must be False"):
        load_pretrained(ssl_encoder(config("wav2vec2-ctc")), FOLDERS / "hubert")


@pytest.mark.parametrize(
    "load", [from_pretrained, lambda folder: load_pretrained(ssl_encoder(FOLDERS / "hubert"), folder)]
)
def test_waveforms_of_another_rate_are_refused(load, changed):
    folder = changed("hubert")
    (folder / "preprocessor_config.json").write_text('{"sampling_rate": 8000}')
    with pytest.raises(ValueError, match=r"preprocessor_config\.json: `sampling_rate` must be 16000"):
        load(folder)


@pytest.mark.parametrize(
    "load", [from_pretrained, lambda folder: load_pretrained(ssl_encoder(FOLDERS / "hubert"), folder)]
)
@pytest.mark.parametrize(
    ("file", "kind", "message"),
    [
        ("model.safetensors", ValueError, r"model\.safetensors: is no safetensors file, or only a part of one"),
        ("config.json", ValueError, r"config\.json: is no sound JSON"),
    ],
)
def test_a_file_of_which_half_is_missing_is_named(load, file, kind, message, changed):
    path = changed("hubert") / file
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(kind, match=message):
        load(path.parent)


@pytest.mark.parametrize(
    "load", [from_pretrained, lambda folder: load_pretrained(ssl_encoder(FOLDERS / "hubert"), folder)]
)
def test_a_folder_without_settings_is_refused(load, changed):
    path = changed("hubert") / "config.json"
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"config\.json: there is no such file"):
        load(path.parent)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read as Linux tells it")
def test_loading_takes_little_memory_beside_the_network(tmp_path):
    """151 MB of weights; a checkpoint that is read as a whole stays in memory beside the network.

    It takes 53 to 58 MB. Where the kernel has put idle pages of the process aside before, these come back meanwhile.
    """
    settings = {"model_type": "wav2vec2", "num_hidden_layers": 4}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    held = {}
    for name, place in checkpoint_variables(ssl_encoder(settings)).items():
        value = np.zeros(place.variable.shape, "float32")
        held[name] = np.ascontiguousarray(value.transpose(np.argsort(place.axes))) if place.axes else value
    path = tmp_path / "model.safetensors"
    safetensors.save_file(held, path)
    size = path.stat().st_size
    assert 1e8 < size < 2e8
    command = [sys.executable, str(HERE / "load_and_measure.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    path.unlink()
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 0.75 * size

"""Configurations: transformers' own defaults, what a file may say and leave out, and what makes no network here."""

import json

import pytest

from sertk.models.ssl.config import SpeechEncoderConfig
from sertk.models.ssl.published import PREPROCESSORS, PUBLISHED, published


@pytest.mark.parametrize("family", ["wav2vec2", "hubert", "unispeech"])
def test_what_a_file_leaves_out_is_transformers_default(family, golden):
    expected = json.loads(str(golden["defaults"]))[family]
    described = SpeechEncoderConfig.from_dict({"model_type": family}).to_dict()
    # Only HuBERT may leave out the layer norm before the projection.
    assert set(described) - set(expected) == (set() if family == "hubert" else {"feat_proj_layer_norm"})
    assert {name: described[name] for name in expected} == expected


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configurations_survive_json(name):
    config = published(name)
    assert SpeechEncoderConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_sizes_of_the_published_networks_are_those_of_the_papers():
    """wav2vec 2.0, section 4.2: BASE and LARGE; HuBERT, table 1: X-LARGE."""
    sizes = {
        name: (config.num_hidden_layers, config.hidden_size, config.intermediate_size, config.num_attention_heads)
        for name, config in ((name, published(name)) for name in PUBLISHED)
    }
    assert sizes.pop("facebook/hubert-xlarge-ls960-ft") == (48, 1280, 5120, 16)
    for name in ("facebook/wav2vec2-base", "facebook/hubert-base-ls960"):
        assert sizes.pop(name) == (12, 768, 3072, 12)
    assert len(sizes) == 4
    assert set(sizes.values()) == {(24, 1024, 4096, 16)}


def test_preprocessors_mask_padding_where_the_feature_encoder_has_layer_norm():
    masked = {name for name, settings in PREPROCESSORS.items() if settings["return_attention_mask"]}
    assert set(PUBLISHED) - masked == {"facebook/wav2vec2-base", "facebook/hubert-base-ls960"}


def test_a_file_or_its_folder_is_read_and_what_shapes_no_network_is_passed_over(tmp_path):
    values = {"model_type": "hubert", "hidden_size": 24, "num_attention_heads": 2, "vocab_size": 32, "mask_channel": 1}
    values["num_conv_pos_embedding_groups"] = 4
    (tmp_path / "config.json").write_text(json.dumps(values))
    config = SpeechEncoderConfig.from_file(tmp_path)
    assert (config.model_type, config.hidden_size, config.num_hidden_layers) == ("hubert", 24, 12)
    assert SpeechEncoderConfig.from_file(str(tmp_path / "config.json")) == config


def test_what_leaves_the_network_as_it_is_may_be_said():
    plain = {"add_adapter": False, "adapter_attn_dim": None, "conv_pos_batch_norm": False}
    assert SpeechEncoderConfig.from_dict({"model_type": "hubert", **plain}) == SpeechEncoderConfig("hubert")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model_type": "wavlm"}, r"`model_type` must be one of wav2vec2, hubert, .* Received: model_type='wavlm'"),
        ({}, r"`model_type` must be one of .* Received: model_type=None"),
        ({"add_adapter": True}, r"`add_adapter` must be false: .* not built here\. Received: add_adapter=True"),
        ({"adapter_attn_dim": 16}, r"`adapter_attn_dim` must be null: .* Received: adapter_attn_dim=16"),
        ({"conv_pos_batch_norm": True}, r"`conv_pos_batch_norm` must be false: .* Received: conv_pos_batch_norm=True"),
        ({"hidden_act": "relu"}, r"`hidden_act` must be one of gelu\. Received: hidden_act='relu'"),
        ({"feat_extract_norm": "batch"}, r"`feat_extract_norm` must be one of group, layer\. Received"),
        ({"hidden_size": 0}, r"`hidden_size` must be a positive integer\. Received: hidden_size=0"),
        ({"hidden_size": "768"}, r"`hidden_size` must be a positive integer\. Received: hidden_size='768'"),
        ({"hidden_size": 100}, r"`hidden_size` must be a multiple of `num_attention_heads`, 12\. Received: .*=100"),
        ({"num_conv_pos_embedding_groups": 5}, r"multiple of `num_conv_pos_embedding_groups`, 5\. Received"),
        ({"conv_dim": [512] * 6}, r"must be equally long, .* Received: 6, 7 and 7 numbers"),
        ({"conv_dim": []}, r"`conv_dim` must be a list, .* Received: conv_dim=\[\]"),
        ({"conv_stride": 5}, r"`conv_stride` must be a list, .* Received: conv_stride=5"),
        ({"conv_kernel": [10, 3, 3, 3, 3, 2, 0]}, r"`conv_kernel` must be a positive integer\. Received: .*=0"),
        ({"conv_bias": 1}, r"`conv_bias` must be true or false\. Received: conv_bias=1"),
        ({"hidden_dropout": 1.0}, r"`hidden_dropout` must be a share, .* Received: hidden_dropout=1.0"),
        ({"layerdrop": None}, r"`layerdrop` must be a share, .* Received: layerdrop=None"),
        ({"layer_norm_eps": 0}, r"`layer_norm_eps` must be a number above 0\. Received: layer_norm_eps=0"),
        ({"mask_time_min_masks": -1}, r"`mask_time_min_masks` must be a positive integer\. Received"),
    ],
    ids=str,
)
def test_other_networks_are_refused_in_one_sentence(values, message):
    values = values if not values or "model_type" in values else {"model_type": "hubert", **values}
    with pytest.raises(ValueError, match=message):
        SpeechEncoderConfig.from_dict(values)


@pytest.mark.parametrize("values", [None, [], "wav2vec2"], ids=str)
def test_what_is_no_dict_is_refused(values):
    with pytest.raises(ValueError, match=r"A configuration must be a dict, as config\.json holds\. Received: "):
        SpeechEncoderConfig.from_dict(values)


def test_files_that_hold_no_configuration_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json: there is no such file; pass a checkpoint's folder"):
        SpeechEncoderConfig.from_file(tmp_path)
    path = tmp_path / "config.json"
    path.write_text('{"model_type": "hub')
    with pytest.raises(ValueError, match=r"config\.json: is no sound JSON; get the file again\. .* Unterminated"):
        SpeechEncoderConfig.from_file(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"config\.json: "):
        SpeechEncoderConfig.from_file(path)
    path.write_text('{"model_type": "whisper"}')
    with pytest.raises(
        ValueError, match=r"config\.json: `model_type` must be one of .* Received: model_type='whisper'"
    ):
        SpeechEncoderConfig.from_file(path)
    with pytest.raises(
        ValueError, match=r"`backbone` must be one of facebook/wav2vec2-base, .* Received: backbone='b'"
    ):
        published("b")

"""How a checkpoint's clips were prepared: the files of both of transformers' generations, and those that don't fit."""

import json

import pytest

from sertk.models.ssl.preprocessing import check_preprocessing

# What Wav2Vec2FeatureExtractor().save_pretrained of transformers 5.23 writes.
PUBLISHED = {
    "do_normalize": True,
    "feature_extractor_type": "Wav2Vec2FeatureExtractor",
    "feature_size": 1,
    "padding_side": "right",
    "padding_value": 0.0,
    "return_attention_mask": False,
    "sampling_rate": 16000,
}


@pytest.fixture(params=["preprocessor_config.json", "processor_config.json"])
def write(request, tmp_path):
    """A function that writes settings as transformers 4 or, with a processor around them, transformers 5 does."""

    def write(settings):
        whole = request.param == "processor_config.json"
        content = {"feature_extractor": settings, "processor_class": "Wav2Vec2Processor"} if whole else settings
        (tmp_path / request.param).write_text(json.dumps(content))
        return tmp_path

    return write


@pytest.mark.parametrize("settings", [PUBLISHED, PUBLISHED | {"return_attention_mask": True}, {}], ids=range(3))
def test_what_the_published_checkpoints_say_fits(settings, write):
    check_preprocessing(write(settings))


def test_a_folder_without_settings_has_the_defaults_of_transformers(tmp_path):
    check_preprocessing(tmp_path)


@pytest.mark.parametrize("rate", [8_000, 44_100, "16000", None])
def test_another_sampling_rate_is_refused(rate, write):
    message = r"processor_config\.json: `sampling_rate` must be 16000\. Received: sampling_rate="
    with pytest.raises(ValueError, match=rf"{message}{rate!r}$"):
        check_preprocessing(write(PUBLISHED | {"sampling_rate": rate}))


@pytest.mark.parametrize(("value", "shown"), [(False, "false"), (None, "null"), ("yes", '"yes"')])
def test_clips_that_were_not_normalised_are_refused(value, shown, write):
    message = r"processor_config\.json: `do_normalize` must be true; .* Received: do_normalize="
    with pytest.raises(ValueError, match=rf"{message}{shown}$"):
        check_preprocessing(write(PUBLISHED | {"do_normalize": value}))


@pytest.mark.parametrize("content", ["", "[]", "3", "{", '{"feature_extractor": [3]}', "[" * 100_000], ids=range(6))
@pytest.mark.parametrize("file", ["preprocessor_config.json", "processor_config.json"])
def test_a_file_that_is_no_object_is_named(file, content, tmp_path):
    (tmp_path / file).write_text(content)
    with pytest.raises(ValueError, match=rf"{file}: is no JSON object of settings; get it again\. Received: ."):
        check_preprocessing(tmp_path)

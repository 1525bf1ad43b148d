"""The signatures' limits: what is too short, too long or no batch ends in a sentence, and padding has no say."""

import numpy as np
import pytest
import tensorflow as tf

from sertk.export import export_saved_model
from sertk.export.signatures import signatures

SECONDS = 2.0


@pytest.fixture(scope="module")
def asked(untrained_run):
    """A function that asks a signature of a family's model, exported with a limit of two seconds."""
    found = {}

    def ask(family, signature, **inputs):
        if family not in found:
            run = untrained_run(family)
            made = signatures(run.classifier(), run.classes, 16_000, SECONDS)
            found[family] = {
                name: tf.function(function, input_signature=takes, autograph=False)
                for name, (function, takes) in made.items()
            }
        return found[family][signature](**{name: tf.constant(value) for name, value in inputs.items()})

    return ask


def noise(rows, samples):
    return np.random.default_rng(0).uniform(-0.5, 0.5, (rows, samples)).astype("float32")


@pytest.mark.parametrize("signature", ["serving_default", "embedding"])
def test_what_is_longer_than_allowed_is_refused(asked, signature):
    asked("cnn", signature, waveform=noise(1, 32_000))
    message = "`waveform` must have at most 32000 samples, 2 s; send less, or .* Received: 32001 samples"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        asked("cnn", signature, waveform=noise(1, 32_001))


def test_padding_is_no_way_around_the_limit(asked):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"at most 32000 samples, 2 s.* Received: 32001 samples"):
        asked("cnn", "padded", waveform=noise(2, 32_001), lengths=np.array([5, 7], "int32"))


def test_files_are_limited_by_their_seconds(asked, by_hand):
    """Whatever their rate."""
    asked("cnn", "audio_bytes", audio_bytes=[by_hand.noise(96_000, 48_000)])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"row 1: is longer than 2 s.* Received: 2.0000\d* s"):
        asked("cnn", "audio_bytes", audio_bytes=[by_hand.noise(9), by_hand.noise(96_001, 48_000)])


@pytest.mark.slow
def test_what_is_shorter_than_the_network_needs_is_refused(asked, by_hand):
    """A speech transformer's convolutions see 400 samples at once."""
    message = "must have at least 400 samples, 0.025 s. Received: 399 samples"
    for signature, inputs in {
        "serving_default": {"waveform": noise(1, 399)},
        "embedding": {"waveform": noise(1, 399)},
        "padded": {"waveform": noise(2, 900), "lengths": np.array([900, 399], "int32")},
        "audio_bytes": {"audio_bytes": [by_hand.noise(900), by_hand.noise(399)]},
    }.items():
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            asked("speech_encoder", signature, **inputs)


def test_a_limit_below_what_the_network_needs_is_refused(untrained_run, tmp_path):
    run = untrained_run("speech_encoder")
    with pytest.raises(ValueError, match=r"`max_seconds` must be at least 0.025.* Received: max_seconds=0.02"):
        export_saved_model(run, tmp_path / "1", max_seconds=0.02)


def test_what_stands_behind_a_clip_has_no_say(asked):
    lengths = np.array([20_000, 9_000, 400], "int32")
    loud, quiet = noise(3, 20_000), noise(3, 20_000)
    for row, length in enumerate(lengths):
        loud[row, length:], quiet[row, length:] = 50.0, 0.0
    nothing = np.where(loud == 50.0, np.float32("nan"), loud)
    for family in ("cnn", "speech_encoder"):
        expected = asked(family, "padded", waveform=quiet, lengths=lengths)["probabilities"]
        for one in (loud, 50 * loud, nothing):
            one = np.where(quiet == 0, one, quiet)
            np.testing.assert_array_equal(
                asked(family, "padded", waveform=one, lengths=lengths)["probabilities"], expected
            )
    nothing[1, 8_999] = np.nan
    with pytest.raises(tf.errors.InvalidArgumentError, match="it holds NaN or infinity"):
        asked("cnn", "padded", waveform=nothing, lengths=lengths)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([900, 0], "`lengths` must be above 0 and no more than .* Received: 0 to 900 for 900 samples"),
        ([901, 5], "`lengths` must be above 0 and no more than .* Received: 5 to 901 for 900 samples"),
        ([900], "`lengths` must have one for each row of `waveform`. Received: 1 for 2 rows"),
    ],
)
def test_lengths_that_fit_no_batch_are_refused(asked, lengths, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        asked("cnn", "padded", waveform=noise(2, 900), lengths=np.array(lengths, "int32"))

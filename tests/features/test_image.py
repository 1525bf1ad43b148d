"""The spectrogram image, against matplotlib's pictures of librosa's spectrograms: colours, and wherever it runs."""

import subprocess
import sys

import keras
import librosa
import librosa.display
import matplotlib.image
import numpy as np
import pytest
import soundfile
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sertk.features import SpectrogramImage

SR = 16_000
MIN_DB, MAX_DB = -80.0, 20.0
SIZES = [(224, 224), (299, 299), (900, 1200)]
COLORMAPS = ["viridis", "magma", "jet", "grey"]
# Mean difference in grey levels of 255. `specshow` puts a level on the border of two colours to the other side.
CLOSE, CLOSE_TO_SPECSHOW = 0.5, 1.0
# A level on the border between two colours may fall to either side wherever sums are taken in another order.
ONE_STEP = 4.0
# librosa's remark on clips shorter than a frame.
pytestmark = pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal")


def image(waveforms, *size, **options):
    return keras.ops.convert_to_numpy(SpectrogramImage(*size, **options)(waveforms))


def of_librosa(waveform, kind="mel", n_fft=2048, hop_length=512, n_mels=128, center=True):
    """librosa's spectrogram, `(bands, frames)`, in dB."""
    frames = {"n_fft": n_fft, "hop_length": hop_length, "center": center}
    if kind == "mel":
        power = librosa.feature.melspectrogram(y=waveform, sr=SR, n_mels=n_mels, **frames)
    else:
        power = np.abs(librosa.stft(waveform, **frames)) ** 2
    return librosa.power_to_db(power, top_db=None)


def drawn(height, width, draw):
    """What `draw` puts on axes that fill a figure of that many pixels, float `(height, width, 3)`."""
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    draw(axes)
    axes.set_axis_off()
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].astype(float)
    assert pixels.shape == (height, width, 3)
    return pixels


def imshow(decibels, height, width, cmap="viridis", **options):
    picture = {"origin": "lower", "aspect": "auto", "cmap": cmap, "vmin": MIN_DB, "vmax": MAX_DB, **options}
    return drawn(height, width, lambda axes: axes.imshow(decibels, **picture))


def specshow(decibels, height, width, cmap="viridis"):
    picture = {"sr": SR, "cmap": cmap, "vmin": MIN_DB, "vmax": MAX_DB}
    return drawn(height, width, lambda axes: librosa.display.specshow(decibels, ax=axes, **picture))


def apart(ours, theirs):
    """The mean absolute difference of two pictures, in grey levels."""
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).mean()


def noise(*shape, seed=0, level=0.1):
    return level * np.random.default_rng(seed).standard_normal(shape).astype("float32")


def voice(samples=24_000):
    """A gliding voice of twenty harmonics that swells and fades, over faint noise."""
    time = np.arange(samples) / SR
    phase = 2 * np.pi * np.cumsum(120 + 60 * np.sin(5 * time)) / SR
    harmonics = sum(np.sin(n * phase) / n for n in range(1, 21))
    return (0.2 * harmonics * np.sin(4 * time) ** 2 + 1e-4 * noise(samples, level=1.0)).astype("float32")


@pytest.fixture(scope="session")
def speech(ravdess_dir):
    """Three clips of real speech, of different speakers, emotions and lengths."""
    clips = sorted(ravdess_dir.rglob("*.flac"))[7::600]
    assert len(clips) == 3
    return [soundfile.read(path, dtype="float32")[0] for path in clips]


@pytest.mark.parametrize("kind", ["mel", "stft"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_equals_matplotlib_on_speech(speech, size, kind):
    """A clip for each colour map: all three in viridis would show no more."""
    for waveform, cmap in zip([*speech, speech[0]], COLORMAPS, strict=True):
        decibels = of_librosa(waveform, kind)
        smooth = image(waveform, *size, kind=kind, colormap=cmap)
        assert apart(smooth, imshow(decibels, *size, cmap)) < CLOSE
        sharp = image(waveform, *size, kind=kind, colormap=cmap, interpolation="nearest")
        assert apart(sharp, imshow(decibels, *size, cmap, interpolation="nearest")) < 0.05
        assert apart(sharp, specshow(decibels, *size, cmap)) < CLOSE_TO_SPECSHOW


SIGNALS = {
    "a voice": voice(),
    "noise": noise(16_000),
    "a glide": np.sin(2 * np.pi * np.cumsum(np.linspace(50, 7_900, 16_000)) / SR).astype("float32"),
    "a click": np.eye(1, 16_000, 9_000, dtype="float32")[0],
    "shorter than a frame": noise(700),
    "one sample": noise(1),
}


@pytest.mark.parametrize("kind", ["mel", "stft"])
@pytest.mark.parametrize("signal", SIGNALS)
def test_equals_matplotlib_on_signals(signal, kind):
    decibels = of_librosa(SIGNALS[signal], kind)
    for cmap in COLORMAPS:
        ours = image(SIGNALS[signal], 120, 160, kind=kind, colormap=cmap)
        assert apart(ours, imshow(decibels, 120, 160, cmap)) < CLOSE


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_equals_matplotlib_on_chunks_of_30_ms(size):
    frames = {"n_fft": 128, "hop_length": 8}
    chunk = voice()[6_000:6_480]
    for kind, options in (("stft", frames), ("mel", frames | {"n_mels": 20})):
        expected = imshow(of_librosa(chunk, kind, **options), *size)
        assert apart(image(chunk, *size, kind=kind, **options), expected) < CLOSE


@pytest.mark.parametrize("kind", ["mel", "stft"])
def test_equals_matplotlib_where_frames_begin_with_the_first_sample(kind):
    frames = {"n_fft": 512, "hop_length": 256, "center": False}
    for waveform in (voice(), noise(700)):
        expected = imshow(of_librosa(waveform, kind, **frames), 120, 160)
        assert apart(image(waveform, 120, 160, kind=kind, **frames), expected) < CLOSE


@settings(deadline=None, max_examples=30)
@given(
    height=st.integers(20, 400),
    width=st.integers(10, 400),
    n_mels=st.integers(1, 128),
    hop_length=st.integers(200, 4_000),
    interpolation=st.sampled_from(["auto", "nearest"]),
)
def test_equals_matplotlib_at_any_size(height, width, n_mels, hop_length, interpolation):
    """At exactly three times in both directions `imshow` averages levels where the layer averages colours."""
    decibels = of_librosa(SIGNALS["a voice"], hop_length=hop_length, n_mels=n_mels)
    options = {"n_mels": n_mels, "hop_length": hop_length, "interpolation": interpolation}
    ours = image(SIGNALS["a voice"], height, width, **options)
    assert apart(ours, imshow(decibels, height, width, interpolation=interpolation)) < 2


@pytest.mark.parametrize(("height", "width"), [(128, 47), (256, 94), (384, 141), (385, 142), (256, 100), (64, 23)])
def test_cells_stay_sharp_where_matplotlib_keeps_them_sharp(height, width):
    """128 bands and 47 frames: as large, twice, three times, above three times, one direction only, half.

    At exactly three times `imshow` averages levels where the layer averages colours.
    """
    waveform = voice(47 * 512 - 1)
    expected = imshow(of_librosa(waveform), height, width)
    nearest = imshow(of_librosa(waveform), height, width, interpolation="nearest")
    ours = image(waveform, height, width)
    assert (apart(ours, nearest) < 0.05) == (apart(expected, nearest) < 0.05)
    assert apart(ours, expected) < 1


@pytest.mark.slow
def test_every_colour_map_of_matplotlib_has_its_colours():
    waveform = voice(8_000)
    decibels = of_librosa(waveform)
    for cmap in matplotlib.colormaps:
        ours = image(waveform, 64, 32, colormap=cmap, interpolation="nearest")
        assert apart(ours, imshow(decibels, 64, 32, cmap, interpolation="nearest")) < CLOSE, cmap


def test_a_level_has_the_same_colour_in_every_image():
    """In greys from -80 to 20 dB, 20 dB are a fifth of 256 steps, whatever else the clip holds."""
    tone = np.sin(2 * np.pi * 1_000 * np.arange(8_000) / SR).astype("float32")
    faint, loud = (image(level * tone, colormap="grey")[..., 0].max() for level in (1e-3, 1e-2))
    assert abs(loud - faint - 51.2) <= 1
    with_noise = np.concatenate([1e-2 * tone, noise(8_000, level=1e-4)])
    assert abs(image(with_noise, colormap="grey")[..., 0].max() - loud) <= 1


@pytest.mark.parametrize("kind", ["mel", "stft"])
def test_levels_out_of_range_have_the_first_and_the_last_colour(kind):
    """viridis begins with #440154 and ends with #fde725, which matplotlib rounds down."""
    for waveform, levels, colour in (
        (np.zeros(9_000, "float32"), {}, (0x44, 0x01, 0x54)),
        (noise(9_000, level=1e6), {}, (0xFD, 0xE7, 0x25)),
        (noise(9_000), {"min_db": -500, "max_db": -101}, (0xFD, 0xE7, 0x25)),
    ):
        ours = image(waveform, 20, 30, kind=kind, **levels)
        np.testing.assert_allclose(ours, np.broadcast_to(colour, ours.shape), atol=1.01)


def test_what_is_no_number_has_the_first_colour_and_spoils_no_neighbour():
    clips = np.stack([noise(9_000), np.full(9_000, np.nan, "float32")])
    sound, broken = image(clips)
    np.testing.assert_allclose(sound, image(clips[0]), atol=ONE_STEP)
    np.testing.assert_allclose(broken, np.broadcast_to([0x44, 0x01, 0x54], broken.shape), atol=1)


@pytest.mark.parametrize("interpolation", ["auto", "nearest"])
def test_a_png_loses_nothing(interpolation, tmp_path):
    ours = image(voice(), 50, 70, colormap="jet", interpolation=interpolation)
    matplotlib.image.imsave(tmp_path / "voice.png", ours.astype("uint8"))
    np.testing.assert_array_equal(np.round(255 * matplotlib.image.imread(tmp_path / "voice.png")[..., :3]), ours)


def test_low_frequencies_are_at_the_bottom_and_time_runs_to_the_right():
    """A quarter, half and three quarters of the way from 50 to 7,900 Hz, of 8,000; a frame is six rows further."""
    linear, mel = (image(SIGNALS["a glide"], 200, 200, kind=kind, colormap="grey")[..., 0] for kind in ("stft", "mel"))
    for column, hertz in ((50, 2_012), (100, 3_975), (150, 5_937)):
        assert abs(linear[:, column].argmax() - 200 * (1 - hertz / 8_000)) < 8
        assert abs(mel[:, column].argmax() - 200 * (1 - mel_share(hertz))) < 8


def mel_share(hertz):
    """How far up on Slaney's mel scale from 0 to 8 kHz: linear to 1 kHz, 15 mel, then logarithmic."""
    step = np.log(6.4) / 27
    return (15 + np.log(hertz / 1_000) / step) / (15 + np.log(8) / step)


def test_a_bin_of_a_linear_spectrogram_lies_at_its_frequency():
    """2 kHz are a quarter of the way from 0 to 8 kHz, a third of the way from 1 to 4 kHz."""
    tone = np.sin(2 * np.pi * 2_000 * np.arange(16_000) / SR).astype("float32")
    options = {"kind": "stft", "colormap": "grey", "max_db": 80.0}
    whole, part = (image(tone, 240, 90, **options, **band)[:, 45, 0] for band in ({}, {"fmin": 1e3, "fmax": 4e3}))
    assert abs(239 - whole.argmax() - 60) <= 1
    assert abs(239 - part.argmax() - 80) <= 1


def test_no_tone_falls_between_the_pixels():
    """Of 1,025 bins 240 rows are a quarter: a tone of three bins that the nearest cells miss is still seen."""
    tone = np.sin(2 * np.pi * 2_000 * np.arange(16_000) / SR).astype("float32")
    seen, missed = (
        image(tone, 240, 90, kind="stft", colormap="grey", interpolation=interpolation)[:, 45].max()
        for interpolation in ("auto", "nearest")
    )
    assert seen > 100
    assert missed < 5


def test_frequencies_of_a_mel_spectrogram_are_librosas():
    waveform = voice()
    power = librosa.feature.melspectrogram(y=waveform, sr=SR, n_mels=64, fmin=100, fmax=3_000)
    expected = imshow(librosa.power_to_db(power, top_db=None), 100, 100)
    assert apart(image(waveform, 100, 100, n_mels=64, fmin=100, fmax=3_000), expected) < CLOSE


@pytest.mark.parametrize(
    "options",
    [
        {"height": 60, "width": 80},
        {"height": 60, "width": 80, "interpolation": "nearest"},
        {"height": 60, "width": 80, "center": False},
        {"height": 60, "width": 80, "kind": "stft", "n_fft": 512, "fmax": 4_000.0},
        {"height": 130, "width": 130, "n_mels": 20, "colormap": "grey"},  # sharp, which depends on the length
    ],
    ids=str,
)
def test_same_wherever_it_runs(check_layer, options):
    clips = np.stack([voice(8_000), noise(8_000), 0 * noise(8_000)])
    images = check_layer(SpectrogramImage(**options), clips, atol=ONE_STEP)
    assert images.dtype == np.float32
    assert images.shape == (3, options["height"], options["width"], 3)
    for clip, expected in zip(clips, images, strict=True):
        assert apart(image(clip, **options), expected) < 0.01


def test_one_saved_model_draws_clips_of_every_length(tmp_path):
    """At 256 x 188 pixels 94 frames stay sharp and 60 do not: the graph chooses when it sees the clip."""
    model = keras.Sequential([keras.Input((None,)), SpectrogramImage(256, 188)])
    model.export(tmp_path / "model", verbose=False)
    serve = tf.saved_model.load(tmp_path / "model").serve
    for samples in (48_000, 30_500, 700, 200_000):
        waveform = voice(samples)
        served = serve(waveform[None]).numpy()[0]
        assert apart(served, image(waveform, 256, 188)) < 0.01
        assert apart(served, imshow(of_librosa(waveform), 256, 188)) < CLOSE


@pytest.mark.slow
def test_a_process_that_has_drawn_nothing_yet_loads_a_model_that_draws(tmp_path):
    keras.Sequential([keras.Input((None,)), SpectrogramImage(20, 30)]).save(tmp_path / "model.keras")
    code = "import sys; from sertk.models import load; print(load(sys.argv[1]).output_shape)"
    command = [sys.executable, "-c", code, str(tmp_path / "model.keras")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "(None, 20, 30, 3)", result.stderr


def test_float32_under_mixed_precision():
    waveforms = noise(2, 4_000)
    expected = image(waveforms)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras.Sequential([keras.Input((None,)), SpectrogramImage()])
        actual = keras.ops.convert_to_numpy(model(waveforms))
    finally:
        keras.config.set_dtype_policy("float32")
    assert actual.dtype == np.float32
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("name", ["height", "width", "sr", "n_fft", "hop_length", "n_mels"])
@pytest.mark.parametrize("value", [0, -1, 16.0, "16", None])
def test_impossible_sizes_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be a positive integer. Received: {name}="):
        SpectrogramImage(**{name: value})


@pytest.mark.parametrize("kind", ["mel", "stft"])
@pytest.mark.parametrize("band", [{"fmin": -1.0}, {"fmax": 8_001.0}, {"fmin": 900.0, "fmax": 300.0}])
def test_impossible_frequencies_are_refused(band, kind):
    message = r"`fmin` and `fmax` must satisfy 0 <= fmin < fmax <= sr / 2 = 8000 Hz. Received: fmin="
    with pytest.raises(ValueError, match=message):
        SpectrogramImage(kind=kind, **band)


def test_frequencies_between_two_bins_are_refused():
    message = r"must lie a bin .* one each 125 Hz; take a larger `n_fft`. Received: fmin=130, fmax=240, n_fft=128"
    with pytest.raises(ValueError, match=message):
        SpectrogramImage(kind="stft", n_fft=128, fmin=130, fmax=240)


@pytest.mark.parametrize(
    "levels", [(20, 20), (20, -80), (float("nan"), 0), (-80, float("inf")), ("-80", 20), (None, 0)]
)
def test_impossible_levels_are_refused(levels):
    message = r"`min_db` and `max_db` must be levels in dB, the first below the second. Received: min_db="
    with pytest.raises(ValueError, match=message):
        SpectrogramImage(min_db=levels[0], max_db=levels[1])


@pytest.mark.parametrize(("name", "allowed"), [("kind", "mel, stft"), ("interpolation", "auto, nearest")])
@pytest.mark.parametrize("value", ["MEL", "", None, 1])
def test_unknown_choices_are_refused(name, allowed, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be one of {allowed}. Received: {name}="):
        SpectrogramImage(**{name: value})


@pytest.mark.parametrize(
    ("colormap", "near"), [("viridi", "viridis"), ("Magma", "magma"), (3, "viridis"), (None, "jet"), ([], "grey")]
)
def test_an_unknown_colour_map_is_refused_with_one_that_there_is(colormap, near):
    with pytest.raises(ValueError, match=rf"`colormap` must be the name .*\b{near}\b.* Received: colormap="):
        SpectrogramImage(colormap=colormap)


@pytest.mark.parametrize("shape", [(2, 100, 2), (), (2, 0)])
def test_what_is_no_waveform_is_refused(shape):
    message = r"SpectrogramImage (takes waveforms|needs at least one sample).* Received: input_shape="
    with pytest.raises(ValueError, match=message):
        SpectrogramImage()(np.zeros(shape, "float32"))


@pytest.mark.parametrize("kind", ["mel", "stft"])
def test_clips_shorter_than_a_frame_are_refused_where_nothing_is_padded(kind):
    layer = SpectrogramImage(kind=kind, n_fft=512, center=False)
    for refused in (noise(511), noise(511)[None], keras.KerasTensor((None, 511))):
        with pytest.raises(ValueError, match=r"Clips must have at least `n_fft`, 512, .* Received: samples=511"):
            layer(refused)


@pytest.mark.parametrize("kind", ["mel", "stft"])
def test_impossible_centres_are_refused(kind):
    with pytest.raises(ValueError, match=r"`center` must be True or False\. Received: center=None"):
        SpectrogramImage(kind=kind, center=None)


def test_a_configuration_without_centre_is_the_centred_layer():
    """That of a model saved before the argument was there."""
    config = SpectrogramImage(120, 160).get_config()
    del config["center"]
    ours = keras.ops.convert_to_numpy(SpectrogramImage.from_config(config)(voice()))
    assert apart(ours, imshow(of_librosa(voice()), 120, 160)) < CLOSE


def test_integers_are_refused():
    with pytest.raises(ValueError, match=r"SpectrogramImage takes float waveforms .* Received: dtype=int16"):
        SpectrogramImage()(np.zeros(1_000, "int16"))

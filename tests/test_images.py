"""Images as files: the pixels of the network, folders and table that are read back, an order that a seed fixes."""

import matplotlib.image
import numpy as np
import pytest

from sertk.audio import FixedLength, WaveformCache, read
from sertk.corpora import check_split, cut_chunks, folds, load, split
from sertk.features import SpectrogramImage
from sertk.images import Images, write_images
from sertk.recipes import draw, train

SAMPLES = 12_000


@pytest.fixture(scope="module")
def image():
    return SpectrogramImage(20, 30, n_fft=512, hop_length=256, n_mels=32, colormap="magma")


@pytest.fixture(scope="module")
def written(tiny_corpus, cache, image, tmp_path_factory):
    directory = tmp_path_factory.mktemp("images") / "ravdess"
    clips = tiny_corpus.iloc[:21]
    return (
        clips,
        directory,
        write_images(clips, directory, image, WaveformCache(cache), FixedLength(SAMPLES), progress=False),
    )


def test_files_hold_the_pixels_that_the_network_sees(written, image):
    clips, _, table = written
    for row in (0, 10, 20):
        pixels = matplotlib.image.imread(table["path"][row])[..., :3] * 255
        expected = image(FixedLength(SAMPLES)(read(clips["path"].iloc[row])))
        assert pixels.shape == (20, 30, 3)
        assert np.abs(pixels - expected).max() < 1e-3


def test_the_table_is_read_back_with_all_it_knows(written):
    clips, directory, _ = written
    manifest = load("csv", directory / "emotion.csv")
    assert len(manifest) == len(clips)
    by_clip = manifest.set_index("clip_path")
    for column in ("emotion", "speaker", "gender", "corpus"):
        assert by_clip.loc[clips["path"], column].tolist() == clips[column].tolist()
    assert "duration" not in manifest
    moved = directory.rename(directory.with_name("moved"))
    try:
        assert load("csv", moved / "emotion.csv")["path"].str.contains("/moved/").all()
    finally:
        moved.rename(directory)


def test_the_folders_are_read_back(written):
    clips, directory, _ = written
    manifest = load("folders", directory)
    assert manifest["emotion"].value_counts().to_dict() == clips["emotion"].value_counts().to_dict()
    assert not manifest.attrs["skipped"]


def test_beside_sounds_images_are_pictures_and_no_clips(written, tiny_corpus, tmp_path):
    import shutil

    (tmp_path / "angry").mkdir()
    shutil.copy(tiny_corpus["path"][0], tmp_path / "angry" / "a.wav")
    shutil.copy(written[2]["path"][0], tmp_path / "angry" / "a.png")
    assert [path.rsplit("/", 1)[1] for path in load("folders", tmp_path)["path"]] == ["a.wav"]


def test_damaged_images_are_listed(written, tmp_path):
    import shutil

    (tmp_path / "sad").mkdir()
    shutil.copy(written[2]["path"][0], tmp_path / "sad" / "a.png")
    (tmp_path / "sad" / "b.png").write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"left out 1 file: b\.png \(is no image that can be read"):
        manifest = load("folders", tmp_path)
    assert [entry["kind"] for entry in manifest.attrs["skipped"]] == ["bad"]


def test_batches_are_the_files_with_their_labels(written):
    _, directory, _ = written
    manifest = load("csv", directory / "emotion.csv")
    classes = sorted(set(manifest["emotion"]))
    images = Images(manifest, classes, batch_size=8)
    batches = list(images.dataset.as_numpy_iterator())
    assert [len(pixels) for pixels, _ in batches] == [8, 8, 5]
    assert images.steps == 3
    pixels, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert [classes[label] for label in labels.argmax(axis=1)] == manifest["emotion"].tolist()
    expected = matplotlib.image.imread(manifest["path"][9])[..., :3] * 255
    np.testing.assert_allclose(pixels[9], expected, atol=1e-3)


def test_order_is_a_function_of_seed_and_epoch(written):
    manifest = load("csv", written[1] / "emotion.csv")

    def drawn(seed, epoch):
        images = Images(manifest, sorted(set(manifest["emotion"])), shuffle=True, seed=seed)
        images.epoch.assign(epoch)
        return [pixels.tobytes() for batch, _ in images.dataset.as_numpy_iterator() for pixels in batch]

    first = drawn(1, 0)
    assert first == drawn(1, 0)
    assert first != drawn(1, 1)
    assert first != drawn(2, 0)
    assert sorted(first) == sorted(drawn(2, 3))


def test_bad_images_are_refused(written, tmp_path):
    manifest = load("csv", written[1] / "emotion.csv")
    classes = sorted(set(manifest["emotion"]))
    matplotlib.image.imsave(tmp_path / "large.png", np.zeros((20, 31, 3), "uint8"))
    (tmp_path / "text.png").write_text("text")
    for name, message in (
        ("large.png", r"must hold images of one size; .* has 30 x 20 pixels\. Received: .*large\.png with 31 x 20"),
        ("text.png", r"text\.png: is no image that can be read; draw it anew\. Received: "),
    ):
        other = manifest.copy()
        other.loc[3, "path"] = str(tmp_path / name)
        with pytest.raises(ValueError, match=message):
            Images(other, classes)
    with pytest.raises(FileNotFoundError, match=r"gone\.png: there is no such file; were the images moved\?"):
        Images(manifest.assign(path=str(tmp_path / "gone.png")), classes)
    with pytest.raises(ValueError, match=r"must hold only emotions of `classes`"):
        Images(manifest, classes[1:])


def test_chunks_have_an_image_each(tiny_corpus, cache, tmp_path):
    waveforms = WaveformCache(cache)
    chunks = cut_chunks(tiny_corpus.iloc[:1], waveforms, progress=False)
    image = SpectrogramImage(16, 16, kind="stft", n_fft=128, hop_length=16)
    table = write_images(chunks, tmp_path / "images", image, waveforms, FixedLength(480), progress=False)
    assert len(table) == len(chunks) > 5
    chunk = read(tiny_corpus["path"][0])[chunks["chunk_start"][3] : chunks["chunk_start"][3] + 480]
    pixels = matplotlib.image.imread(table["path"][3])[..., :3] * 255
    assert np.abs(pixels - image(chunk)).max() < 1e-3


def test_a_split_keeps_the_images_of_a_clip_together(tiny_corpus, cache, tmp_path):
    waveforms = WaveformCache(cache)
    chunks = cut_chunks(tiny_corpus.iloc[:28], waveforms, seconds=0.2, progress=False)
    image = SpectrogramImage(8, 8, n_fft=256, hop_length=128, n_mels=16)
    write_images(chunks, tmp_path / "images", image, waveforms, FixedLength(3_200), progress=False)
    manifest = load("csv", tmp_path / "images" / "emotion.csv")
    for table in (split(manifest, "random", (0.5, 0.25, 0.25)), *folds(manifest, "k-fold", k=2, validation=0)):
        table = table[1] if isinstance(table, tuple) else table
        assert (table.groupby("clip_path")["part"].nunique() == 1).all()
    leaking = manifest.assign(part=["train", "test"] * (len(manifest) // 2) + ["train"] * (len(manifest) % 2))
    with pytest.raises(ValueError, match="must keep each recording in one part"):
        check_split(leaking, "random", validation=False)


def test_a_table_of_sounds_has_no_images(written, tiny_corpus, tmp_path):
    rows = [tiny_corpus["path"][0], written[2]["path"][0]]
    (tmp_path / "clips.csv").write_text("path,emotion\n" + "".join(f"{path},sad\n" for path in rows))
    with pytest.warns(UserWarning, match="no audio file"):
        assert load("csv", tmp_path / "clips.csv")["path"].tolist() == rows[:1]


def test_a_folder_with_something_in_it_is_left_alone(written, image, cache):
    clips, directory, _ = written
    with pytest.raises(ValueError, match=r"holds something already; write the images into a new folder"):
        write_images(clips, directory, image, WaveformCache(cache), FixedLength(SAMPLES), progress=False)


def test_training_on_images_by_a_recipe_is_refused(written, tmp_path):
    manifest = load("csv", written[1] / "emotion.csv")
    with pytest.raises(ValueError, match=r"must hold sounds: a recipe draws its own images; .* Received: 21 images"):
        train("004-vgg16-1", manifest, tmp_path / "run")


def test_a_recipes_images(tiny_corpus, cache, tmp_path):
    changes = {"features.height": 32, "features.width": 40, "audio.seconds": 1.0}
    table = draw("004-vgg16-1", tiny_corpus, tmp_path / "images", changes=changes, cache=cache, progress=False)
    assert table["part"].value_counts().to_dict().keys() == {"train", "validation", "test"}
    assert matplotlib.image.imread(table["path"][0]).shape[:2] == (32, 40)
    with pytest.raises(ValueError, match=r"`recipe` must have images for features; .* Received: 004-cnn-mfcc"):
        draw("004-cnn-mfcc", tiny_corpus, tmp_path / "b", cache=cache, progress=False)


def test_an_empty_manifest_is_refused(tiny_corpus, image, cache, tmp_path):
    with pytest.raises(ValueError, match=r"`manifest` must hold at least one clip"):
        write_images(tiny_corpus.iloc[:0], tmp_path, image, WaveformCache(cache), FixedLength(SAMPLES))

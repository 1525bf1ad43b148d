"""Hostile `.keras` files, after those that Keras itself was attacked with: one sentence, and nothing happens."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from sertk.models import load


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The members of a file that is as it should be: one dense layer of 3 x 2 weights and 2 biases."""
    path = tmp_path_factory.mktemp("sound") / "model.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")]).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def write(sound, tmp_path):
    """Writes the sound file with some members changed, added, or taken away (None); returns its path."""

    def written(changes, packing=zipfile.ZIP_STORED):
        path = tmp_path / "model.keras"
        with zipfile.ZipFile(path, "w", packing) as archive:
            for name, content in {**sound, **changes}.items():
                if content is not None:
                    archive.writestr(name, content)
        return path

    return written


@pytest.fixture
def described(sound, write):
    """Writes the sound file with the description of its dense layer changed by a function."""

    def written(change):
        description = json.loads(sound["config.json"])
        change(description["config"]["layers"][1])
        return write({"config.json": json.dumps(description)})

    return written


def h5(fill):
    """The bytes of an H5 file, filled by a function."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        fill(file)
    return content.getvalue()


def test_a_model_that_was_trained_is_loaded(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.Adam(), loss="mse")
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    model.save(tmp_path / "model.keras")
    clips = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(load(tmp_path / "model.keras")(clips), model(clips))


def refused(path, *words):
    with pytest.raises(ValueError, match="Received: ") as told:
        load(path)
    message = str(told.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_the_sound_file_is_taken_stored_or_packed(write):
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert load(write({}, packing))(np.zeros((1, 3), "float32")).shape == (1, 2)


@pytest.mark.parametrize(
    "name", ["../../evil.txt", "/etc/evil", "C:\\evil", "assets/../../evil", "assets/layer/evil.txt", "link", "x.py"]
)
def test_members_that_no_model_has_are_refused_and_never_written(write, tmp_path, name):
    refused(write({name: b"evil"}), "each once, and nothing else")
    assert [path.name for path in tmp_path.rglob("*")] == ["model.keras"]


def test_a_member_that_is_there_twice_is_refused(write):
    """Two readers may read two different ones."""
    path = write({})
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")
    refused(path, "each once, and nothing else", "config.json")


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5", "metadata.json"])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(write, name, monkeypatch):
    path = write({name: bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_, **__: pytest.fail("unpacked"))
    refused(path, f"{name} of ", "50,000,000 unpacked")


def test_a_description_of_hundreds_of_megabytes_is_refused(write, monkeypatch):
    monkeypatch.setattr("sertk.models.keras_file.MOST_DESCRIPTION", 1000)
    refused(write({}), "unpacks to more than a model's does", "config.json")


@pytest.mark.parametrize("kind", ["Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer"])
def test_a_layer_that_holds_code_is_refused(described, kind):
    def change(layer):
        layer |= {"class_name": kind, "module": "keras.layers", "registered_name": None}

    refused(described(change), f"holds a {kind} layer, which would allow arbitrary code execution")


def test_code_that_hides_in_an_argument_is_refused(described):
    def change(layer):
        hidden = {"class_name": "__lambda__", "config": {"value": "YWJj"}}
        layer["config"]["activation"] = {"a": [[hidden]]}

    refused(described(change), "arbitrary code execution")


@pytest.mark.parametrize(
    ("kind", "module", "config"),
    [
        ("function", "os", "system"),
        ("function", "subprocess", "check_output"),
        ("Popen", "subprocess", {"args": "touch evil"}),
        ("function", "sertk.corpora.downloads.unpacking", "unpack"),
        ("BytePairTokenizer", "keras_hub.tokenizers", {"vocabulary": "/etc/passwd"}),
        ("Dense", "kerasevil.layers", {"units": 2}),
        ("Dense", ["keras"], {"units": 2}),
    ],
)
def test_foreign_names_are_refused_and_not_imported(described, kind, module, config, monkeypatch):
    def change(layer):
        activation = {"class_name": kind, "module": module, "config": config, "registered_name": kind}
        layer["config"]["activation"] = activation

    path = described(change)
    monkeypatch.setattr("importlib.import_module", lambda name, *_: pytest.fail(f"imported {name}"))
    refused(path, "names what neither Keras nor sertk has")


@pytest.mark.parametrize("name", ["get_file", "load_model"])
def test_functions_of_keras_that_reach_out_are_refused(described, name):
    module = {"get_file": "keras.utils", "load_model": "keras.saving"}[name]

    def change(layer):
        layer["config"]["activation"] = {
            "class_name": "function",
            "module": module,
            "config": name,
            "registered_name": name,
        }

    refused(described(change))


def test_more_weights_than_are_stored_are_refused_before_they_fill_the_memory(described):
    """4 TB: a dense layer of 10^9 x 1000."""

    def change(layer):
        layer["config"]["units"] = 10**9
        layer["build_config"] = {"input_shape": [None, 3]}

    refused(described(change), "a larger network than it holds weights of", "8 stored")


@pytest.mark.parametrize("units", [10**30, -1, "many", 0.5, None, [2]])
def test_absurd_sizes_are_refused(described, units):
    def change(layer):
        layer["config"]["units"] = units

    refused(described(change))


def claims(file):
    """A terabyte of zeros, of which nothing is stored."""
    file.create_dataset("layers/dense/vars/0", (500_000, 500_000), "float32", chunks=(1000, 1000))


def packed(file):
    file.create_dataset("layers/dense/vars/0", data=np.zeros((3000, 2000)), compression="gzip")


def outside(file):
    file["layers"] = h5py.ExternalLink("/tmp/other.h5", "/secret")


def soft(file):
    file["layers"] = h5py.SoftLink("/")


def beside(file):
    file.create_dataset("layers", (100,), "uint8", external=[("/etc/passwd", 0, 100)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "secret", (4,))
    file.create_virtual_dataset("layers", layout)


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (claims, "claim more than is stored"),
        (packed, "claim more than is stored"),
        (outside, "a link to another place"),
        (soft, "a link to another place"),
        (beside, "kept in another file"),
        (virtual, "kept in another file"),
    ],
)
def test_weights_that_are_elsewhere_or_nowhere_are_refused(write, fill, words):
    refused(write({"model.weights.h5": h5(fill)}), words)


def test_a_group_that_is_its_own_member_ends(write):
    def fill(file):
        file["again"] = file["/"]

    refused(write({"model.weights.h5": h5(fill)}), "a larger network than it holds weights of", "0 stored")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b"\xff\xfe", b'{"class_name": 3}', b"[" * 200_000, b'{"a": 1e999}']
)
def test_a_description_that_is_none_is_refused(write, content):
    refused(write({"config.json": content}))


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"hello" * 100])
def test_weights_that_are_none_are_refused(write, content):
    refused(write({"model.weights.h5": content}))

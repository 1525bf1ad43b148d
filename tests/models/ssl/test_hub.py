"""Where a checkpoint comes from: folders, what is fetched of the hub, its cache, and what is said without a network."""

import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest

from sertk.models.ssl.hub import checkpoint_folder

hub = pytest.importorskip("huggingface_hub")

NAME = "facebook/wav2vec2-base"
SETTINGS = ["config.json", "preprocessor_config.json", "processor_config.json"]
COMMIT = "0b5b8e868dd84f03fd87d01f9c4ff0f080fecfe8"


@pytest.fixture
def fake_hub(monkeypatch, tmp_path):
    """A function that sets which files the hub's repository holds; it returns the list of what was fetched."""

    def holding(files, *, torch="2.6.0"):
        asked = []
        listed = SimpleNamespace(siblings=[SimpleNamespace(rfilename=file) for file in files])
        monkeypatch.setattr(hub, "model_info", lambda name, *, revision: asked.append((name, revision)) or listed)

        def download(name, *, revision, allow_patterns):
            asked.append((name, revision, allow_patterns))
            return str(tmp_path)

        monkeypatch.setattr(hub, "snapshot_download", download)
        monkeypatch.setitem(sys.modules, "torch", torch and SimpleNamespace(__version__=torch))
        return asked

    return holding


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """No network, and an empty cache of the hub's client, whose folder it gives."""

    def fail(*_, **__):
        raise OSError("[Errno -2] Name or service not known\nand more lines")

    monkeypatch.setattr(hub, "model_info", fail)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def refused(kind):
    """An error of the hub's client, which wants the answer of a server."""
    return kind(f"401 Client Error for {NAME}\n\nmore lines", response=mock.MagicMock())


@pytest.mark.parametrize("source", [str, Path])
def test_a_folder_of_this_machine_is_taken_as_it_is(source, tmp_path):
    assert checkpoint_folder(source(tmp_path)) == tmp_path


def test_a_folder_goes_before_a_repository_of_the_same_name(tmp_path, monkeypatch):
    (tmp_path / NAME).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert checkpoint_folder(NAME) == Path(NAME)


@pytest.mark.parametrize(
    ("weights", "needed"),
    [
        (["pytorch_model.bin", "model.safetensors", "tf_model.h5"], ["model.safetensors"]),
        (["pytorch_model.bin", "flax_model.msgpack"], ["pytorch_model.bin"]),
        (
            [
                *("model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors", "pytorch_model.bin"),
                *("model.safetensors.index.json", "model-notes.md", "pytorch_model-00001-of-00001.bin"),
            ],
            [
                *("model.safetensors.index.json", "model-00002-of-00002.safetensors"),
                "model-00001-of-00002.safetensors",
            ],
        ),
        (
            ["pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin", "training_args.bin"],
            ["pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin"],
        ),
    ],
    ids=["both", "pickle", "shards", "shards of pickles"],
)
def test_one_form_of_the_weights_is_fetched(weights, needed, fake_hub, tmp_path):
    asked = fake_hub(["README.md", "vocab.json", *SETTINGS, *weights])
    assert checkpoint_folder(NAME, revision="refs/pr/1") == tmp_path
    assert asked == [(NAME, "refs/pr/1"), (NAME, "refs/pr/1", SETTINGS + needed)]


def test_settings_that_a_repository_lacks_are_not_asked_for(fake_hub):
    asked = fake_hub(["config.json", "model.safetensors"])
    checkpoint_folder(NAME)
    assert asked[-1] == (NAME, None, ["config.json", "model.safetensors"])


@pytest.mark.parametrize(("torch", "message"), [(None, "PyTorch is needed"), ("2.5.1", "a newer PyTorch is needed")])
def test_pickles_are_not_fetched_where_nothing_can_read_them(torch, message, fake_hub):
    asked = fake_hub([*SETTINGS, "pytorch_model.bin"], torch=torch)
    with pytest.raises(ImportError, match=rf'{NAME}: pytorch_model\.bin .*"refs/pr/1".*{message}.*pip install'):
        checkpoint_folder(NAME)
    assert asked == [(NAME, None)]


def test_a_repository_without_weights_of_pytorch_is_refused(fake_hub):
    asked = fake_hub(["config.json", "tf_model.h5"])
    message = rf"{NAME}: holds no checkpoint of PyTorch; .* Received: a repository with config\.json, tf_model\.h5"
    with pytest.raises(ValueError, match=message):
        checkpoint_folder(NAME)
    assert len(asked) == 1


def test_without_a_network_the_error_says_which_files_to_fetch(no_network):
    message = (
        rf"^{NAME}: there is no such folder, and it can't be downloaded; where there is no network, fetch "
        rf"config\.json, preprocessor_config\.json and model\.safetensors .* from https://huggingface\.co/{NAME} on "
        r"another machine into a folder, and pass that folder in place of the name\. Received: \[Errno -2\] Name or "
        r"service not known$"
    )
    with pytest.raises(ConnectionError, match=message):
        checkpoint_folder(NAME)


def cached(folder, files):
    """What the hub's client leaves of a download, as its documentation of the cache has it."""
    repository = folder / "models--facebook--wav2vec2-base"
    snapshot = repository / "snapshots" / COMMIT
    for path in [repository / "refs" / "main", *(snapshot / file for file in files)]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(COMMIT)
    return snapshot


def test_without_a_network_an_earlier_download_is_used(no_network):
    snapshot = cached(no_network, [*SETTINGS, "model.safetensors"])
    assert checkpoint_folder(NAME) == snapshot
    with pytest.raises(ConnectionError):
        checkpoint_folder(NAME, revision="refs/pr/1")


def test_a_download_of_settings_alone_is_not_taken_for_a_checkpoint(no_network):
    cached(no_network, SETTINGS)
    with pytest.raises(ConnectionError):
        checkpoint_folder(NAME)


@pytest.mark.parametrize("kind", ["RepositoryNotFoundError", "GatedRepoError", "RevisionNotFoundError"])
def test_a_name_that_the_hub_does_not_have_is_told(kind, monkeypatch):
    error = refused(getattr(hub.utils, kind))
    monkeypatch.setattr(hub, "model_info", mock.Mock(side_effect=error))
    nowhere = f"{NAME}: there is no such folder, and the hub has no such repository, or it is private"
    message = f"^{nowhere}, .* Received: 401 Client Error for {NAME}$"
    with pytest.raises(ValueError, match=message):
        checkpoint_folder(NAME)


@pytest.mark.parametrize("source", ["wav2vec2", "a/b/c", "./a/b", "/a/b", "../b", "~/b", "a/", "a b/c", "", Path(NAME)])
def test_what_is_neither_a_folder_nor_a_name_is_refused(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"there is no such folder; pass the folder of a checkpoint, or a name"):
        checkpoint_folder(source)


def test_names_that_the_client_refuses_are_told():
    with pytest.raises(ValueError, match="the hub has no such repository"):
        checkpoint_folder("face--book/wav2vec2")


def test_a_folder_has_no_revision(tmp_path):
    with pytest.raises(ValueError, match=r"`revision` must be None for a folder\. Received: revision='x'"):
        checkpoint_folder(tmp_path, revision="x")


@pytest.mark.parametrize("source", [None, 3, True])
def test_a_source_of_another_kind_is_refused(source):
    with pytest.raises(ValueError, match=r"`source` must be a folder or a name on the hub\. Received: source="):
        checkpoint_folder(source)


def test_without_the_hubs_client_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"huggingface_hub is needed to download it; pip install 'sertk\[hub\]', or"):
        checkpoint_folder(NAME)

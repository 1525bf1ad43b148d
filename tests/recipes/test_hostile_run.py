"""Runs and manifests from strangers: what their files say is told in one sentence where no run says it."""

import gzip
import json
import os

import pytest

from sertk.corpora import load_manifest
from sertk.recipes import Recipe, Run, get

RECIPE = get("004-cnn-mfcc").to_dict()


@pytest.fixture
def run(tmp_path):
    """A run's folder with a `recipe.json` of some text, or of an object."""

    def written(told):
        (tmp_path / "recipe.json").write_text(told if isinstance(told, str) else json.dumps(told))
        return Run.open(tmp_path)

    return written


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 200_000, '{"a": ' * 100_000, "1" * 5000])
def test_settings_that_are_none_are_told_by_file(run, text):
    with pytest.raises(ValueError, match=r"recipe\.json: .*Received: "):
        run(text).settings  # noqa: B018  (a property)


def test_settings_of_gigabytes_are_not_read(run, tmp_path):
    opened = run("{}")
    os.truncate(tmp_path / "recipe.json", 1 << 34)  # sparse: it takes no room
    with pytest.raises(ValueError, match=r"recipe\.json: is larger than files of settings are.*17,179,869,184 bytes"):
        opened.settings  # noqa: B018


def test_a_file_of_settings_that_is_nested_too_deep_is_told(tmp_path):
    from sertk.cli.options import config_of

    (tmp_path / "settings.json").write_text("[" * 200_000)
    with pytest.raises(ValueError, match=r"settings\.json: is no JSON; .*Received: "):
        config_of(tmp_path / "settings.json")


@pytest.mark.parametrize("name", ["../other", "/etc", "a/../../b", "..", "", 7, "a\\b"])
def test_folds_lie_in_the_run(run, name):
    opened = run({"recipe": RECIPE, "classes": ["a"], "folds": ["fold-1", name]})
    with pytest.raises(ValueError, match="names a fold that is no folder of this run"):
        opened.folds  # noqa: B018


@pytest.mark.parametrize("changes", [{"recipe": None}, {"recipe": []}, {"classes": "angry"}, {"classes": 3}])
def test_what_every_run_says_is_there(run, changes):
    opened = run({"recipe": RECIPE, "classes": ["a"], **changes})
    with pytest.raises(ValueError, match=r"recipe\.json: is no run's; it must hold `(recipe|classes)`"):
        opened.description  # noqa: B018


@pytest.mark.parametrize(
    "values",
    [
        [],
        {"model": 3},
        {"model": {}},
        {"model": {"builder": "cnn", "options": []}},
        {"model": {"builder": "__import__", "options": {}}, "training": {"epochs": float("inf")}},
        {"training": {"epochs": float("nan")}},
        {"training": {"epochs": 10**400}},
        {"training": {"learning_rate": 10**400}},
        {"audio": {"__class__": "os"}},
        {"__class__": {"x": 1}},
        {"labels": ["os"]},
    ],
)
def test_a_recipe_that_is_none_is_told(values):
    with pytest.raises(ValueError, match="Received: "):
        Recipe.from_dict(values)


def test_a_builder_is_one_of_the_networks_and_nothing_else():
    from sertk.recipes import assemble, override

    recipe = override(get("004-cnn-mfcc"), {"model.builder": "load"})
    with pytest.raises(ValueError, match=r"`model\.builder` must be one of"):
        assemble.network(recipe, (32, 32), 4)


def test_a_manifest_is_never_unpacked(tmp_path):
    """A few kilobytes of gzip become gigabytes."""
    path = tmp_path / "manifest.csv.gz"
    path.write_bytes(gzip.compress(b"path,emotion\na.wav,sad\n"))
    with pytest.raises(ValueError, match="A manifest is a comma-separated table in UTF-8"):
        load_manifest(path)


def test_a_manifest_of_terabytes_is_not_read(tmp_path):
    path = tmp_path / "manifest.csv"
    path.write_text("path,emotion\n")
    os.truncate(path, 1 << 40)
    with pytest.raises(ValueError, match="a table of at most 1,073,741,824 bytes"):
        load_manifest(path)


def test_what_looks_like_a_formula_or_a_command_is_text(tmp_path):
    path = tmp_path / "manifest.csv"
    path.write_text("path,emotion\n$(touch evil).wav,=1+1\n")
    table = load_manifest(path)
    assert table["emotion"][0] == "=1+1"
    assert table["path"][0].endswith("$(touch evil).wav")
    assert [inner.name for inner in tmp_path.iterdir()] == ["manifest.csv"]

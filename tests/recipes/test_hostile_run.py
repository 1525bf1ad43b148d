"""Runs and manifests from strangers: what their files say is told in one sentence where no run says it."""

import bz2
import gzip
import json
import lzma
import os

import pytest

from sertk.corpora import load_manifest
from sertk.corpora.tables import read_table
from sertk.evaluation import load_predictions
from sertk.plain_csv import read_figures
from sertk.recipes import Recipe, Run, get
from sertk.tuning.search import Search

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


TABLES = [load_manifest, load_predictions, read_table, read_figures]


@pytest.mark.parametrize("read", TABLES)
@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_table_is_never_unpacked(tmp_path, read, ending, pack):
    """A few kilobytes become gigabytes."""
    path = tmp_path / f"table.csv.{ending}"
    path.write_bytes(pack(b"path,emotion,predicted\na.wav,sad,sad\n"))
    with pytest.raises(ValueError, match=rf"table\.csv\.{ending}") as told:
        read(path)
    assert "Received: " in str(told.value)


@pytest.mark.parametrize("read", TABLES)
def test_a_table_of_terabytes_is_not_read(tmp_path, read):
    path = tmp_path / "table.csv"
    path.write_text("path,emotion,predicted\n")
    os.truncate(path, 1 << 40)
    with pytest.raises(ValueError, match=r"table\.csv.*a table of at most 1,073,741,824 bytes"):
        read(path)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"loss\n1\n", b"epoch,seconds\n=1+1,x\n", b'"', b"a\n1,2\n1,2,3\n"]
)
def test_a_log_that_is_none_is_told_by_file(run, tmp_path, content):
    opened = run({"recipe": RECIPE, "classes": ["a"]})
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "log.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"log\.csv: (is no sound CSV table|must have a column).*Received: ") as told:
        opened.log  # noqa: B018
    assert "\n" not in str(told.value)


SOUND = {"processor": "any", "cores": 2, "gpus": [], "packages": {}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 200_000,
        *(json.dumps(SOUND | {name: None}) for name in SOUND),
        json.dumps(SOUND | {"cores": "2"}),
    ],
)
def test_an_environment_that_is_none_is_told_by_file(run, tmp_path, text):
    opened = run({"recipe": RECIPE, "classes": ["a"]})
    (tmp_path / "environment.json").write_text(text)
    with pytest.raises(ValueError, match=r"environment\.json: .*Received: "):
        opened.environment  # noqa: B018


@pytest.mark.parametrize(
    ("name", "ask"), [("best.json", lambda search: search.best), ("results.csv", lambda search: search.results)]
)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe"])
def test_a_search_that_is_none_is_told_by_file(tmp_path, name, ask, content):
    (tmp_path / "search.json").write_text("{}")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}: is no sound .*Received: "):
        ask(Search.open(tmp_path))


def test_what_looks_like_a_formula_or_a_command_is_text(tmp_path):
    path = tmp_path / "manifest.csv"
    path.write_text("path,emotion\n$(touch evil).wav,=1+1\n")
    table = load_manifest(path)
    assert table["emotion"][0] == "=1+1"
    assert table["path"][0].endswith("$(touch evil).wav")
    assert [inner.name for inner in tmp_path.iterdir()] == ["manifest.csv"]

"""The house itself: rooms import only downward, in no circle, and the door opens fast."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sertk"
ROOMS = (
    ["_version", "atomic", "plain_csv", "plain_json", "lock", "progress", "quiet"],
    ["folder"],
    ["audio"],
    ["corpora"],
    ["features"],
    ["augment"],
    ["pipeline"],
    ["images"],
    ["models"],
    ["embeddings"],
    ["graphs"],
    ["learning"],
    ["evaluation"],
    ["recipes"],
    ["tuning"],
    ["inference"],
    ["export"],
    ["demo"],
    ["quickstart"],
    ["cli"],
)
FLOOR = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def rooms_imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "sertk" else [node.module]
        for name in names:
            if name.startswith("sertk."):
                yield name.split(".")[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_below_it(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for imported in rooms_imported(path):
        assert FLOOR[imported] < FLOOR[room] or imported == room, f"{path} imports {imported}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_holds_one_idea(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize(
    "statement", ["import sertk", "import sertk.cli", "import sertk.recipes; sertk.recipes.RECIPES"]
)
def test_the_door_opens_without_tensorflow(statement):
    heavy = "{'tensorflow', 'keras', 'librosa', 'sklearn', 'matplotlib'}"
    code = f"import sys; {statement}; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_room_is_a_name_of_the_package():
    import sertk

    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} - {"cli"}
    assert rooms - set(sertk.__all__) == set()


def test_every_public_name_can_be_had():
    import sertk

    for room in sertk.__all__:
        part = getattr(sertk, room)
        for name in getattr(part, "__all__", []):
            assert getattr(part, name) is not None

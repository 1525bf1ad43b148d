"""What is stored of the notebooks: no outputs, one family, badges that lead to themselves."""

from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
STORED = sorted(FOLDER.glob("*.ipynb"))
COLAB = "https://colab.research.google.com/github/sertk/sertk/blob/main/notebooks/{}.ipynb"


def badge(name):
    return f"[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)]({COLAB.format(name)})"


@pytest.fixture(params=STORED, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def the_cell(notebook, tag):
    """The one cell with a tag, and its place."""
    (found,) = [(i, cell) for i, cell in enumerate(notebook.cells) if tag in cell.metadata.get("tags", [])]
    return found


def test_there_is_a_first_one_and_one_for_each_paper():
    assert [path.stem for path in STORED] == ["first", *(f"paper-00{number}" for number in range(5))]


def test_it_is_a_notebook_of_the_format_that_names_its_cells(notebook):
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


def test_it_is_stored_without_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_of_the_machine_that_wrote_it_nothing_is_stored(notebook):
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) <= {"kernelspec", "accelerator"}
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)


def test_it_begins_with_a_title_and_a_badge_that_opens_it(path, notebook):
    title, empty, colab, *_ = notebook.cells[0].source.splitlines()
    assert notebook.cells[0].cell_type == "markdown"
    assert title.startswith("# ")
    assert empty == ""
    assert colab == badge(path.stem)


@pytest.mark.parametrize(("tag", "place"), [("install", 1), ("parameters", 2)])
def test_install_and_settings_are_those_of_every_notebook(path, notebook, tag, place):
    first = nbformat.read(FOLDER / "first.ipynb", as_version=nbformat.NO_CONVERT)
    expected = the_cell(first, tag)[1].source
    assert the_cell(notebook, tag) == (place, notebook.cells[place])
    assert notebook.cells[place].source == expected.replace('Path("first-out")', f'Path("{path.stem}-out")')


def test_the_readme_has_each_with_its_badge():
    readme = (FOLDER / "README.md").read_text()
    for path in STORED:
        assert f"[{path.name}]({path.name})" in readme
        assert badge(path.stem) in readme

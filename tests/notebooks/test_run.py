"""The notebooks run from top to bottom, small, as they do on Colab large."""

from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

STORED = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def shown(notebook):
    """The kinds and contents of all that is shown, printed lines as text/plain."""
    for output in outputs(notebook):
        if output.output_type == "stream":
            yield "text/plain", output.text
        yield from output.get("data", {}).items()


@pytest.mark.slow
@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_it_runs_small_without_a_network_and_shows_sound_and_pictures(path, execute):
    notebook, folder = execute(nbformat.read(path, as_version=4))
    assert [cell.source for cell in notebook.cells if cell.cell_type == "code" and not cell.execution_count] == []
    assert [entry.name for entry in folder.iterdir()] == [f"{path.stem}-out"]
    kinds = {kind for kind, _ in shown(notebook)}
    assert "image/png" in kinds
    assert any("<audio" in text for kind, text in shown(notebook) if kind == "text/html")
    # What fails in a cell's `!command` is no error of the cell.
    assert not [text for _, text in shown(notebook) if "Traceback (most recent call last)" in text]


def of_cells(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def test_an_error_in_a_cell_is_told_with_the_cell(execute):
    with pytest.raises(
        CellExecutionError, match=r"(?s)places = \[\].*places\[3\].*IndexError: list index out of range"
    ):
        execute(of_cells("1 + 1", "places = []\nplaces[3]"))


def test_what_reaches_for_the_network_fails_even_if_it_catches_the_error(execute):
    reach = "import urllib.request\ntry:\n    urllib.request.urlopen('http://example.com')\nexcept OSError:\n    pass"
    with pytest.raises(AssertionError, match=r"reached for the network: example\.com"):
        execute(of_cells(reach))


def test_it_runs_in_this_python_whatever_kernels_are_installed(execute):
    import sys

    notebook, _ = execute(of_cells("import sys; print(sys.executable)"))
    assert dict(shown(notebook))["text/plain"].strip() == sys.executable

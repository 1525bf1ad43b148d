"""How the tests run a notebook: small, in an empty folder, with an empty home, and without a network."""

import os
from pathlib import Path

import matplotlib
import pytest

OFFLINE = Path(__file__).parent / "offline"
# Seconds a cell; a cell that hangs is told by its source.
TIMEOUT = 900


@pytest.fixture
def execute(tmp_path):
    """A function that runs a notebook from top to bottom and returns it with its outputs, and the folder it ran in.

    An error in a cell is raised as nbclient's `CellExecutionError`, with the cell and its traceback.
    """
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient

    def execute(notebook):
        folder, home, reached = tmp_path / "folder", tmp_path / "home", tmp_path / "reached"
        for path in (folder, home):
            path.mkdir()
        paths = [str(OFFLINE), os.environ.get("PYTHONPATH", "")]
        env = os.environ | {
            "SERTK_NOTEBOOK_SMALL": "1",
            "SERTK_REACHED": str(reached),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            # What another notebook downloaded is not there.
            "HOME": str(home),
            # matplotlib's list of fonts takes seconds to make.
            "MPLCONFIGDIR": matplotlib.get_cachedir(),
        }
        for name in ("SERTK_CACHE", "SERTK_CORPORA", "HF_HOME", "HF_HUB_CACHE", "KERAS_HOME", "XDG_CACHE_HOME"):
            env.pop(name, None)
        # No folders of kernels: "python3" is then this very Python, whatever is installed on the machine.
        kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
        client = NotebookClient(
            notebook,
            km=kernel,
            timeout=TIMEOUT,
            resources={"metadata": {"path": str(folder)}},
            extra_arguments=["--InteractiveShell.colors=NoColor"],
        )
        client.execute(env=env, cleanup_kc=True)
        assert not reached.exists(), f"reached for the network: {reached.read_text()}"
        return client.nb, folder

    return execute

"""A link for everybody: printed where Gradio's servers give one, and a line where they give none."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

pytest.importorskip("gradio", reason="the page needs Gradio: sertk[demo]")

import absl.logging
import gradio
import gradio.networking
import gradio.tunneling
import requests

from sertk.demo import serve
from sertk.inference import Predictor

# Nobody listens there.
NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture(autouse=True)
def nobody_closes_standard_error(monkeypatch):
    """uvicorn closes absl's handler, which closes what was the standard error before `capsys` came: pytest's."""
    monkeypatch.setattr(absl.logging.PythonHandler, "close", lambda _: None)


@pytest.fixture
def model():
    """A model that nobody asks."""
    model = object.__new__(Predictor)
    model.network = None
    return model


@pytest.fixture
def nothing_from_elsewhere(tmp_path, monkeypatch):
    """Gradio's servers can't be reached, and its program for tunnels is not on the machine."""
    monkeypatch.setattr(gradio.networking, "GRADIO_API_SERVER", NOWHERE)
    monkeypatch.setattr(gradio.tunneling, "BINARY_URL", NOWHERE)
    monkeypatch.setattr(gradio.tunneling, "BINARY_FOLDER", tmp_path)
    monkeypatch.setattr(gradio.tunneling, "BINARY_PATH", str(tmp_path / "frpc"))
    # Where Gradio puts a certificate.
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def names_a_server(nothing_from_elsewhere, monkeypatch):
    """Gradio's first server says which one to tunnel to, as it does where only the program can't be had."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps([{"host": "127.0.0.1", "port": 9, "root_ca": ""}]).encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(gradio.networking, "GRADIO_API_SERVER", f"http://127.0.0.1:{server.server_port}/")
        yield
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("reachable", ["nothing_from_elsewhere", "names_a_server"])
def test_without_a_link_the_page_goes_on_on_this_machine(reachable, request, model, capsys):
    request.getfixturevalue(reachable)
    page, address = serve(model, share=True, block=False)
    try:
        out, err = capsys.readouterr()
        assert out == ""
        (line,) = [line for line in err.splitlines() if line.startswith("sertk: ")]
        assert "no public link could be had" in line
        assert "Could not create share link." in line
        assert address.startswith("http://127.0.0.1:")
        assert requests.get(address, timeout=60).status_code == 200
    finally:
        page.close()


@pytest.mark.slow
def test_a_link_is_said_once(model, monkeypatch, capsys):
    monkeypatch.setattr(gradio.networking, "setup_tunnel", lambda **_: "http://abc.gradio.live")
    monkeypatch.setattr(gradio.Blocks, "block_thread", lambda _: None)
    page, address = serve(model, share=True)
    page.close()
    assert address == "https://abc.gradio.live"
    out, err = capsys.readouterr()
    assert out.startswith("https://abc.gradio.live  (Ctrl-C ends it)\n")
    assert "sertk: " not in err


@pytest.mark.slow
def test_in_a_notebook_the_page_shows_below_the_cell_without_a_link(model, monkeypatch):
    display = pytest.importorskip("IPython.display")
    shown = []
    monkeypatch.setattr(gradio.utils, "ipython_check", lambda: True)
    monkeypatch.setattr(display, "display", shown.append)
    page, address = serve(model, block=False)
    page.close()
    (frame,) = shown
    assert f'<iframe src="{address}"' in frame.data
    assert "microphone" in frame.data

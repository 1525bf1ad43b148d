"""A publisher on this machine: a server that does as it is told, also what servers should not do."""

import hashlib
import io
import re
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from sertk.corpora import OFFICIAL
from sertk.corpora.downloads import resuming
from sertk.corpora.downloads.remote import Remote
from sertk.corpora.downloads.sources import SOURCES, Source

PAGE = "https://example.org/emo-db"


class Publisher:
    """Serves `files`; what `script` has for a path is how its next requests are answered, one after the other.

    A step is a dict: `status` and `headers`; `body` in place of the file; `cut`, after how many bytes the line breaks;
    `length`, what is told as Content-Length (None: nothing is); `ranges=False`, as a server that knows no Range;
    `mark`, the ETag (None: none); `trusting`, without a look at If-Range; `hold`, an event to wait for after the cut.
    """

    def __init__(self):
        self.files, self.script, self.requests = {}, {}, []
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                publisher.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def asked(self, path):
        """The headers of all requests for a path."""
        return [headers for asked, headers in self.requests if asked == path]

    def answer(self, handler):
        path = handler.path
        self.requests.append((path, dict(handler.headers)))
        steps = self.script.get(path, [])
        step = steps.pop(0) if steps else {}
        body = step.get("body", self.files.get(path))
        if "status" in step or body is None:
            handler.send_response(step.get("status", 404))
            for name, value in {"Content-Length": "0", **step.get("headers", {})}.items():
                handler.send_header(name, value)
            handler.end_headers()
            return
        mark = step.get("mark", f'"{hashlib.sha1(body).hexdigest()}"')
        start = self.start(handler, step, mark)
        if start is not None and start >= len(body):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(body)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(200 if start is None else 206)
        if start is not None:
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        rest = body[start or 0 :]
        length = step.get("length", len(rest))
        if length is not None:
            handler.send_header("Content-Length", str(length))
        if mark:
            handler.send_header("ETag", mark)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(rest[: step.get("cut")])
        handler.wfile.flush()
        if "hold" in step:
            step["hold"].wait(30)
        handler.close_connection = True

    def start(self, handler, step, mark):
        told = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if not told or not step.get("ranges", True):
            return None
        if not step.get("trusting") and handler.headers.get("If-Range", mark) != mark:
            return None
        return int(told[1])


@pytest.fixture
def publisher(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    publisher = Publisher()
    yield publisher
    publisher.server.shutdown()
    publisher.server.server_close()


@pytest.fixture
def waits(monkeypatch):
    """What would be waited between tries, in seconds; nobody does."""
    waits = []
    monkeypatch.setattr(resuming, "time", SimpleNamespace(sleep=waits.append))
    return waits


@pytest.fixture(scope="session")
def zipped():
    """A ZIP of three clips of EMO-DB by name: noise, which does not shrink, some 300 kB."""
    random, file = np.random.default_rng(0), io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("03a01Fa", "16b10Wb", "08a02La"):
            clip = io.BytesIO()
            soundfile.write(clip, random.uniform(-0.9, 0.9, 50_000), 16_000, format="WAV")
            archive.writestr(f"emodb/wav/{name}.wav", clip.getvalue())
    return file.getvalue()


@pytest.fixture
def published(publisher, zipped, waits, monkeypatch):
    """EMO-DB as if it were three clips in one archive on this machine; returns how to publish it otherwise."""

    published = {"checksum": f"md5:{hashlib.md5(zipped).hexdigest()}", "size": len(zipped)}

    def publish(body=zipped, **otherwise):
        publisher.files["/emodb.zip"] = body
        remote = Remote("emodb.zip", (f"{publisher.address}/emodb.zip",), PAGE, **published | otherwise)
        monkeypatch.setitem(SOURCES, "emo_db", Source((remote,)))
        return remote

    monkeypatch.setitem(OFFICIAL, "emo_db", replace(OFFICIAL["emo_db"], clips=3, source=PAGE))
    publish()
    return publish

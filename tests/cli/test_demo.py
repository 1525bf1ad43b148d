"""`sertk demo`, where it can't begin."""

import sys


def test_without_gradio_it_says_what_to_install(sertk, one_line, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "gradio", None)
    one_line(sertk("demo", tmp_path), "pip install 'sertk[demo]'")


def test_a_port_that_is_none_is_told(sertk, one_line, tmp_path):
    one_line(
        sertk("demo", tmp_path, "--port", 70_000), "`port` must be an integer from 1 to 65535. Received: port=70000"
    )

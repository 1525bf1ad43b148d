"""`sertk demo`, where it can't begin."""

import sys

import pytest


def test_without_gradio_it_says_what_to_install(sertk, one_line, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "gradio", None)
    one_line(sertk("demo", tmp_path), "pip install 'sertk[demo]'")


def test_a_port_that_is_none_is_told(sertk, one_line, tmp_path):
    one_line(
        sertk("demo", tmp_path, "--port", 70_000), "`port` must be an integer from 1 to 65535. Received: port=70000"
    )


def test_a_longest_recording_that_is_none_is_told(sertk, one_line, tmp_path):
    one_line(sertk("demo", tmp_path, "--max-seconds", -1), "`max_seconds` must be", "Received: max_seconds=-1")


def test_a_tflite_file_that_is_none_of_ours_is_told(sertk, one_line, tmp_path):
    pytest.importorskip("gradio", reason="the page needs Gradio: sertk[demo]")
    (tmp_path / "other.tflite").write_bytes(b"TFL3")
    one_line(sertk("demo", tmp_path / "other.tflite"), "other.tflite: is no LiteRT model of sertk")


def test_its_help_names_what_it_takes(sertk):
    status, out, _ = sertk("demo", "--help")
    assert status == 0
    assert "A run's folder, a SavedModel or a .tflite file." in " ".join(out.replace("│", " ").split())

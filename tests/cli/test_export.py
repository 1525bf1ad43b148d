"""`sertk export` to LiteRT: what it prints, and what it refuses before anything is loaded."""

import subprocess
import sys

import pytest

from sertk.export import export_litert

pytest.importorskip("ai_edge_litert")


def test_a_tflite_file_is_exported_and_answers(sertk, one_line, finished_run, tiny_corpus, tmp_path):
    path = tmp_path / "emotions.tflite"
    status, out, _ = sertk("export", finished_run.directory, "-o", path, "--quantize", "float16")
    assert status == 0
    assert out.startswith(f"{path}, ")
    assert "MB, float16, takes a waveform, float32 (1, samples), at 16000 Hz and gives probabilities" in out
    status, out, _ = sertk("predict", path, tiny_corpus["path"][0])
    assert status == 0
    assert out.splitlines()[1].startswith(tiny_corpus["path"][0])
    told = sertk("predict", path, tiny_corpus["path"][0], "--explain", tmp_path / "why.png")
    one_line(told, f"`--explain` needs a run: what was exported holds no layers to look into. Received: {path}")


WITHOUT_TENSORFLOW = (
    "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; from sertk.cli import main; main()"
)


def test_a_tflite_file_answers_where_tensorflow_is_not(finished_run, tiny_corpus, tmp_path):
    path = export_litert(finished_run, tmp_path / "emotions.tflite")
    for words, sound in (("predict", path, tiny_corpus["path"][0]), b""), (("listen", path, "-"), b"\1\0" * 24_000):
        command = [sys.executable, "-c", WITHOUT_TENSORFLOW, *map(str, words)]
        done = subprocess.run(command, input=sound, capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr.decode()
        assert len(done.stdout.splitlines()) >= 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-o", "a.tflite", "--max-seconds", "5"], "`--max-seconds` is of no use with --format litert"),
        (["-o", "a.tflite", "--no-warm-up"], "`--warm-up` is of no use with --format litert"),
        (["-o", "a", "--quantize", "int8"], "`--quantize` is of no use with --format saved-model"),
        (["-o", "a", "--calibration", "5"], "`--calibration` is of no use with --format saved-model"),
        (["-o", "a", "--format", "onnx"], "`--format` must be one of saved-model, litert"),
        (["-o", "a", "--format", "litert"], "`path` must end in .tflite"),
        (["-o", "a.tflite", "--quantize", "int4"], "`quantize` must be one of float16, int8"),
    ],
)
def test_what_does_not_go_together_is_refused(sertk, one_line, finished_run, options, words):
    one_line(sertk("export", finished_run.directory, *options), words, "Received: ")

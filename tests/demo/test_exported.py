"""The page of an exported model: the same answers, and a sentence in place of what can't be explained."""

import pytest

from sertk.demo import build_page, look_at
from sertk.export import export_litert, export_saved_model
from sertk.inference import Predictor

pytestmark = pytest.mark.slow


def litert(run, folder):
    pytest.importorskip("ai_edge_litert")
    return export_litert(run, folder / "model.tflite")


def saved_model(run, folder):
    return export_saved_model(run, folder / "saved")


@pytest.fixture(scope="module", params=[litert, saved_model])
def exported(request, finished_run, tmp_path_factory):
    return request.param(finished_run, tmp_path_factory.mktemp("exported"))


def test_what_is_seen_of_an_exported_model_is_what_is_seen_of_its_run(exported, finished_run, tiny_corpus):
    path = tiny_corpus["path"][0]
    of_run, look = look_at(Predictor(finished_run.directory), path), look_at(Predictor(exported), path)
    assert look.sentence.split(",")[0] == of_run.sentence.split(",")[0]
    assert look.probabilities == pytest.approx(of_run.probabilities, abs=1e-4)
    assert (look.sound.size, look.over_time.size) == (of_run.sound.size, of_run.over_time.size)
    assert look.reason is None
    assert look.why.startswith("Not explained: ")
    assert "a .tflite file) holds no layers to look into" in look.why


def test_the_page_has_no_place_for_a_picture_of_what_is_not_explained(exported, finished_run):
    pytest.importorskip("gradio", reason="the page needs Gradio: sertk[demo]")
    for model, shown in ((exported, False), (finished_run.directory, True)):
        (reason,) = [one for one in build_page(model).blocks.values() if getattr(one, "elem_id", None) == "reason"]
        assert reason.visible is shown

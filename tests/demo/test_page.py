"""The page, in a real headless Chromium: a recording is heard, a broken one is told in a sentence."""

import os
import time

import numpy as np
import pytest
import soundfile

pytest.importorskip("gradio", reason="the page needs Gradio: sertk[demo]")

from sertk.demo import serve
from sertk.demo.page import NOTHING


@pytest.fixture(scope="module")
def address(finished_run):
    page, address = serve(finished_run.directory, max_seconds=20, block=False)
    yield address
    page.close()


@pytest.fixture
def upload(browser, address):
    """Opens the page, uploads a file, and returns what the page then says of it."""

    def uploaded(path, seconds=120):
        browser.get(address)
        find(browser, "input[type=file]", seconds).send_keys(str(path))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            # While it works, the page says how long already on a line above.
            *waiting, said = find(browser, "#sentence", seconds).text.strip().splitlines() or [""]
            if said and said != NOTHING and not waiting:
                return said
            if not waiting:
                # Who presses before the upload has ended is told to choose a file, and presses again.
                find(browser, "#listen", seconds).click()
            time.sleep(1)
        pytest.fail("the page said nothing")

    return uploaded


def find(browser, selector, seconds):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, seconds).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, selector))[0]


def test_an_uploaded_recording_is_heard_and_drawn(upload, browser, tiny_corpus, finished_run):
    said = upload(tiny_corpus["path"][0])
    assert said.partition(",")[0] in finished_run.classes
    probabilities = find(browser, "#probabilities", 60).text
    assert all(name in probabilities for name in finished_run.classes)
    for picture in ("sound", "timeline", "reason"):
        image = find(browser, f"#{picture} img", 60)
        end = time.monotonic() + 60
        while not (width := browser.execute_script("return arguments[0].naturalWidth", image)):
            assert time.monotonic() < end
            time.sleep(0.5)
        assert width in (1650, 1950)
    if "SERTK_SCREENSHOT" in os.environ:
        browser.save_screenshot(os.environ["SERTK_SCREENSHOT"])


def test_a_broken_file_is_told_in_a_sentence_without_its_folder(upload, tmp_path):
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF\xff\xff\xff\x7fWAVEfmt " + bytes(100))
    said = upload(path)
    assert said.startswith("This can't be heard. broken.wav: ")
    assert "/" not in said.partition("Received")[0]
    assert "Traceback" not in said


def test_a_recording_that_is_too_long_is_told(upload, tmp_path):
    soundfile.write(tmp_path / "long.flac", np.zeros(16_000 * 21), 16_000)
    assert "is longer than" in upload(tmp_path / "long.flac")

"""The page, in a real headless Chromium: what is sent or recorded is heard, what is broken is told in a sentence."""

import os
import socket

import numpy as np
import pytest
import soundfile

pytest.importorskip("gradio", reason="the page needs Gradio: sertk[demo]")

from sertk.demo import look_at, page, serve

# The machine may be busy: to wait long costs nothing where nothing is wrong.
SECONDS = 600
# The longest recording that the page takes.
LONGEST = 600


@pytest.fixture(scope="module")
def address(finished_run):
    served, address = serve(finished_run.directory, port=free_port(), max_seconds=LONGEST, block=False)
    yield address
    served.close()


@pytest.fixture
def opened(browser, address):
    browser.get(address)
    return browser


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait(browser, condition):
    """Waits until `condition(browser)` is something, and returns it."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    # What is looked at may be drawn anew in between.
    return WebDriverWait(browser, SECONDS, ignored_exceptions=[StaleElementReferenceException]).until(condition)


def all_of(browser, selector):
    from selenium.webdriver.common.by import By

    return browser.find_elements(By.CSS_SELECTOR, selector)


def find(browser, selector):
    return wait(browser, lambda browser: next(iter(all_of(browser, selector)), None))


def seen(browser, selector):
    return wait(browser, lambda browser: next((one for one in all_of(browser, selector) if one.is_displayed()), None))


def answer(browser):
    """Presses Listen, and returns what the page then says."""

    def said(browser):
        # While it works, the page says how long already on a line above.
        *waiting, told = find(browser, "#sentence").text.strip().splitlines() or [""]
        if waiting:
            return None
        if told and told != page.NOTHING:
            return told
        # Who presses before all is sent is told to choose a file, and presses again.
        seen(browser, "#listen").click()
        return None

    return wait(browser, said)


def check_all_is_shown(browser, said, classes):
    """Holds the page to the emotion that it says, a probability for each, and three pictures."""
    assert said.partition(",")[0] in classes
    wait(browser, lambda browser: all(name in find(browser, "#probabilities").text for name in classes))
    for picture, width in {"sound": 1650, "timeline": 1950, "reason": 1650}.items():
        script = f"return document.querySelector('#{picture} img')?.naturalWidth"
        assert wait(browser, lambda browser, script=script: browser.execute_script(script)) == width


@pytest.mark.slow
def test_an_uploaded_recording_is_heard_and_drawn(opened, tiny_corpus, finished_run):
    find(opened, "input[type=file]").send_keys(str(tiny_corpus["path"][0]))
    check_all_is_shown(opened, answer(opened), finished_run.classes)
    if "SERTK_SCREENSHOT" in os.environ:
        opened.save_screenshot(os.environ["SERTK_SCREENSHOT"])


@pytest.mark.slow
def test_what_the_microphone_hears_is_recorded_heard_and_drawn(opened, finished_run, tone, monkeypatch):
    recorded = {}

    def looked_at(predictor, path, max_seconds):
        recorded["waveform"], recorded["rate"] = soundfile.read(path)
        return look_at(predictor, path, max_seconds)

    monkeypatch.setattr(page, "look_at", looked_at)
    seen(opened, "#recording button[aria-label='Record audio']").click()
    seen(opened, "#recording .record-button").click()
    # The browser itself presses, because on a busy machine it may be long before it hears of us again.
    stop = seen(opened, "#recording .stop-button")
    opened.execute_script("setTimeout(() => arguments[0].click(), 2500)", stop)
    said = answer(opened)
    check_all_is_shown(opened, said, finished_run.classes)

    waveform, rate = recorded["waveform"], recorded["rate"]
    assert len(waveform) > 1.5 * rate
    assert f"over {len(waveform) / rate:.1f} s" in said
    power = np.abs(np.fft.rfft(waveform)) ** 2
    near = np.abs(np.fft.rfftfreq(len(waveform), 1 / rate) - tone) < 50
    assert power[near].sum() > 0.9 * power.sum()


def test_a_broken_file_is_told_in_a_sentence_without_its_folder(opened, tmp_path):
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF\xff\xff\xff\x7fWAVEfmt " + bytes(100))
    find(opened, "input[type=file]").send_keys(str(path))
    said = answer(opened)
    assert said.startswith("This can't be heard. broken.wav: ")
    assert "/" not in said.partition("Received")[0]
    assert "Traceback" not in said


def test_a_recording_that_is_too_long_is_told(opened, tmp_path):
    soundfile.write(tmp_path / "long.flac", np.zeros(16_000 * (LONGEST + 1), "int16"), 16_000)
    find(opened, "input[type=file]").send_keys(str(tmp_path / "long.flac"))
    assert "is longer than" in answer(opened)

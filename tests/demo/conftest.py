"""The page in a real browser, whose microphone hears a tone; skips where there is no browser."""

import shutil

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="session")
def tone():
    """Hz of what the browser's microphone hears."""
    return 1_000


@pytest.fixture(scope="session")
def browser(tone, tmp_path_factory):
    """A headless Chromium, driven by Selenium; its microphone hears beeps, and nobody is asked whether it may."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="no browser test without selenium: sertk[browser]")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no Chromium with its driver on this machine: make browser")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    microphone = beeps(tone, tmp_path_factory.mktemp("microphone"))
    words = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--mute-audio", "--lang=en"]
    words += ["--window-size=1400,2400", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    for word in [*words, f"--use-file-for-fake-audio-capture={microphone}"]:
        options.add_argument(word)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    driver.set_page_load_timeout(300)
    yield driver
    driver.quit()


def beeps(tone, folder):
    """A file of 1 s, two beeps and two pauses: what never changes a browser takes for noise, and takes away."""
    time = np.arange(48_000) / 48_000
    soundfile.write(folder / "beeps.wav", 0.5 * np.sin(2 * np.pi * tone * time) * (time % 0.5 < 0.3), 48_000)
    return folder / "beeps.wav"

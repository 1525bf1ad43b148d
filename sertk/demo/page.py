"""The page itself, made with Gradio."""

import contextlib
import io
import sys

from sertk.audio.decode import check_max_seconds
from sertk.demo.looking import MAX_SECONDS, look_at
from sertk.inference import Predictor

MAX_MEGABYTES = 50
# Seconds after which what strangers sent is deleted.
KEPT = 3_600
NOTHING = "Record something, or choose a file, then press Listen."


def build_page(model, *, max_seconds=MAX_SECONDS):
    """Builds the page: record or upload; waveform, spectrogram, probabilities, timeline and explanation.

    What can't be heard (a broken file, one too long) is told in a sentence on the page.

    Args:
        model: `Predictor`, the folder of a run or of a SavedModel, or a `.tflite` file. Of a run alone the page says
            what the answer hangs on.
        max_seconds: float, the longest recording to take, in seconds. Defaults to 120.

    Returns:
        `gradio.Blocks`, to be launched.

    Raises:
        ImportError: if Gradio is not installed, or as `Predictor` does.
        FileNotFoundError, ValueError: as `Predictor` does.
    """
    gradio = _gradio()
    predictor = model if isinstance(model, Predictor) else Predictor(model)

    def answer(path):
        if path is None:
            return NOTHING, None, None, None, None, ""
        try:
            look = look_at(predictor, path, max_seconds)
        except (ValueError, OSError) as error:
            return f"This can't be heard. {_plain(error)}", None, None, None, None, ""
        return (
            f"**{_plain(look.sentence)}**",
            look.probabilities,
            look.sound,
            look.over_time,
            look.reason,
            _plain(look.why),
        )

    with gradio.Blocks(title="sertk", analytics_enabled=False, delete_cache=(KEPT, KEPT)) as page:
        gradio.Markdown(
            f"# Which emotion does the model hear?\nUp to {max_seconds:g} s and {MAX_MEGABYTES} MB. A model says what "
            "it was trained to say, of silence and music too: what a person feels it does not know."
        )
        with gradio.Row():
            with gradio.Column():
                audio = gradio.Audio(
                    sources=["upload", "microphone"], type="filepath", label="Recording", elem_id="recording"
                )
                button = gradio.Button("Listen", variant="primary", elem_id="listen")
                sentence = gradio.Markdown(NOTHING, elem_id="sentence")
                probabilities = gradio.Label(label="Probabilities", elem_id="probabilities")
            with gradio.Column(scale=2):
                sound = _image(gradio, "Waveform and spectrogram", "sound")
                over_time = _image(gradio, "Timeline", "timeline")
                explained = predictor.network is not None
                reason = _image(gradio, "What the answer hangs on", "reason", visible=explained)
                why = gradio.Markdown(elem_id="why")
        button.click(answer, audio, [sentence, probabilities, sound, over_time, reason, why], api_name="listen")
    # One recording at a time: memory and threads are the model's.
    return page.queue(max_size=20, default_concurrency_limit=1)


def serve(model, *, share=False, port=None, max_seconds=MAX_SECONDS, block=True):
    """Serves the page on this machine, and with `share` through Gradio's servers to whoever has the link.

    In a notebook it shows below the cell, without `share` too, in Colab as well. Where no link can be had, such as
    without a network, that is told in a line on standard error, and the page is served on this machine alone.

    Args:
        model, max_seconds: as in `build_page`.
        share: bool. Defaults to False.
        port: int, or None for the first free one from 7860 on. Defaults to None.
        block: bool, whether to print the address and wait until it is stopped. Defaults to True.

    Returns:
        The page and its address, str, that of the link where there is one; close it with `page.close()`.

    Raises:
        ImportError: if Gradio is not installed.
        ValueError: if `port` is no port, or taken, or `max_seconds` no length.
        FileNotFoundError: if there is no such model.
    """
    if port is not None and (not isinstance(port, int) or not 1 <= port <= 65_535):
        raise ValueError(f"`port` must be an integer from 1 to 65535. Received: port={port!r}")
    check_max_seconds(max_seconds)
    gradio = _gradio()
    page = build_page(model, max_seconds=max_seconds)
    said = io.StringIO()
    try:
        # What Gradio says of a link, or of none in many lines, is said here in one.
        with contextlib.redirect_stdout(said):
            _, local, shared = page.launch(
                server_name="127.0.0.1",
                server_port=port,
                share=share,
                max_file_size=f"{MAX_MEGABYTES}mb",
                prevent_thread_lock=True,
                show_error=False,
                quiet=True,
                footer_links=["gradio"],
                # The theme of Gradio fetches its letters from elsewhere.
                theme=gradio.themes.Base(font=["sans-serif"], font_mono=["monospace"]),
            )
    except OSError as error:
        raise ValueError(f"`port` must be free; choose another one. Received: port={port} ({error})") from error
    if share and not shared:
        told = next(filter(None, said.getvalue().splitlines()), "")
        print(
            "sertk: no public link could be had (is there a network?); the page is served on this machine alone. "
            f"Gradio says: {told}",
            file=sys.stderr,
        )
    address = shared or local
    if block:
        print(f"{address}  (Ctrl-C ends it)", flush=True)
        page.block_thread()
    return page, address


def _image(gradio, label, name, visible=True):
    # A label of Gradio's would lie on the picture.
    return gradio.Image(
        label=label,
        show_label=False,
        elem_id=name,
        interactive=False,
        buttons=["download", "fullscreen"],
        visible=visible,
    )


def _plain(text):
    """Text that a page shows as it is: a file's name must not become markup."""
    text = str(text).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{letter}" if letter in "\\`*_[]#|!" else letter for letter in text)


def _gradio():
    try:
        import gradio
    except ImportError as error:
        raise ImportError("The page needs Gradio; pip install 'sertk[demo]'") from error
    return gradio

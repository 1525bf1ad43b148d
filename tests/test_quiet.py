"""What native code prints while TensorFlow loads: kept off the screen, unless something went wrong."""

import os

import pytest

from sertk.quiet import quiet_loading


def printed(capfd, error=None):
    """What is on the screen after native code printed a banner, and then failed."""
    with quiet_loading():
        os.write(2, b"a banner\n")
        if error is not None:
            raise error
    return capfd.readouterr().err


def test_banners_are_kept_off_the_screen(capfd):
    assert printed(capfd) == ""
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"


@pytest.mark.parametrize(("error", "shown"), [(ImportError, "a banner\n"), (KeyboardInterrupt, "")])
def test_they_are_shown_where_loading_fails_and_not_where_it_is_interrupted(capfd, error, shown):
    with pytest.raises(error):
        printed(capfd, error)
    assert capfd.readouterr().err == shown

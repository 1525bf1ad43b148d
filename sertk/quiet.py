"""TensorFlow without the lines that it prints while it loads."""

import contextlib
import os
import sys


@contextlib.contextmanager
def quiet_loading():
    """Keeps what native code writes to the standard error, such as TensorFlow's banners, off the screen.

    TensorFlow logs before its own log level can be set. If the block fails, what was held back is shown after all;
    who interrupts it knows why.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    screen = os.dup(2)
    os.dup2(write_end, 2)
    try:
        yield
    except Exception:
        os.dup2(screen, 2)
        os.close(write_end)
        write_end = None
        with open(read_end, "rb", closefd=False) as held:
            os.write(2, held.read())
        raise
    finally:
        os.dup2(screen, 2)
        os.close(screen)
        os.close(read_end)
        if write_end is not None:
            os.close(write_end)

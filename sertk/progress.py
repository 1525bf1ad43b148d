"""Progress bars for whoever is watching."""

import sys

from tqdm import tqdm


def progress_bar(iterable=None, *, show=True, **options):
    """A bar of tqdm's on a terminal or in a notebook; in a log file, where it would fill pages, none.

    Args:
        iterable: what is worked through, or None where `update` is called. Defaults to None.
        show: bool, False for no bar anywhere. Defaults to True.
        options: those of `tqdm.tqdm`, such as `total`, `desc` and `unit`.

    Returns:
        `tqdm.tqdm`.
    """
    # A notebook's standard error is no terminal, though a bar is drawn there as on one.
    watched = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(iterable, disable=not (show and watched), **options)

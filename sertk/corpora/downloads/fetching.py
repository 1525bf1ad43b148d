"""Files from elsewhere into a folder, each whole and verified or not there."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager

import pooch
import requests

from sertk.corpora.downloads.resuming import TRIES, ResumingDownloader
from sertk.corpora.downloads.room import require_room
from sertk.progress import progress_bar

# Polite, and enough: a server that is asked for thousands of small files answers slowly, not seldom.
CONNECTIONS = 4


def fetch(remotes, folder, label, progress=True, room=1):
    """Fetches files into a folder; what is there already and has its checksum is not fetched again.

    Args:
        remotes: list of `Remote`.
        folder: path of an existing folder.
        label: str, what the bar is called.
        progress: whether to show a bar, on a terminal. Defaults to True.
        room: float, how many times the bytes that are still to come have to be free on the disk. Defaults to 1.

    Returns:
        The files' paths, in the order of `remotes`.

    Raises:
        ConnectionError: if a file can't be had; those that came are kept, and the parts of others.
        OSError: if the disk has no room.
        ValueError: if a file is not the one that was published.
    """
    missing = [remote for remote in remotes if not (folder / remote.path).exists()]
    require_room(folder, room * sum((remote.size or 0) - _held(remote, folder) for remote in missing), "the download")
    with _bar(remotes, label, progress) as bar, _silent_pooch():
        line = _Line(bar)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            tasks = [pool.submit(line.fetch, remote, folder) for remote in remotes]
            try:
                for task in as_completed(tasks):
                    task.result()
            except BaseException:
                # One error ends all: thousands of other files would be waited for, and Ctrl-C would be too.
                line.stopped = True
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [task.result() for task in tasks]


class _StoppedError(Exception):
    """Another connection failed, or the user stopped it all."""


class _Line:
    """What the connections of one call share: the bar, and the mirror that answers."""

    def __init__(self, bar):
        self.bar, self.lock, self.own, self.mirror = bar, threading.Lock(), threading.local(), 0
        self.told, self.stopped = set(), False

    def fetch(self, remote, folder):
        path = folder / remote.path
        first, errors = self.mirror, []
        for place in (*range(first, len(remote.urls)), *range(min(first, len(remote.urls)))):
            last = len(errors) == len(remote.urls) - 1
            downloader = ResumingDownloader(
                remote,
                path.with_name(path.name + ".part"),
                self._session(),
                self._update,
                self._expect,
                # Rather another mirror at once than the same one again.
                tries=TRIES if last else 1,
            )
            there = path.exists()
            try:
                pooch.retrieve(
                    remote.urls[place], remote.checksum, fname=path.name, path=path.parent, downloader=downloader
                )
            except (ConnectionError, ValueError) as error:
                errors.append(error)
                continue
            if there and not downloader.counted:
                self._expect(remote, path.stat().st_size)
                self._update(path.stat().st_size)
            self.mirror = place
            return path
        raise errors[-1]

    def _session(self):
        if not hasattr(self.own, "session"):
            self.own.session = requests.Session()
        return self.own.session

    def _update(self, count):
        if self.stopped:
            raise _StoppedError
        with self.lock:
            self.bar.update(count)

    def _expect(self, remote, length):
        """The bar grows by a file whose size nobody had published."""
        with self.lock:
            if remote.size is None and remote.path not in self.told:
                self.told.add(remote.path)
                self.bar.total = (self.bar.total or 0) + length
                self.bar.refresh()


def _held(remote, folder):
    part = folder / f"{remote.path}.part"
    return min(part.stat().st_size, remote.size or 0) if part.exists() else 0


def _bar(remotes, label, progress):
    total = sum(remote.size or 0 for remote in remotes) or None
    return progress_bar(total=total, desc=label, unit="B", unit_scale=True, show=progress)


@contextmanager
def _silent_pooch():
    """Without pooch's lines on what it does, which would tear the bar."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)

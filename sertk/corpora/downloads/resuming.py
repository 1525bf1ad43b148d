"""Downloads that go on where they broke off: a downloader for pooch, which has none."""

import json
import re
import time
from pathlib import Path

import pooch
import requests

from sertk._version import __version__
from sertk.atomic import replacing
from sertk.corpora.downloads.room import full_disk, in_words, require_room

AGENT = f"sertk/{__version__}"
# Of what breaks off, at most one block is lost.
BLOCK = 2**16
TRIES = 5
SECONDS = 30
# A server may ask for patience, but not for hours of it.
PATIENCE = 60
BUSY = {429, 500, 502, 503, 504}
# What a file of untold length may have at most, so that a stream without an end has one.
MOST = 10 * 10**9
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


class _BrokenError(Exception):
    """The line broke, or the server is busy: worth another try."""

    def __init__(self, reason, wait=None):
        super().__init__(reason)
        self.wait = wait


class _StaleError(Exception):
    """What is here already is no part of what the server has now."""


class ResumingDownloader:
    """Downloads a file over HTTP, and goes on where an earlier download of it broke off.

    What has come stands in `part`, and beside it, in `part` with `.json` behind it, of what it is a part: address,
    length and the server's mark (ETag, or else the time of the last change). The rest is asked for by `Range` and
    `If-Range`; a server that knows neither, or whose file has changed, sends all of it again. Without a mark only a
    checksum could tell that both parts belong together, so without both the download starts over. A line that breaks
    is tried again at once, `tries` times without a further byte.

    Args:
        remote: a `Remote`.
        part: path of what has come so far.
        session: a `requests.Session`.
        update: function that is told of each block, in bytes (negative where some were for nothing).
        expect: function that is told `remote` and its length in bytes, whenever the server says it.
        tries: int. Defaults to 5.
    """

    def __init__(self, remote, part, session, update, expect, tries=TRIES):
        self.remote, self.part, self.session, self.tries = remote, Path(part), session, tries
        self.about = self.part.with_name(self.part.name + ".json")
        self.update, self.expect = update, expect
        self.counted = self.received = False

    def __call__(self, url, output_file, pooch, check_only=False):
        """Called by pooch: downloads `url` and puts it at `output_file`, whole and verified.

        Raises:
            ConnectionError: if there is no way to the file.
            OSError: if the disk is full.
            ValueError: if it is not the file that was published; nothing of it is kept.
        """
        self.part.parent.mkdir(parents=True, exist_ok=True)
        left, anew = self.tries, self.tries
        while True:
            before = self._held()
            try:
                self._stream(url)
                break
            except _StaleError:
                self._discard()
                anew -= 1
                if anew < 0:
                    raise ConnectionError(
                        f"{url}: the server gives another file each time; see {self.remote.page}. "
                        f"Received: {self.tries + 1} beginnings that were no part of what followed"
                    ) from None
            except _BrokenError as error:
                left = self.tries if self._held() > before else left - 1
                offline = error.wait is None and not self.received
                if left <= 0 or offline:
                    kept = f", the {in_words(self._held())} that came are kept" if self._held() else ""
                    raise ConnectionError(
                        f"{url}: can't be downloaded; call again when network and server are well{kept}. "
                        f"Received: {error}"
                    ) from error
                time.sleep(error.wait if error.wait is not None else 2.0 ** (self.tries - left))
        self._verify(url)
        self.part.replace(output_file)
        self.about.unlink(missing_ok=True)

    def _stream(self, url):
        held, about = self._held(), self._known(url)
        if held and about.get("length") == held:
            self._count(held)
            return
        headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
        if held:
            headers["Range"] = f"bytes={held}-"
            if about.get("mark"):
                headers["If-Range"] = about["mark"]
        try:
            with self.session.get(url, headers=headers, stream=True, timeout=SECONDS) as response:
                self._receive(url, response, held, about)
        except requests.TooManyRedirects as error:
            raise ConnectionError(f"{url}: leads in a circle; see {self.remote.page}. Received: {error}") from error
        except requests.RequestException as error:
            raise _BrokenError(_reason(error)) from error

    def _receive(self, url, response, held, about):
        status = f"{response.status_code} {response.reason}"
        if response.status_code == 416 and held:
            raise _StaleError
        if response.status_code in BUSY:
            raise _BrokenError(status, wait=_patience(response))
        if response.status_code not in (200, 206):
            raise ConnectionError(f"{url}: the server gives no such file; see {self.remote.page}. Received: {status}")
        mark, length = _mark(response), _length(response)
        if response.status_code == 206 and not held:
            raise ConnectionError(f"{url}: the server gives a part that nobody asked for. Received: {status}")
        if response.status_code == 206:
            told = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            same = told and int(told[1]) == held and about.get("length") in (None, int(told[2]))
            if not same or (mark and about.get("mark") not in (None, mark)):
                raise _StaleError
            length = int(told[2])
        elif held:
            self._discard()
            held = 0
        self._refuse_other_length(url, length)
        if length is not None:
            require_room(self.part.parent, length - held, self.remote.path)
            self.expect(self.remote, length)
        if not held:
            with replacing(self.about) as file:
                file.write_text(json.dumps({"url": url, "mark": mark, "length": length}))
        self._count(held)
        self._write(url, response, held, length)

    def _write(self, url, response, held, length):
        whole = length if length is not None else self.remote.size
        most = MOST if whole is None else whole
        try:
            with self.part.open("ab" if held else "wb") as file:
                for block in response.iter_content(BLOCK):
                    held += len(block)
                    if held > most:
                        break
                    file.write(block)
                    self.received = True
                    self.update(len(block))
        except requests.RequestException:
            raise
        except OSError as error:
            raise full_disk(self.part, error) from error
        if held > most:
            self._discard()
            raise ValueError(
                f"{url}: sends more than it should, and was deleted; see {self.remote.page}. "
                f"Received: more than {most:,} bytes"
            )
        if whole is not None and held < whole:
            raise _BrokenError(f"{held:,} of {whole:,} bytes")

    def _verify(self, url):
        """That these are the published bytes; what is not is deleted, so that the next call starts afresh."""
        wrong = None
        if self.remote.size is not None and self._held() != self.remote.size:
            wrong = f"{self._held():,} bytes in place of {self.remote.size:,}"
        elif not pooch.hashes.hash_matches(self.part, self.remote.checksum):
            algorithm = pooch.hashes.hash_algorithm(self.remote.checksum)
            found = pooch.file_hash(self.part, alg=algorithm)
            wrong = f"{algorithm} {found} in place of {self.remote.checksum.partition(':')[2]}"
        if wrong:
            self._discard()
            raise ValueError(
                f"{self.remote.path}: is not the file that was published, and was deleted; call again to download it "
                f"anew, and if that does not help see {self.remote.page}. Received: {wrong} from {url}"
            )

    def _refuse_other_length(self, url, length):
        if self.remote.size not in (None, length) and length is not None:
            self._discard()
            raise ValueError(
                f"{self.remote.path}: the server offers another file than the one that was published; see "
                f"{self.remote.page}. Received: {length:,} bytes in place of {self.remote.size:,} from {url}"
            )

    def _held(self):
        return self.part.stat().st_size if self.part.exists() else 0

    def _known(self, url):
        """What the part is a part of; the part goes where that can't be told."""
        try:
            about = json.loads(self.about.read_text())
        except (OSError, ValueError):
            about = {}
        if not isinstance(about, dict) or about.get("url") != url or not (about.get("mark") or self.remote.checksum):
            about = {}
        if self._held() and (not about or self._held() > (about.get("length") or MOST)):
            raise _StaleError
        return about

    def _discard(self):
        self.update(-self._held() if self.counted else 0)
        self.part.unlink(missing_ok=True)
        self.about.unlink(missing_ok=True)
        self.counted = False

    def _count(self, held):
        """Tells once of what an earlier call has fetched."""
        if not self.counted:
            self.update(held)
        self.counted = True


def _length(response):
    """The whole file's length as the server tells it, or None."""
    told = response.headers.get("Content-Length", "")
    return int(told) if told.isdigit() and "Content-Encoding" not in response.headers else None


def _mark(response):
    """What tells this state of the file from another; a weak ETag does not."""
    mark = response.headers.get("ETag", "")
    return mark if mark and not mark.startswith("W/") else response.headers.get("Last-Modified")


def _patience(response):
    told = response.headers.get("Retry-After", "")
    return min(int(told), PATIENCE) if told.isdigit() else 1.0


def _reason(error):
    """What lies at the bottom of a chain of wrapped errors, in a few words."""
    while error.__context__ is not None:
        error = error.__context__
    return getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__

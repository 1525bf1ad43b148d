"""The waveform cache: each file is decoded and resampled once, and read back as raw float32 from then on."""

import contextlib
import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import platformdirs

from sertk.atomic import replacing
from sertk.audio.decode import MAX_SECONDS, check_channel, check_max_seconds, check_sample_rate, read
from sertk.progress import progress_bar

BYTES = 4
# What a killed run left unfinished is swept away after a day: by then nobody is still writing it.
STALE = 24 * 3_600


class WaveformCache:
    """Decoded waveforms on disk, one file of little-endian float32 samples a clip.

    An entry is found by the file's absolute path, size, time of change, the sample rate and the channel: a file that
    changes is decoded anew. Entries are written under another name and then renamed, so a killed run or a full disk
    leaves no half of one. An entry whose size can't be that of a waveform, because something else damaged it, is
    written anew; of damage that keeps whole samples nothing is known. TensorFlow reads them without Python:
    `tf.io.decode_raw(tf.io.read_file(entry), tf.float32)`.

    Args:
        directory: the folder of the entries. Defaults to the environment variable `SERTK_CACHE`, or else `sertk`
            in the user's cache folder. It may be deleted at any time between runs.
        sample_rate: int, Hz. Defaults to 16000.
        channel: as in `sertk.audio.read`. Defaults to `"mean"`.
        max_seconds: as in `sertk.audio.read`; a clip that is longer is bad. Defaults to 3600.

    Raises:
        ValueError: if `sample_rate`, `channel` or `max_seconds` is none that `sertk.audio.read` takes.
    """

    def __init__(self, directory=None, sample_rate=16_000, channel="mean", max_seconds=MAX_SECONDS):
        check_sample_rate(sample_rate)
        check_channel(channel)
        check_max_seconds(max_seconds)
        self.directory = Path(directory or os.environ.get("SERTK_CACHE") or platformdirs.user_cache_dir("sertk"))
        self.sample_rate = sample_rate
        self.channel = channel
        self.max_seconds = max_seconds

    def entry(self, path):
        """Where the waveform of the file at `path` is kept, whether or not it is there yet.

        Raises:
            FileNotFoundError: if there is no file at `path`.
        """
        path = Path(path).absolute()
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(f"{path}: there is no such file; was the corpus moved?") from None
        identity = (str(path), status.st_size, status.st_mtime_ns, self.sample_rate, self.channel)
        name = hashlib.sha256(repr(identity).encode()).hexdigest()[:32]
        return self.directory / name[:2] / f"{name}.f32"

    def prepare(self, paths, progress=True):
        """Decodes what is not in the cache yet, on all cores.

        Args:
            paths: the audio files.
            progress: whether to show a bar. It appears only on a terminal, and if there is something to decode.

        Returns:
            A list of `Path`, the entries, in the order of `paths`.

        Raises:
            ValueError: if files can't be decoded: the message names each of the first ten with its reason.
            FileNotFoundError: if a file is missing.
            OSError: if an entry can't be written, as on a full disk: the message names the folder.
        """
        paths = list(paths)
        entries = [self.entry(path) for path in paths]
        failures = list(self._fill(dict(zip(entries, paths, strict=True)), progress).values())
        if failures:
            shown = "; ".join(failures[:10])
            rest = f"; and {len(failures) - 10} more" if len(failures) > 10 else ""
            raise ValueError(
                f"{len(failures)} of {len(paths)} files can't be used: {shown}{rest}. Mend them or take them out "
                "of the manifest"
            )
        return entries

    def bad(self, paths, progress=True):
        """The files that are missing or can't be decoded, each with its reason; the others are in the cache then.

        Whoever wants to go on without them asks here first and calls `prepare` with the rest, which costs nothing more.

        Args:
            paths: the audio files.
            progress: as in `prepare`.

        Returns:
            A list of `{"path", "reason"}` dicts, as in `manifest.attrs["skipped"]`, in the order of `paths`.

        Raises:
            OSError: if an entry can't be written, as on a full disk: the message names the folder.

        Example:
            >>> bad = cache.bad(manifest["path"])
            >>> sound = manifest[~manifest["path"].isin([clip["path"] for clip in bad])]
        """
        asked = list(dict.fromkeys(map(str, paths)))
        entries, reasons = {}, {}
        for path in asked:
            try:
                entries[path] = self.entry(path)
            except (OSError, ValueError) as error:
                reasons[path] = str(error)
        failures = self._fill({entry: path for path, entry in entries.items()}, progress)
        reasons |= {path: failures[entry] for path, entry in entries.items() if entry in failures}
        return [{"path": path, "reason": _without_name(reasons[path], path)} for path in asked if path in reasons]

    def waveform(self, path):
        """The waveform of one file, `(samples,)`, float32, decoded if need be."""
        (entry,) = self.prepare([path], progress=False)
        return np.fromfile(entry, dtype="<f4")

    def _fill(self, paths, progress):
        """Writes the entries that are not there yet; `paths` and the result, what was wrong, are found by entry."""
        missing = [entry for entry in paths if not self._is_whole(entry)]
        if not missing:
            return {}
        self._sweep()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            bar = progress_bar(
                pool.map(lambda entry: self._decode(entry, paths[entry]), missing),
                total=len(missing),
                desc="decoding",
                unit="clip",
                show=progress,
            )
            return {entry: failure for entry, failure in zip(missing, bar, strict=True) if failure}

    def _is_whole(self, entry):
        try:
            size = entry.stat().st_size
        except OSError:
            return False
        # One sample more than the limit is none too many: resampling rounds up.
        return size > 0 and size % BYTES == 0 and (size / BYTES - 1) / self.sample_rate <= self.max_seconds

    def _decode(self, entry, path):
        """Writes one entry; gives back what was wrong with the file, or None."""
        try:
            waveform = read(path, self.sample_rate, self.channel, self.max_seconds)
        except (ValueError, OSError) as error:
            return str(error)
        try:
            with replacing(entry) as unfinished:
                # Not `waveform.tofile`: it says nothing when the last few kilobytes do not fit on the disk.
                unfinished.write_bytes(waveform.astype("<f4", copy=False))
        except OSError as error:
            cause = error.__cause__ or error  # `replacing` names the entry, which nobody knows by its name
            raise OSError(
                f"{self.directory}: can't hold the decoded waveforms; make room there, or name another folder for the "
                f"cache (SERTK_CACHE). Received: {cause.strerror or cause}"
            ) from error
        return None

    def _sweep(self):
        """Removes what killed runs left unfinished, under the names that `replacing` gives."""
        newest = time.time() - STALE
        for leftover in self.directory.glob("??/.*.f32"):
            with contextlib.suppress(OSError):  # another run may sweep too
                if leftover.stat().st_mtime < newest:
                    leftover.unlink()


def _without_name(reason, path):
    return reason.removeprefix(f"{Path(path).absolute()}: ").removeprefix(f"{Path(path)}: ")

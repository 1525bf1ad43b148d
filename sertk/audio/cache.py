"""The waveform cache: each file is decoded and resampled once, and read back as raw float32 from then on."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import platformdirs
from tqdm import tqdm

from sertk.atomic import replacing
from sertk.audio.decode import check_channel, check_sample_rate, read


class WaveformCache:
    """Decoded waveforms on disk, one file of little-endian float32 samples a clip.

    An entry is found by the file's absolute path, size, time of change, the sample rate and the channel: a file that
    changes is decoded anew. Entries are written under another name and then renamed, so a killed run leaves no half
    of one. TensorFlow reads them without Python: `tf.io.decode_raw(tf.io.read_file(entry), tf.float32)`.

    Args:
        directory: the folder of the entries. Defaults to the environment variable `SERTK_CACHE`, or else `sertk`
            in the user's cache folder. It may be deleted at any time between runs.
        sample_rate: int, Hz. Defaults to 16000.
        channel: as in `sertk.audio.read`. Defaults to `"mean"`.

    Raises:
        ValueError: if `sample_rate` or `channel` is none that `sertk.audio.read` takes.
    """

    def __init__(self, directory=None, sample_rate=16_000, channel="mean"):
        check_sample_rate(sample_rate)
        check_channel(channel)
        self.directory = Path(directory or os.environ.get("SERTK_CACHE") or platformdirs.user_cache_dir("sertk"))
        self.sample_rate = sample_rate
        self.channel = channel

    def entry(self, path):
        """Where the waveform of the file at `path` is kept, whether or not it is there yet.

        Raises:
            FileNotFoundError: if there is no file at `path`.
        """
        path = Path(path).absolute()
        try:
            status = path.stat()
        except FileNotFoundError:
            raise FileNotFoundError(f"{path}: there is no such file; was the corpus moved?") from None
        identity = (str(path), status.st_size, status.st_mtime_ns, self.sample_rate, self.channel)
        name = hashlib.sha256(repr(identity).encode()).hexdigest()[:32]
        return self.directory / name[:2] / f"{name}.f32"

    def prepare(self, paths, progress=True):
        """Decodes what is not in the cache yet, on all cores.

        Args:
            paths: the audio files.
            progress: whether to show a bar. It appears only if there is something to decode.

        Returns:
            A list of `Path`, the entries, in the order of `paths`.

        Raises:
            ValueError: if files can't be decoded: the message names each of the first ten with its reason.
            FileNotFoundError: if a file is missing.
        """
        paths = list(paths)
        entries = [self.entry(path) for path in paths]
        missing = [pair for pair in dict(zip(entries, paths, strict=True)).items() if not pair[0].exists()]
        if missing:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                bar = tqdm(
                    pool.map(lambda pair: self._decode(*pair), missing),
                    total=len(missing),
                    desc="decoding",
                    unit="clip",
                    disable=not progress,
                )
                failures = [failure for failure in bar if failure]
            if failures:
                shown = "; ".join(failures[:10])
                rest = f"; and {len(failures) - 10} more" if len(failures) > 10 else ""
                raise ValueError(
                    f"{len(failures)} of {len(paths)} files can't be used: {shown}{rest}. Mend them or take them out "
                    "of the manifest"
                )
        return entries

    def waveform(self, path):
        """The waveform of one file, `(samples,)`, float32, decoded if need be."""
        (entry,) = self.prepare([path], progress=False)
        return np.fromfile(entry, dtype="<f4")

    def _decode(self, entry, path):
        """Writes one entry; gives back what was wrong with the file, or None."""
        try:
            waveform = read(path, self.sample_rate, self.channel)
        except (ValueError, OSError) as error:
            return str(error)
        with replacing(entry) as unfinished:
            waveform.astype("<f4", copy=False).tofile(unfinished)
        return None

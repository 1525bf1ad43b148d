"""What all readers share: walking a folder, looking into audio headers, saying what was left out."""

import math
import os
import re
from pathlib import Path

from sertk.audio import AUDIO_EXTENSIONS, info
from sertk.corpora.manifest import build_manifest
from sertk.corpora.readers.picture import image_size, is_image

AUDIO = tuple(sorted(AUDIO_EXTENSIONS))
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
LOSSY = (".mp3", ".ogg", ".opus")
# What lies beside the clips of any corpus and nobody would take for one, unless its ending is that of a sound.
COMPANION = re.compile(
    r"(?i)(readme|licen[cs]e|changelog|checksums?|makefile)[^/]*|"
    r".*\.(txt|csv|tsv|pdf|json|md|html?|xml|ya?ml|docx?|xlsx?|rtf|png|jpe?g|gif|py|ipynb|r)"
)


class Skip(Exception):  # noqa: N818  (it is a message to the scan, not an error)
    """Raised by a reader for a clip that it leaves out; its text is the reason that the user reads."""


class Aside(Skip):
    """Raised for a file that is understood, and left out on purpose: a second copy, another part of the corpus."""


class Bad(Skip):
    """Raised for a clip whose sound can't be had: training refuses such a corpus, unless it is told to skip them."""


def read_folder(directory, describe, corpus, beside=None, images=False, **constants):
    """Makes a manifest of a folder whose paths say what each clip is.

    A reader of a new corpus is mostly its own `describe`.

    Args:
        directory: the corpus' folder.
        describe: function of a clip's path, relative to `directory`, that returns its columns as a dict, or raises
            `Skip` with a reason. Under "clip", which becomes no column, it may say which official clip this is: a
            second file of that clip, whatever its name and format, is listed as a duplicate. The copy nearest to
            `directory` is kept, a lossless one before a lossy one, a short name before a long one, and any whose
            sound can be had before one that is damaged.
        corpus: the corpus' name, and what it is called in errors.
        beside: regular expression of relative paths, with "/", of files that belong to the corpus and are no clips;
            they are passed over. Defaults to None.
        images: bool, whether a folder without any sound is one of images, PNG or JPEG, which have no duration.
            Defaults to False.
        **constants: columns that are the same for every clip, such as `language`.

    Returns:
        The manifest, ordered by relative path.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if `directory` is a file, or holds no clip.
    """
    directory = existing_folder(directory)
    rows, skipped, damaged, seen = {}, [], [], {}
    images = images and not any(map(is_sound, files_of(directory)))
    for path in sorted(_candidates(directory, beside, images), key=_preference):
        try:
            if (directory / path).is_dir():
                raise Skip(
                    "a link to a folder, which is not followed; name the folder itself"
                    if (directory / path).is_symlink()
                    else "a folder, and no audio file"
                )
            if path.suffix.lower() in ARCHIVES:
                raise Aside("an archive; unpack it if its clips are missing")
            described = dict(describe(path))
            clip = described.pop("clip", path.as_posix())
            if clip in seen:
                raise Aside(f"duplicate of {seen[clip].as_posix()}")
            seconds = duration(directory / path, images)
        except Bad as reason:
            damaged.append((clip, path, reason))
        except Skip as reason:
            skipped.append(left_out(directory / path, reason))
        else:
            row = {"path": str(directory / path), "corpus": corpus, **constants, **described, "duration": seconds}
            rows[path.as_posix()] = row
            seen[clip] = path
    # Only now is it known whether a sound copy took the place of a damaged one.
    for clip, path, reason in damaged:
        instead = Aside(f"a damaged copy of {seen[clip].as_posix()}") if clip in seen else reason
        skipped.append(left_out(directory / path, instead))
    return finish([rows[path] for path in sorted(rows)], skipped, corpus, directory)


def left_out(path, reason):
    """An entry of `manifest.attrs["skipped"]`.

    Its `kind` is "aside" where there is nothing wrong with the file, "bad" where the file is a clip whose sound can't
    be had, and else "unknown".
    """
    kind = "aside" if isinstance(reason, Aside) else "bad" if isinstance(reason, Bad) else "unknown"
    return {"path": str(path), "reason": str(reason), "kind": kind}


def finish(rows, skipped, corpus, source):
    """Turns a reader's rows into a manifest; refuses a corpus without clips, and says why nothing was found."""
    skipped = sorted(skipped, key=lambda entry: Path(entry["path"]).as_posix())
    if not rows:
        why = f"; left out {summary(skipped)}" if skipped else ""
        raise ValueError(
            f"`directory` must hold clips of the corpus {corpus!r} ({', '.join(AUDIO)}), and none was found{why}. "
            f"Received: directory={str(source)!r}"
        )
    return build_manifest(rows, skipped)


def summary(skipped):
    """What was left out, in a few words: the count and the first three with their reasons."""
    first = "; ".join(f"{Path(entry['path']).name} ({entry['reason']})" for entry in skipped[:3])
    return f"{len(skipped)} file{'s' * (len(skipped) != 1)}: {first}{'; ...' * (len(skipped) > 3)}"


def duration(path, images=False):
    """A clip's length in seconds, from its header; NaN of an image. Raises `Skip` where there is nothing to be had."""
    if images and is_image(path):
        try:
            image_size(path)
        except (ValueError, OSError) as error:
            raise Bad(str(error).removeprefix(f"{path}: ")) from error
        return math.nan
    if not is_sound(path):
        raise Skip(f"no audio file: the name does not end in {', '.join(AUDIO)}")
    try:
        return info(path).seconds
    except (ValueError, OSError) as error:
        raise Bad(str(error).removeprefix(f"{path}: ")) from error


def existing_folder(directory):
    """`directory` as an absolute path, refused at the door where it is none."""
    folder = Path(directory).expanduser().absolute()
    if not folder.exists():
        raise FileNotFoundError(
            f"`directory` must name the folder that holds the corpus. Received: directory={str(directory)!r}, "
            "which does not exist"
        )
    if not folder.is_dir():
        raise ValueError(
            "`directory` must be a folder; give the one that holds the clips. "
            f"Received: directory={str(directory)!r}, which is a file"
        )
    return folder


def files_of(directory):
    """Relative paths of all files but the hidden ones and Mac archive leftovers.

    Of linked folders it is the link, and a folder that is called like a sound is there besides the files in it.
    """
    for folder, folders, names in os.walk(directory, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        odd = [name for name in folders if (Path(folder) / name).is_symlink() or is_sound(name)]
        for name in (*names, *odd):
            if not name.startswith("."):
                yield (Path(folder) / name).relative_to(directory)


def _candidates(directory, beside, images):
    """What may be a clip: all files but companions, of any corpus and of this one."""
    for path in files_of(directory):
        companion = COMPANION.fullmatch(path.name) and not (is_sound(path) or (images and is_image(path)))
        if not companion and not (beside and re.fullmatch(beside, path.as_posix())):
            yield path


def is_sound(name):
    """Whether a file is called like a sound."""
    return Path(name).suffix.lower() in AUDIO


def _preference(path):
    return len(path.parts), path.suffix.lower() in LOSSY, len(path.name), path.as_posix()


def _unreadable(error):
    raise error

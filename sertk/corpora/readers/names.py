"""File names as people change them: an official name is known again, and nothing else is taken for one."""

import re

# What a copy is called: "clip (1)", "clip - Copy", "clip copy 2".
COPY = re.compile(r"(?i)(\s*\([0-9]{1,3}\)|[\s_-]+(copy|copie|copia|kopie)(\s*[0-9]{1,3})?)+$")
# What people put before a name: the corpus. And behind it: the format that they brought it to.
PREFIXES = "ravdess|crema_?d|tess|savee|emovo|emo_?db|berlin|iemocap|demos"
SUFFIXES = "[0-9]{1,2}k|[0-9]{1,2}khz|[0-9]{4,5}|[0-9]{4,5}hz|mono|resampled|pcm|pcm16|16bit|wav|flac|mp3"


def parse(form, stem):
    """Looks for an official name in the stem of a file's name.

    Case does not matter; blanks, underscores, dashes and dots between the parts are the same; the mark of a copy
    (` (1)`, ` - Copy`), the corpus' name before it and a format behind it (`_16k`, `_mono`) are allowed. Anything
    else around the name is not, since it may well stand for what was done to the clip, such as noise added to it.

    Args:
        form: regular expression of the official name, in lower case, with "_" between the parts.
        stem: the file's name without its ending.

    Returns:
        The match, whose groups are those of `form`, in lower case; None where the stem is not that name.

    Example:
        >>> parse("(?P<actor>10[0-9]{2})_(?P<sentence>[a-z]{3})", "CREMA-D 1001-DFA (1)").groupdict()
        {'actor': '1001', 'sentence': 'dfa'}
    """
    text = re.sub(r"[\s_.-]+", "_", COPY.sub("", stem.strip())).strip("_").lower()
    return re.fullmatch(rf"(?:(?:{PREFIXES})_)*(?:{form})(?:_(?:{SUFFIXES}))*", text)

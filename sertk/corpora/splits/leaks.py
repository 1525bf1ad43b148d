"""The check that keeps the parts of a split apart: no file, no recording and, where promised, no speaker in two."""

import pandas as pd

from sertk.corpora.manifest import require_columns, speaker_keys
from sertk.corpora.splits.parts import PARTS
from sertk.corpora.splits.twins import recordings

# Every kind of split, and whether it promises that no speaker is in two parts.
# Every clip trains.
ALL = "all"
KINDS = {
    "random": False,
    "speaker": True,
    "k-fold": False,
    "speaker-k-fold": True,
    "leave-one-speaker-out": True,
    "leave-one-session-out": True,
    "fold-file": False,
    ALL: False,
}


def check_split(table, kind, validation=True):
    """Refuses a split that is not what it says: a leak between its parts would make every number that follows too good.

    Args:
        table: a manifest with a column `part`.
        kind: the kind it claims to be, one of `sertk.corpora.KINDS`. No kind may have a file, or a recording under two
            names, in two parts; those that are by speaker or by session may not have a speaker in two parts either.
        validation: whether there must be a validation part. Defaults to True.

    Raises:
        ValueError: if the split leaks, a part is empty, or `part` holds other words than train, validation and test.
            The message names the first offenders and their number.
    """
    check_kind(kind, KINDS)
    require_columns(table, ("path", "part"), name="table")
    refuse_leaks(table, recordings(table), by_speaker=KINDS[kind], needed=PARTS if validation else ("train", "test"))


def speakers_apart(table):
    """Whether no speaker is in two parts of a split: what makes its result one on new voices.

    Args:
        table: a manifest with a column `part`.

    Returns:
        bool, or None where the speaker of a clip is unknown.
    """
    require_columns(table, ("part", "speaker", "corpus"), name="table")
    keys = speaker_keys(table)
    if keys.isna().any():
        return None
    return bool((table["part"].groupby(keys.to_numpy(dtype=object)).nunique() == 1).all())


def refuse_leaks(table, recording, by_speaker, needed=PARTS):
    """`check_split` where the recordings are known, for a split that needs the parts `needed`."""
    parts = table["part"].astype("string").reset_index(drop=True)
    others = sorted(set(parts.fillna("(none)")) - set(PARTS))
    if others:
        raise ValueError(f"`part` must hold only the words {', '.join(PARTS)}. Received: {', '.join(others)}")
    empty = [part for part in needed if not (parts == part).any()]
    if empty:
        raise ValueError(
            f"`part` must give each of {', '.join(needed)} at least one clip; {' and '.join(empty)} has none. "
            f"Received: {parts.value_counts().to_dict()}"
        )
    _refuse_shared("path", table["path"].astype(str), parts)
    twins = table["path"].reset_index(drop=True).groupby(recording).transform("first")
    _refuse_shared("recording", twins, parts)
    if by_speaker:
        keys = speaker_keys(table)
        require_speakers(keys)
        _refuse_shared("speaker", keys, parts)


def require_speakers(keys):
    """Refuses to keep speakers apart where they are not known."""
    if keys.isna().any():
        raise ValueError(
            "`speaker` must be known for each clip to split by speaker; use kind='random', or load the corpus from a "
            f"CSV with a speaker column. Received: {int(keys.isna().sum())} of {len(keys)} clips without a speaker"
        )


def check_kind(kind, kinds):
    """Refuses what is no kind of split."""
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"`kind` must be one of {', '.join(map(repr, sorted(kinds)))}. Received: kind={kind!r}")


def _refuse_shared(what, keys, parts):
    keys = pd.Series(keys.to_numpy(), index=parts.index, dtype="string")
    leaks = sorted(keys[parts.groupby(keys.to_numpy()).transform("nunique") > 1].unique())
    if leaks:
        first = ", ".join(f"{key} (in {' and '.join(sorted(set(parts[keys == key])))})" for key in leaks[:3])
        raise ValueError(
            f"`part` must keep each {what} in one part; assign all its clips to the same one. "
            f"Received: {len(leaks)} in several, the first {first}"
        )

"""What every split starts from: the clips in an order of their own, and the recordings and speakers behind them."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sertk.corpora.manifest import require_columns, speaker_keys
from sertk.corpora.splits.leaks import refuse_leaks, require_speakers
from sertk.corpora.splits.parts import PARTS
from sertk.corpora.splits.twins import recordings


@dataclass(frozen=True)
class Material:
    """A manifest made ready to be divided.

    Args:
        manifest: as it was given.
        order: int array, the positions of its rows in an order that does not depend on the machine.
        clips: the manifest in that order, its index 0, 1, 2 and so on.
        recording: int array, the number of each clip's recording, in that order.
    """

    manifest: pd.DataFrame
    order: np.ndarray
    clips: pd.DataFrame
    recording: np.ndarray

    @classmethod
    def of(cls, manifest):
        """Looks into a manifest, and decodes what may be there twice.

        Raises:
            ValueError: if it has no clips, lacks a column, or a clip has no emotion.
        """
        require_columns(manifest, ("path", "emotion", "speaker", "corpus"))
        if len(manifest) == 0:
            raise ValueError("`manifest` must have at least one clip to split. Received: an empty manifest")
        if manifest["emotion"].isna().any():
            raise ValueError(
                "`emotion` must be known for each clip; drop the others. "
                f"Received: {int(manifest['emotion'].isna().sum())} clips without an emotion"
            )
        order = _canonical_order(manifest)
        clips = manifest.iloc[order].reset_index(drop=True)
        return cls(manifest, order, clips, recordings(clips))

    @property
    def emotions(self):
        """Object array, the emotion of each clip."""
        return self.clips["emotion"].astype(object).to_numpy()

    def speakers(self):
        """Names of the speakers, sorted, and the number of each clip's speaker among them.

        Raises:
            ValueError: if a speaker is unknown, or one recording is under two speakers: they can't be kept apart then.
        """
        keys = speaker_keys(self.clips)
        require_speakers(keys)
        shared = keys.groupby(self.recording).agg(["nunique", "first", "last"]).query("nunique > 1")
        if len(shared):
            raise ValueError(
                "`manifest` must not have the same recording under two speakers; correct the speakers, or drop the "
                f"copies. Received: {len(shared)} such recordings, the first under {shared['first'].iloc[0]} and "
                f"{shared['last'].iloc[0]}"
            )
        return np.unique(keys.to_numpy(dtype=str), return_inverse=True)

    def table(self, parts, by_speaker, needed=PARTS):
        """The manifest as it was given, with the column `part`, once more checked for leaks.

        Args:
            parts: object array, the part of each clip in the order of `clips`.
            by_speaker: whether no speaker may be in two parts.
            needed: the parts that must have clips.
        """
        given = np.empty(len(parts), dtype=object)
        given[self.order] = parts
        recording = np.empty_like(self.recording)
        recording[self.order] = self.recording
        table = self.manifest.assign(part=pd.array(given, dtype="string"))
        refuse_leaks(table, recording, by_speaker, needed)
        return table


def _canonical_order(manifest):
    """Positions of the rows ordered by what does not depend on the machine: corpus, speaker, file name, folders."""
    # Strings, because taking a hundred thousand paths apart as `Path` takes longer than all the rest of a split.
    paths = [Path(path).absolute().as_posix() for path in manifest["path"].astype(str)]
    corpora = manifest["corpus"].fillna("").astype(str).tolist()
    speakers = manifest["speaker"].fillna("").astype(str).tolist()
    folders = pd.Series([path.rpartition("/")[0] or "/" for path in paths])
    root = {corpus: len(os.path.commonpath(set(its))) for corpus, its in folders.groupby(corpora)}
    keys = [
        (corpus, speaker, path.rpartition("/")[2], path[root[corpus] :].lstrip("/"), row)
        for row, (corpus, speaker, path) in enumerate(zip(corpora, speakers, paths, strict=True))
    ]
    return np.array([key[-1] for key in sorted(keys)], dtype=int)

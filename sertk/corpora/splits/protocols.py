"""Protocols: the splits that papers publish, by name, and the one door to every kind of split."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sertk.corpora.manifest import require_columns
from sertk.corpora.splits.cross_validation import TESTED, check_file, folds, folds_of_table
from sertk.corpora.splits.leaks import ALL, check_kind
from sertk.corpora.splits.material import Material
from sertk.corpora.splits.single import SPLITTERS, split

EMOBOX = "EmoBox: Ma et al. (2024), Interspeech, https://arxiv.org/abs/2406.07162"


@dataclass(frozen=True)
class Protocol:
    """A published way to divide a corpus. What is None the publication leaves open.

    Args:
        name: what it is called here.
        title: what it does, in a few words.
        corpus: the corpus it is made for, or None for any.
        kind: a kind of `split` or of `folds`.
        source: who published it, and where.
        fractions: as in `split`.
        k: as in `folds`.
        validation: as in `folds`.
        folds: the test speakers of each fold, where the kind is "fold-file".
        seed: as in `split`.
    """

    name: str
    title: str
    corpus: str | None
    kind: str
    source: str
    fractions: tuple | None = None
    k: int | None = None
    validation: float | None = None
    folds: tuple | None = None
    seed: int | None = None


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "ravdess-80-20",
            "1,152 clips to train, 288 to test, drawn at random; no validation part",
            "ravdess",
            "random",
            "paper 002, sections 4 and 5.2, which calls the 288 its validation as well as its test set",
            fractions=(0.8, 0.2),
        ),
        Protocol(
            "ravdess-80-10-10",
            "1,152, 144 and 144 clips, drawn at random",
            "ravdess",
            "random",
            "paper 004, sections 4.3 to 4.6, there of four corpora joined",
            fractions=(0.8, 0.1, 0.1),
        ),
        Protocol(
            "ravdess-90-5-5",
            "1,296, 72 and 72 clips, drawn at random",
            "ravdess",
            "random",
            "paper 004, its fine-tuned wav2vec 2.0, there of four corpora joined",
            fractions=(0.9, 0.05, 0.05),
        ),
        Protocol(
            "ravdess-10-8-6",
            "10, 8 and 6 actors, as many women as men: 600, 480 and 360 clips",
            "ravdess",
            "speaker",
            "paper 003, table 1; it does not say which actors",
            fractions=(10, 8, 6),
        ),
        Protocol(
            "speakers-40-30-30",
            "40 %, 30 % and 30 % of the clips, by speaker",
            None,
            "speaker",
            "paper 003, section 3.1 and table 2, there of DEMoS: 27, 25 and 16 speakers, it does not say which",
            fractions=(0.4, 0.3, 0.3),
        ),
        Protocol(
            "ravdess-5-fold",
            "five folds of 288 clips, drawn at random",
            "ravdess",
            "k-fold",
            "paper 000, section 4.3; it does not say whether by clip or by speaker",
            k=5,
        ),
        Protocol(
            "ravdess-emobox",
            "six folds of four test actors",
            "ravdess",
            "fold-file",
            EMOBOX,
            folds=(
                ("01", "11", "20", "21"),
                ("04", "10", "12", "14"),
                ("08", "09", "19", "23"),
                ("03", "05", "07", "24"),
                ("02", "15", "16", "18"),
                ("06", "13", "17", "22"),
            ),
        ),
        Protocol(
            "emovo-leave-one-speaker-out",
            "six folds of one test actor",
            "emovo",
            "leave-one-speaker-out",
            EMOBOX,
        ),
        Protocol(
            "iemocap-leave-one-session-out",
            "five folds of one test session, that is two speakers",
            "iemocap",
            "leave-one-session-out",
            "paper 000, section 4.1: 5,531 utterances of five sessions, fivefold",
        ),
    )
}


def divide(manifest, kind, *, fractions=(0.8, 0.1, 0.1), k=5, validation=0.1, seed=0, file=None):
    """Divides a manifest in any way there is: the one door to `split`, `folds` and the published protocols.

    Args:
        manifest: DataFrame with the columns `path`, `emotion`, `corpus` and `speaker`; `gender` where known.
        kind: a kind of `split` or of `folds`, or the name of one of `PROTOCOLS`. What a protocol fixes holds, whatever
            the other arguments are; what it leaves open, such as the validation part or the seed, they say. "all" has
            every clip train, for a network that is measured elsewhere, or not at all.
        fractions: as in `split`; other kinds do not look at it. Defaults to (0.8, 0.1, 0.1).
        k: as in `folds`. Defaults to 5.
        validation: as in `folds`. Defaults to 0.1.
        seed: as in both. Defaults to 0.
        file: as in `folds`. Defaults to None.

    Returns:
        List of pairs of name and table: `[("split", table)]`, or `[("fold-1", table), ("fold-2", table), ...]`.

    Raises:
        ValueError: if an argument is out of range, the corpus is another one than the protocol's, or it can't be
            divided as asked.
        FileNotFoundError: if there is no fold file of that name.

    Example:
        >>> for name, table in divide(load("ravdess", "corpora/ravdess-16k"), "ravdess-emobox", validation=4):
        ...     print(name, table["part"].value_counts().to_dict())
        fold-1 {'train': 960, 'validation': 240, 'test': 240}
        ...
    """
    check_kind(kind, {**SPLITTERS, **TESTED, **PROTOCOLS, ALL: None})
    check_file(kind, file)
    if kind == ALL:
        material = Material.of(manifest)
        return [("split", material.table(np.full(len(material.clips), "train", object), False, ("train",)))]
    table = None
    if kind in PROTOCOLS:
        protocol = PROTOCOLS[kind]
        _refuse_other_corpus(manifest, protocol)
        if protocol.folds:
            table = pd.DataFrame(
                [(f"{number}", speaker) for number, fold in enumerate(protocol.folds, 1) for speaker in fold],
                columns=["fold", "speaker"],
                dtype="string",
            )
        kind = protocol.kind
        fractions, k, validation, seed = (
            given if fixed is None else fixed
            for fixed, given in (
                (protocol.fractions, fractions),
                (protocol.k, k),
                (protocol.validation, validation),
                (protocol.seed, seed),
            )
        )
    if kind in SPLITTERS:
        return [("split", split(manifest, kind, fractions, seed))]
    if table is not None:
        tables = folds_of_table(manifest, table, validation, seed)
    else:
        tables = folds(manifest, kind, k, validation, seed, file)
    if len(tables) == 1:
        return [("split", tables[0])]
    return [(f"fold-{number}", fold) for number, fold in enumerate(tables, 1)]


def _refuse_other_corpus(manifest, protocol):
    require_columns(manifest, ("corpus",))
    corpora = sorted(set(manifest["corpus"].fillna("(none)")))
    if protocol.corpus and corpora != [protocol.corpus]:
        raise ValueError(
            f"`kind`: the protocol {protocol.name!r} is made for the corpus {protocol.corpus!r} alone; use kind="
            f"{protocol.kind!r} for others. Received: a manifest of {', '.join(corpora)}"
        )

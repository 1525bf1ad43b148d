"""The stage of algorithm 1 that labels clips: multisource transfer on what a trained network makes of them."""

import json
import math

import pandas as pd

import sertk.corpora
from sertk.atomic import replacing
from sertk.learning.multisource import IncompleteMultisourceTransfer
from sertk.plain_json import read_object
from sertk.recipes.groups import Upstream
from sertk.recipes.transfer.upstream import UpstreamNetwork


def transfer_labels(network, sources, unlabelled, few, target, directory, *, cache=None, progress=True):
    """Labels the clips of a target by several sources, whose own labels may have been found in the same way.

    Each unlabelled corpus is labelled by those before it, the labelled sources first; then all of them, and the few
    clips of the target that have labels, label the target. In a folder that holds all this already nothing is done.

    Args:
        network: folder of the run whose embeddings are taken.
        sources: list of manifests, labelled.
        unlabelled: list of manifests, whose emotions are not looked at.
        few: manifest of the target's labelled clips.
        target: manifest of the target's other clips; their emotions, where known, only tell how well it went.
        directory: `Path` of the folder for `labels.csv`, path and emotion of the target's clips, and
            `discrepancies.json`.
        cache: folder for decoded waveforms and embeddings.
        progress: bool, whether to show bars and say what is done. Defaults to True.

    Returns:
        dict, as in `discrepancies.json`: a list of `steps`, each with the `target`, the clips of each source, MD and CD
        before and after, the rounds, and the `accuracy` of the labels where the truth is known, else None.

    Raises:
        ValueError: as `IncompleteMultisourceTransfer` does.
    """
    told = directory / "discrepancies.json"
    if told.is_file():
        return read_object(told)
    upstream = UpstreamNetwork(Upstream(source=str(network)))

    def embed(manifest):
        return upstream.embed(manifest, cache, progress)

    known = [(name(manifest), embed(manifest), manifest["emotion"].to_numpy(str)) for manifest in sources]
    steps = []
    for manifest in unlabelled:
        vectors = embed(manifest)
        labels, step = _labelled(known, name(manifest), vectors, manifest, progress)
        known.append((name(manifest), vectors, labels))
        steps.append(step)
    own = [(f"{name(few)}, labelled", embed(few), few["emotion"].to_numpy(str))]
    labels, step = _labelled(known + own, name(target), embed(target), target, progress)
    directory.mkdir(parents=True, exist_ok=True)
    with replacing(directory / "labels.csv") as unfinished:
        sertk.corpora.save_manifest(target[["path"]].assign(emotion=labels), unfinished)
    said = {"network": str(network), "steps": [*steps, step]}
    with replacing(told) as unfinished:
        unfinished.write_text(json.dumps(said, indent=2) + "\n")
    return said


def name(manifest):
    """What a manifest's clips are called: their corpora."""
    return ", ".join(sorted(set(manifest["corpus"].astype(str))))


def _labelled(sources, target_name, embeddings, truth, progress):
    """The labels that sources give a target, and what is told of it."""
    transfer = IncompleteMultisourceTransfer()
    transfer.fit([(vectors, labels) for _, vectors, labels in sources], embeddings)
    right = truth["emotion"].isin(transfer.classes_)
    accuracy = float((transfer.labels_ == truth["emotion"].to_numpy(object))[right].mean()) if right.any() else None
    step = {
        "target": target_name,
        "sources": {name: len(vectors) for name, vectors, _ in sources},
        **{measure: _moments(transfer.discrepancies_[measure]) for measure in ("MD", "CD")},
        "rounds": transfer.n_iter_,
        "labels": {str(label): int(count) for label, count in pd.Series(transfer.labels_).value_counts().items()},
        "accuracy": accuracy,
    }
    if progress:
        well = "" if accuracy is None else f", {accuracy:.1%} of them right"
        print(f"{len(embeddings):,} clips of {target_name} were labelled by {len(sources)} sources{well}", flush=True)
    return transfer.labels_, step


def _moments(discrepancy):
    """A discrepancy before and after, a number a source; None for a source without a class of the target's."""
    return {
        moment: [None if math.isnan(value) else float(value) for value in discrepancy[moment]]
        for moment in ("before", "after")
    }

"""Clips with and without labels: which of a recipe's training clips teach what."""

import numpy as np
import pandas as pd

import sertk.corpora
from sertk.recipes.run import Run

UNLABELLED = "unlabelled"


def learns_without(recipe):
    """Whether a recipe learns from clips that nobody has labelled."""
    return recipe.contrastive.loss == "nt_xent" or recipe.teacher.source is not None


def mapped(recipe, manifest):
    """A manifest with the recipe's labels; where it learns without any, clips that have none are "unlabelled".

    Raises:
        ValueError: as `sertk.corpora.map_labels` does.
    """
    if not learns_without(recipe):
        return sertk.corpora.map_labels(manifest, recipe.labels)
    return labelled_or_not(manifest, recipe.labels)


def labelled_or_not(manifest, labels):
    """A manifest with the labels of a label map; clips that have none are "unlabelled", behind the others.

    Raises:
        ValueError: as `sertk.corpora.map_labels` does.
    """
    known = manifest[manifest["emotion"].notna()]
    if len(known):
        known = sertk.corpora.map_labels(known, labels)
    rest = manifest[manifest["emotion"].isna()].assign(emotion=UNLABELLED)
    together = pd.concat([known, rest], ignore_index=True)
    together["emotion"] = together["emotion"].astype("string")
    together.attrs = {**manifest.attrs, **known.attrs}
    return together


def classes_of(recipe, manifest):
    """The emotions that a recipe's network tells apart, in the order of its outputs: a teacher's, or the manifest's.

    Raises:
        ValueError: if the manifest has an emotion that the teacher does not know.
    """
    there = set(manifest["emotion"]) - {UNLABELLED}
    if recipe.teacher.source is None:
        return sorted(there) or [UNLABELLED]
    classes = Run.open(recipe.teacher.source).classes
    foreign = sorted(there - set(classes))
    if foreign:
        raise ValueError(
            f"`teacher.source` must know the emotions of the clips, and {recipe.teacher.source} knows "
            f"{', '.join(classes)}: map the labels alike. Received: {', '.join(foreign)}"
        )
    return list(classes)


def with_few_labels(recipe, split):
    """A split with a column `labelled`, 0 or 1, where the recipe keeps a share of the training part's labels.

    Raises:
        ValueError: as `sertk.corpora.keep_labels` does.
    """
    if recipe.split.labelled == 1:
        return split
    known = split["emotion"] != UNLABELLED
    kind = "speaker" if sertk.corpora.speakers_apart(split) else "random"
    kept = sertk.corpora.keep_labels(split[known], recipe.split.labelled, recipe.split.seed, kind)
    labelled = kept["labelled"].reindex(split.index, fill_value=False)
    return split.assign(labelled=labelled.astype("int64"))


def lessons(recipe, train):
    """The clips of a training part that a recipe learns from, with the labels that it is told.

    Args:
        recipe: `Recipe`.
        train: the training part, with a column `labelled` where few labels are kept.

    Returns:
        The manifest of the clips, and a bool array, which of them have a label.

    Raises:
        ValueError: if none is left, or the table of labels lacks columns or names foreign clips.
    """
    labelled = (train["emotion"] != UNLABELLED).to_numpy(bool)
    if "labelled" in train:
        labelled &= train["labelled"].to_numpy() == 1
    if recipe.contrastive.loss == "nt_xent":
        return train, np.zeros(len(train), bool)
    if recipe.teacher.source is None:
        return train[labelled], np.ones(labelled.sum(), bool)
    if recipe.teacher.labels is not None:
        told = _told(recipe.teacher.labels).reindex(train["path"].astype(str)).to_numpy()
        told = np.where(labelled, train["emotion"].to_numpy(object), told)
        labelled = ~pd.isna(told)
        train = train.assign(emotion=pd.array(np.where(labelled, told, UNLABELLED), "string"))
    return train, labelled


def _told(path):
    """The emotion of each path in a table of labels."""
    table = sertk.corpora.load_manifest(path)
    table = table[table["emotion"].notna()].drop_duplicates("path")
    if not len(table):
        raise ValueError(f"{path}: must hold the emotion of a clip at least. Received: a table without labels")
    return table.set_index(table["path"].astype(str))["emotion"].astype(object)

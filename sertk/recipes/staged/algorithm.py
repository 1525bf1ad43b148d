"""Algorithm 1 of paper 000: an encoder learns from several sources, and is poured into a student of the target."""

import json
import os
from pathlib import Path

import pandas as pd

import sertk.corpora
from sertk.atomic import replacing
from sertk.recipes.assemble import check_settings
from sertk.recipes.book import get
from sertk.recipes.experiment import evaluate, train
from sertk.recipes.few_labels import UNLABELLED, labelled_or_not
from sertk.recipes.papers.paper_000 import ENCODERS
from sertk.recipes.prepared import divided
from sertk.recipes.recipe import override
from sertk.recipes.staged.transferred import transfer_labels

# What learns without a part to be measured on.
EVERY_CLIP = {"split.kind": "all"}
STAGES = {
    "supervised": "the encoder learns from labelled sources",
    "simclr": "it learns from unlabelled sources",
    "teacher": "the teacher learns from few labels",
    "student": "the student learns from the teacher",
}
# What is known of a stage only once those before it have ended.
PREDECESSORS = {
    "supervised": (),
    "simclr": ("start.source",),
    "teacher": ("start.source",),
    "student": ("start.source", "teacher.source"),
}
# For a machine without a GPU.
SMALL = {"audio.seconds": 1.0, "training.epochs": 10, "training.learning_rate": 1e-3}


def simclrv2(
    sources,
    unlabelled,
    target,
    directory,
    *,
    encoder="resnet50",
    changes=None,
    stage_changes=None,
    cache=None,
    verbose=None,
    command=None,
):
    """Carries out algorithm 1: five stages, each in a folder of its own.

    | stage | what learns | from what |
    | :-- | :-- | :-- |
    | `1-supervised` | the encoder, by supervised contrastive learning | the labelled sources |
    | `2-simclr` | the same, by SimCLR | the unlabelled sources; left out where there is none |
    | `3-teacher` | a classifier on the middle of the projection head | the target's few labels |
    | `4-transfer` | labels for the target, by incomplete multisource transfer | all sources, the few labels |
    | `5-student` | a classifier on the encoder | the teacher and the labels of stage 4, on all training clips |

    Teacher and student are measured on the target's test part. Called again, it goes on where it was stopped. Of a
    cross-validation of the target, which the recipes' 5 folds are, stages 3 to 5 are there once a fold, in `fold-1`,
    `fold-2` and so on. Pre-training never hears the target.

    Where algorithm 1 is silent: its "repeat until the loss minimizes" is the recipes' number of epochs; the transfer
    runs once, on the teacher's embeddings, unlabelled sources first, each labelled by those before it; what it finds
    are the hard labels of equation (3), of which the teacher's share is half.

    Args:
        sources: list of manifests, labelled, such as those of RAVDESS speech.
        unlabelled: list of manifests, whose labels, if they have any, are not looked at.
        target: manifest of the target, of which a share of the training part keeps its labels.
        directory: folder of the whole.
        encoder: "resnet50", the paper's, "resnet9", "cnn6" or "speech-simclr". Defaults to "resnet50".
        changes: dict of settings to override in all stages, as in `sertk.recipes.override`, such as
            `training.epochs`. `split` settings are the target's. Defaults to None.
        stage_changes: dict of such dicts, for "supervised", "simclr", "teacher" and "student". Defaults to None.
        cache: folder for decoded waveforms. Defaults to that of `sertk.audio.WaveformCache`.
        verbose: Keras's: 0 silent, 1 bars, 2 a line an epoch. Defaults to bars on a terminal, lines elsewhere.
        command: str, the command that does it again. Defaults to none.

    Returns:
        dict, also in `summary.json`: a list of `folds`, each with the UAR and accuracy of teacher and student and what
        the transfer told; `uar` and `accuracy` of both over the folds.

    Raises:
        ValueError: as `sertk.train` does, or if there is no source or no such encoder.

    Example:
        >>> speech, song, emovo = (load(name, f"corpora/{name}") for name in ("ravdess", "ravdess_song", "emovo"))
        >>> said = simclrv2([speech], [song], emovo, "runs/kids", encoder="resnet9")
        >>> said["uar"]["student"]

    Source: paper 000, algorithm 1, sections 3.1.2 and 3.2.
    """
    if encoder not in ENCODERS:
        raise ValueError(f"`encoder` must be one of {', '.join(ENCODERS)}. Received: encoder={encoder!r}")
    if not sources:
        raise ValueError("`sources` must hold a labelled manifest at least. Received: none")
    places = set(target["path"].map(os.path.realpath))
    for name, manifests in (("sources", sources), ("unlabelled", unlabelled)):
        for manifest in manifests:
            shared = manifest["path"][manifest["path"].map(os.path.realpath).isin(places)]
            if len(shared):
                raise ValueError(
                    f"`{name}` must have no clip of the target, on which the student is measured; leave those "
                    f"speakers out of one of them. Received: {len(shared):,} such clips, the first {shared.iloc[0]}"
                )
    directory, changes, stage_changes = Path(directory), changes or {}, stage_changes or {}
    foreign = sorted(set(stage_changes) - {"supervised", "simclr", "teacher", "student"})
    if foreign:
        raise ValueError(
            f"`stage_changes` are those of supervised, simclr, teacher and student. Received: {', '.join(foreign)}"
        )
    shared = {name: value for name, value in changes.items() if not name.startswith("split.")}

    def settings(name, own):
        whose = {**changes, **own} if name in ("teacher", "student") else {**shared, **EVERY_CLIP, **own}
        return {**whose, **stage_changes.get(name, {})}

    def stage(name, manifest, folder, own):
        if verbose != 0:
            print(f"\nstage {folder.name[0]} of 5, {STAGES[name]}: {len(manifest):,} clips, {folder}", flush=True)
        return train(
            f"000-{encoder}-{name}",
            manifest,
            folder,
            changes=settings(name, own),
            cache=cache,
            verbose=verbose,
            command=command,
        )

    # What is wrong with a late stage is told before the first one trains.
    for name, unknown in PREDECESSORS.items():
        check_settings(override(get(f"000-{encoder}-{name}"), settings(name, dict.fromkeys(unknown, "to come"))))
    recipe = override(get(f"000-{encoder}-teacher"), {**changes, **stage_changes.get("teacher", {})})
    labelled = [sertk.corpora.map_labels(source, recipe.labels) for source in sources]
    divisions = _divisions(recipe, target, directory)
    pretrained = stage("supervised", sertk.corpora.join(sources), directory / "1-supervised", {})
    if unlabelled:
        own = {"labels": None, "start.source": str(pretrained.directory)}
        pretrained = stage("simclr", sertk.corpora.join(unlabelled), directory / "2-simclr", own)
    start = {"start.source": str(pretrained.directory)}
    folds = []
    for fold, teachers, students in divisions:
        known = target[target["emotion"].notna()]
        teacher = stage("teacher", known, directory / fold / "3-teacher", {**start, **teachers})
        heard = teacher.split[teacher.split["part"] == "train"]
        if "labelled" in heard:
            heard = heard[heard["labelled"] == 1]
        own = {**start, **students, "teacher.source": str(teacher.directory), "teacher.multiplier": 0.5}
        rest = _training_part(target, recipe.labels, students["split.file"])
        rest, said = rest[~rest["path"].isin(heard["path"])], None
        if len(rest):
            folder = directory / fold / "4-transfer"
            known = [source[source["emotion"].isin(teacher.classes)] for source in labelled]
            shown = {"cache": cache, "progress": verbose != 0}
            if verbose != 0:
                print(f"\nstage 4 of 5, labels for what has none: {len(rest):,} clips, {folder}", flush=True)
            said = transfer_labels(teacher.directory, known, unlabelled, heard, rest, folder, **shown)
            own["teacher.labels"] = str(folder / "labels.csv")
        own["split.labelled"] = recipe.split.labelled
        student = stage("student", target, directory / fold / "5-student", own)
        measured = {name: evaluate(run, cache=cache) for name, run in (("teacher", teacher), ("student", student))}
        folds.append({"name": fold, "transfer": said, **_figures(measured)})
    summary = {"encoder": encoder, "folds": folds, **_over(folds)}
    with replacing(directory / "summary.json") as unfinished:
        unfinished.write_text(json.dumps(summary, indent=2) + "\n")
    return summary


def _divisions(recipe, target, directory):
    """The folds of the target: their names, "" for a single one, and for teacher and student who is in which part.

    The teacher, who can't hear clips without labels, gets the same parts without those.
    """
    parts = divided(recipe, labelled_or_not(target, recipe.labels))
    divisions = []
    for name, split in parts:
        name = "" if len(parts) == 1 else name
        settings = []
        for who, clips in (("teacher", split[split["emotion"] != UNLABELLED]), ("student", split)):
            path = (directory / name / f"{who}-parts.csv").absolute()
            with replacing(path) as unfinished:
                sertk.corpora.save_manifest(clips[["path", "emotion", "part"]], unfinished)
            settings.append({"split.kind": "fold-file", "split.file": str(path)})
        divisions.append((name, *settings))
    return divisions


def _training_part(target, labels, file):
    """The training part of the target by a table of parts, with the recipe's labels."""
    manifest = labelled_or_not(target, labels)
    manifest["path"] = manifest["path"].map(lambda path: str(Path(path).absolute())).astype("string")
    table = sertk.corpora.load_manifest(file)
    return manifest[manifest["path"].isin(table["path"][table["part"] == "train"])].reset_index(drop=True)


def _figures(measured):
    return {measure: {name: metrics[measure] for name, metrics in measured.items()} for measure in ("uar", "accuracy")}


def _over(folds):
    """Mean and standard deviation over the folds."""
    table = pd.DataFrame([{(m, who): fold[m][who] for m in ("uar", "accuracy") for who in fold[m]} for fold in folds])
    return {
        measure: {
            who: {"mean": float(table[measure, who].mean()), "std": float(table[measure, who].std(ddof=0))}
            for who in ("teacher", "student")
        }
        for measure in ("uar", "accuracy")
    }

"""What a report says about a run: how it was measured, on what, and what the reader must not miss."""

import sertk.corpora
from sertk.plain_csv import read_figures
from sertk.recipes.transfer.upstream import fuses, knows_speakers

DRAWN = {"random", "k-fold"}


def protocol(run, part):
    """How a run was measured: corpus, split, sizes, clips, features, noise, seeds.

    Args:
        run: `Run`.
        part: the part that was measured on.

    Returns:
        dict, in the order in which to print it.
    """
    recipe, runs = run.recipe, run.folds or [run]
    split = runs[0].split
    audio = recipe.audio
    rate = f"{audio.sample_rate:,} Hz"
    trimming = "" if audio.trim_top_db is None else f", silent ends trimmed at -{audio.trim_top_db:g} dB"
    return {
        "corpus": ", ".join(run.settings["corpora"]),
        "emotions": f"{split['emotion'].nunique()} ({recipe.labels or 'as labelled'})",
        "split": _split(recipe.split)
        if recipe.chunks.together
        else f"chunks scattered over all parts, seed {recipe.split.seed}",
        "measured on": part,
        **{f"{name} part": _size([one.split for one in runs], name) for name in ("train", "validation", "test")},
        **({"trained on": "train and validation parts"} if recipe.training.join_validation else {}),
        **(
            {"clips": f"{_clips(audio)} at {rate}{trimming}"}
            if recipe.chunks.seconds is None
            else {"chunks": f"{_chunks(recipe.chunks)}, at {rate}"}
        ),
        "features": _features(recipe.features),
        "normalisation": "by band, fitted on the training part" if recipe.features.normalize else "none",
        "noise": _noise(recipe.noise),
        **_learning(recipe),
        **_passed_on(recipe),
        "training seed": recipe.training.seed,
        "folds": len(runs),
        "seeds": 1,
    }


def facts(run):
    """What a run is: parameters, epochs, time, machine, versions, command.

    Args:
        run: `Run`, finished.

    Returns:
        dict, in the order in which to print it.
    """
    runs = run.folds or [run]
    epochs = [len(one.log) for one in runs]
    kept = [one.kept_epoch for one in runs]
    there = run.environment
    members = run.recipe.training.members
    if "step" in runs[0].log:
        # Epochs of the log are rounds here.
        epochs = [f"{one.recipe.training.epochs} at most, judged {len(one.log)} times" for one in runs]
        kept = [f"step {one.log['step'][number - 1]}" for one, number in zip(runs, kept, strict=True)]
    return {
        "parameters": runs[0].model().count_params(),
        **({"members": f"{members}; epochs are the first one's"} if members > 1 else {}),
        "epochs": epochs if run.folds else epochs[0],
        "kept epoch": kept if run.folds else kept[0],
        "training time": f"{sum(map(_seconds, runs)) / 60:.1f} min",
        "machine": f"{there['processor']}, {there['cores']} cores, {len(there['gpus'])} GPUs",
        "versions": ", ".join(f"{name} {version}" for name, version in there["packages"].items()),
        "command": run.settings["command"],
    }


def notes(run):
    """What must stand on top of a run's report: that the corpus is invented, that speakers are shared.

    Args:
        run: `Run`.

    Returns:
        list of sentences.
    """
    splits = [one.split for one in run.folds or [run]]
    if run.recipe.training.join_validation:
        splits = [split.assign(part=split["part"].replace("validation", "train")) for split in splits]
    said = []
    if "synthetic" in run.settings["corpora"]:
        said.append(
            "The corpus is synthetic: made by a program, not spoken by people. The figures say that the path works."
        )
    if any((split.groupby("path")["part"].nunique() > 1).any() for split in splits):
        said.append(
            "THIS SPLIT LEAKS: chunks of one clip are in several parts, so the test part was all but seen in training. "
            "The figures say how much that flatters, and nothing else."
        )
    shared = [_shares_speakers(split) for split in splits]
    if any(one is None for one in shared):
        said.append("Not all speakers are known, so the test speakers may be in training too.")
    elif any(shared):
        how = "The split is random" if run.recipe.split.kind in DRAWN else "The split shares speakers"
        said.append(f"{how}: the test speakers are in training too, so the figures say nothing about new speakers.")
    if any(knows_speakers(run.recipe, one.split) for one in run.folds or [run]):
        said.append(
            "A network that this one learns from was trained on other clips of speakers that are measured here, so "
            "the figures say nothing about speakers that are new to it."
        )
    return said


def _shares_speakers(split):
    """Whether speakers of the test part are in training too; None where that can't be told."""
    keys = sertk.corpora.speaker_keys(split)
    if keys.isna().any():
        return None
    return bool(set(keys[split["part"] == "train"]) & set(keys[split["part"] == "test"]))


def _features(features):
    if features.kind != "embedding":
        return features.kind
    layer = "last layer" if features.layer is None else f"layer {features.layer}"
    return f"embeddings of {features.source}, {layer}, {features.pooling} over time"


def _learning(recipe):
    """What is told of few labels, augmentation, starting weights and a teacher; nothing where there are none."""
    chosen, start, teacher = recipe.augmentation, recipe.start, recipe.teacher
    told = {}
    if recipe.split.labelled < 1:
        told["labels"] = f"{100 * recipe.split.labelled:g} % of the training part keep theirs, seed {recipe.split.seed}"
    changes = [
        f"{amount:g} {what}"
        for amount, what in (
            (chosen.time_masks, "time masks"),
            (chosen.frequency_masks, "frequency masks"),
            (chosen.tri_cut, "of the clips tri-cut"),
            (chosen.tri_mix, "tri-mix"),
        )
        if amount
    ]
    if changes:
        told["augmentation"] = f"{', '.join(changes)}, triangles by {chosen.by}, training only"
    if start.source is not None:
        kept = f" and {start.layer} layers of its projection head" if start.layer else ""
        told["begins with"] = f"the encoder{kept} of {start.source}{', frozen' if start.frozen else ''}"
    if teacher.source is not None:
        told["teacher"] = f"{teacher.source}, {teacher.multiplier:g} of the loss, temperature {teacher.temperature:g}"
        if teacher.labels is not None:
            told["labels besides"] = str(teacher.labels)
    return told


def _passed_on(recipe):
    """What is told of an upstream, a graph or adversarial neighbours; nothing where there are none."""
    upstream, graph, adversarial = recipe.upstream, recipe.graph, recipe.adversarial
    told = {}
    if fuses(recipe):
        told["classic transfer"] = f"{recipe.model.options['fusion']}, {_source(upstream)}"
    if graph.neighbors:
        alike = f"similarity over {graph.threshold}" if graph.degree is None else f"{graph.degree:g} a clip on average"
        made = f"of {graph.file}" if graph.file else f"{alike}, {_source(upstream)}"
        told["graph"] = f"{graph.neighbors} neighbours at most, {made}"
        told["graph loss"] = (
            f"{graph.multiplier:g} times the {graph.distance} distance of {graph.layer or 'the output'}"
        )
    if adversarial.multiplier:
        told["adversarial loss"] = f"{adversarial.multiplier:g} times, {adversarial.step:g} away ({adversarial.norm})"
    return told


def _source(upstream):
    layer = "" if upstream.layer is None else f", layer {upstream.layer}"
    return f"embeddings of {upstream.source}{layer}"


def _clips(audio):
    if audio.pad != "batch":
        return f"{audio.seconds:g} s, cropped {audio.crop}, padded {audio.pad},"
    whole = "whole" if audio.seconds is None else f"at most {audio.seconds:g} s, cropped {audio.crop}"
    return f"{whole}, padded to the longest of their batch and masked,"


def _split(split):
    how = {"random": "fractions", "speaker": "fractions", "k-fold": "k", "speaker-k-fold": "k", "fold-file": "file"}
    published = sertk.corpora.PROTOCOLS.get(split.kind)
    words = [split.kind]
    if published:
        words.append(published.title)
    elif split.kind in how:
        value = getattr(split, how[split.kind])
        words.append("/".join(map(str, value)) if isinstance(value, tuple) else f"{how[split.kind]} {value}")
    kind = published.kind if published else split.kind
    if kind not in ("random", "speaker", "all"):
        own = " where the file has none" if split.kind == "fold-file" else ""
        words.append(f"validation {split.validation:g}{own}")
    return ", ".join([*words, f"seed {split.seed}"])


def _chunks(chunks):
    drawn = "all" if chunks.counts is None else f"{'/'.join(f'{count:g}' for count in chunks.counts)} drawn"
    where = "those of a clip in one part" if chunks.together else "those of a clip in all parts"
    return f"{1000 * chunks.seconds:g} ms of the voiced parts (-{chunks.top_db:g} dB), {drawn}, {where}"


def _size(splits, part):
    """How many clips and speakers a part has; of several folds the smallest and the largest."""
    chunks, clips, speakers = [], [], []
    for split in splits:
        rows = split[split["part"] == part]
        chunks.append(len(rows))
        clips.append(rows["path"].nunique() if "chunk_start" in rows else len(rows))
        speakers.append(sertk.corpora.speaker_keys(rows).nunique())
    if not max(clips):
        return "none"
    of_clips = f"{_range(chunks)} chunks of " if "chunk_start" in splits[0] else ""
    said = f"{of_clips}{_range(clips)} clips" + (
        f" of {_range(speakers)} speakers" if max(speakers) else ", speakers unknown"
    )
    return said + (" a fold" if len(splits) > 1 else "")


def _range(numbers):
    lowest, highest = min(numbers), max(numbers)
    return f"{lowest:,}" if lowest == highest else f"{lowest:,} to {highest:,}"


def _noise(noise):
    kinds = [f"{noise.copies} copies"] * bool(noise.copies) + ["fresh every epoch"] * noise.fresh
    return f"{' and '.join(kinds)}, {noise.snr[0]:g} to {noise.snr[1]:g} dB SNR, training only" if kinds else "none"


def _seconds(run):
    """Of all trainings in a run: each member's, and the second one where there is one."""
    logs = run.directory.glob("*training*/log.csv")
    return sum(read_figures(path, ["seconds"])["seconds"].sum() for path in logs)

"""An ensemble of runs or predictions: voted, set beside its members, and reported."""

import json
from pathlib import Path

import pandas as pd

from sertk.atomic import replacing
from sertk.evaluation import (
    align,
    all_combinations,
    best_member,
    by_clip,
    compare,
    metrics,
    over_folds,
    verdict,
    vote,
    write_members,
    write_report,
)
from sertk.evaluation.combinations import check_combinations, check_measure
from sertk.evaluation.voting import check_vote
from sertk.recipes import tell
from sertk.recipes.papers.paper_002_ensembles import ENSEMBLES
from sertk.recipes.run import refuse_runs_folder
from sertk.recipes.several.members import find_runs, open_members
from sertk.recipes.several.run_costs import costs

RULES = {
    "probability": "the likeliest class on average",
    "first": "the first class in alphabetical order, as in paper 002",
}


def evaluate_ensemble(
    members,
    directory,
    *,
    how="hard",
    ties="probability",
    part="test",
    choose=None,
    by="accuracy",
    validation=None,
    runs=None,
    cache=None,
    resamples=1000,
    command=None,
):
    """Lets runs or predictions vote, and reports the ensemble beside its members.

    `directory` then holds `report/` (`report-validation/` for that part), as a run does: `report.md` with its files is
    the ensemble's, `members.md` and `members.png` set it beside its members and say what each run cost. `members.csv`
    has the figures, `combinations.csv` those of all combinations.

    The best member is picked on the validation part where all members have the same one, else on `part` itself, which
    flatters it. McNemar's test says whether the ensemble beats it.

    Args:
        members: list of predictions CSVs and folders of finished runs, or the name of one of `sertk.recipes.ENSEMBLES`.
            A run that was not measured yet is measured now.
        directory: where to write; no run's folder.
        how: "hard" or "soft", as in `sertk.evaluation.vote`. Defaults to "hard".
        ties: "probability" or "first", as in `sertk.evaluation.vote`. Defaults to "probability".
        part: "test" or "validation", what to measure on. Of a CSV its file is taken. Defaults to "test".
        choose: int, or None. With it all combinations of as many members are tried on the validation part, and the best
            one is the ensemble. Defaults to None: all members vote.
        by: "accuracy" or "uar", the figure by which the best member and the best combination are picked. Defaults to
            "accuracy", which is what McNemar's test is about.
        validation: list of predictions CSVs about the validation part, one a member in the same order. Defaults to
            None: those of the runs.
        runs: folder that holds the runs of a named ensemble. Defaults to None.
        cache: folder for decoded waveforms. Defaults to that of `sertk.audio.WaveformCache`.
        resamples: int, of the bootstrap. Defaults to 1000.
        command: str, the command that does it again, for the report. Defaults to None.

    Returns:
        dict: `metrics` of the ensemble, as of `sertk.evaluate`; `members`, a list of dicts, their figures; `voted`, the
        names of those that vote; `best`, the best member's; `mcnemar`; `combinations`, how many were tried, or None;
        `sentences`, what all that says.

    Raises:
        FileNotFoundError: if there is nothing at a path.
        ValueError: if a member is no finished run and no predictions, the members are not about the same clips, or the
            arguments do not fit together.

    Example:
        >>> said = evaluate_ensemble(["runs/seed-0", "runs/seed-1", "runs/seed-2"], "runs/vote")
        >>> said["metrics"]["uar"], said["mcnemar"]["p"]
    """
    directory = Path(directory)
    check_vote(how, ties)
    check_measure(by)
    _check(directory, part, choose, validation, members, runs)
    title = None
    if isinstance(members, str):
        name, members = members, find_runs(members, runs)
        title = f"{ENSEMBLES[name].title} ({name})"
    opened = open_members(members)
    names = [member.name for member in opened]
    if choose is not None:
        check_combinations(len(opened), choose)
    others, why = _validation(opened, names, part, validation, choose, cache)
    tables = align([member.predictions(part, cache) for member in opened], names)
    if others is not None:
        _refuse_shared_clips(others[0], tables[0])
    best = best_member(tables if others is None else others, by)

    tried, voted = None, names
    if choose is not None:
        tried = all_combinations(others, tables, choose, how=how, ties=ties, by=by, names=names)
        voted = list(tried["members"][0])
    ensemble = vote([tables[names.index(name)] for name in voted], how, ties, voted)
    table, test = compare(ensemble, tables, names, best, resamples=resamples)
    table.insert(1, "votes", [name == "ensemble" or name in voted for name in table["name"]])
    sentences = [verdict(test, names[best]), _picked(names[best], by, part, why)]
    if tried is not None:
        sentences.append(_chosen(tried, voted, by, "fold" in ensemble))
    spent = pd.DataFrame([{"name": member.name, **costs(member.run)} for member in opened if member.run is not None])
    spent = spent.drop(columns="environment", errors="ignore")

    figures = _measured(ensemble, resamples)
    report = directory / ("report" if part == "test" else f"report-{part}")
    if len(spent):
        whole = spent.astype({"parameters": "Int64", "trainable_parameters": "Int64"})  # the ensemble has none
        _save(table.merge(whole, "left", "name"), directory / "members.csv")
    else:
        _save(table, directory / "members.csv")
    if tried is None:
        (directory / "combinations.csv").unlink(missing_ok=True)  # of an older ensemble
    else:
        _save(tried.assign(members=tried["members"].map(" + ".join)), directory / "combinations.csv")
    write_members(report, table, sentences=sentences, costs=spent, combinations=tried)
    write_report(
        report,
        ensemble,
        figures,
        title=title or f"{'Hard' if how == 'hard' else 'Soft'} vote of {len(voted)} members",
        protocol=_protocol(opened, voted, ensemble, part, how, ties),
        facts=_facts(table, command),
        notes=[*_notes(opened), *sentences, "members.md, beside this page, has the members' figures and costs."],
    )
    return {
        "metrics": figures,
        "members": json.loads(table.to_json(orient="records", double_precision=15)),
        "voted": voted,
        "best": names[best],
        "mcnemar": test,
        "combinations": None if tried is None else len(tried),
        "sentences": sentences,
    }


def _check(directory, part, choose, validation, members, runs):
    if part not in ("test", "validation"):
        raise ValueError(f'`part` must be "test" or "validation". Received: part={part!r}')
    if part != "test" and not (choose is None and validation is None):
        raise ValueError(
            "`choose` and `validation` are to pick on the validation part, so the ensemble has to be measured on the "
            f"test part. Received: part={part!r}"
        )
    if isinstance(members, str) != (runs is not None):
        raise ValueError(
            "`runs` is the folder in which the members of a named ensemble are found; give both, or runs and files "
            f"alone. Received: members={members!r}, runs={runs if runs is None else str(runs)!r}"
        )
    refuse_runs_folder(directory, "the ensemble")


def _validation(members, names, part, files, choose, cache):
    """The members' tables of the validation part, or None and why there are none to go by."""
    if files is not None:
        if len(files) != len(members):
            raise ValueError(
                f"`validation` must name a predictions CSV for each of the {len(members)} members, in their order. "
                f"Received: {len(files)} files"
            )
        files = open_members(files)
        return align([file.predictions("validation", cache) for file in files], names), None
    without = [member.name for member in members if not member.has_validation()]
    if without:
        if choose is not None:
            raise ValueError(
                "`choose` needs predictions of a validation part for each member: runs that have one, or their CSVs as "
                f"`validation`. Received: {', '.join(without)} without"
            )
        return None, f"{', '.join(without)} came without a validation part"
    if part == "validation":
        return None, None
    tables = [member.predictions("validation", cache) for member in members]
    try:
        return align(tables, names), None
    except ValueError:
        if choose is not None:
            raise
        return None, "the members do not share a validation part"


def _refuse_shared_clips(validation, test):
    keys = [name for name in ("path", "chunk_start", "fold") if name in test and name in validation]
    shared = validation[keys].astype("string").merge(test[keys].astype("string"))
    if len(shared):
        raise ValueError(
            "`validation` must be of other clips than those that the ensemble is measured on. "
            f"Received: {len(shared)} clip(s) in both, the first {shared['path'][0]}"
        )


def _picked(best, by, part, why):
    figure = {"accuracy": "accuracy", "uar": "UAR"}[by]
    if part == "validation":
        return f"The best member, {best}, was picked by {figure} on this very part, which flatters it."
    if why is None:
        return f"The best member, {best}, was picked by {figure} on the validation part."
    return f"The best member, {best}, was picked by {figure} on the test part itself, as {why}; that flatters it."


def _chosen(tried, voted, by, folds):
    figure = {"accuracy": "accuracy", "uar": "UAR"}[by]
    measure = tried[f"test_{by}"]
    folds = " A fold's validation clips are other folds' test clips, so the choice was not wholly blind." * folds
    return (
        f"{' + '.join(voted)} is the best of {len(tried):,} combinations of {len(voted)} members by {figure} on the "
        f"validation part; on the test part it has {measure[0]:.1%}.{folds} To pick on the test part, as paper 002 "
        f"does, would have shown {measure.max():.1%}: that flatters, since the best of many is partly the luckiest."
    )


def _measured(ensemble, resamples):
    """Metrics as `sertk.evaluate` has them: of chunks with those of the clips, of folds with mean and deviation."""
    figures = _with_folds(ensemble, resamples)
    if "chunk_start" in ensemble:
        figures["by_clip"] = _with_folds(by_clip(ensemble), resamples)
    return figures


def _with_folds(ensemble, resamples):
    figures = metrics(ensemble, resamples=resamples)
    if "fold" in ensemble and ensemble["fold"].nunique() > 1:
        folds = {name: metrics(rows, resamples=0) for name, rows in ensemble.groupby("fold", sort=False)}
        figures["folds"] = over_folds(list(folds.values()), list(folds))
    return figures


def _protocol(members, voted, ensemble, part, how, ties):
    runs = [member.run for member in members if member.run is not None]
    splits = dict.fromkeys(tell.protocol(run, part)["split"] for run in runs)
    corpora = ensemble["corpus"].dropna() if "corpus" in ensemble else []
    return {
        **({"corpus": ", ".join(sorted(set(corpora)))} if len(corpora) else {}),
        **({"split": "; ".join(splits)} if splits else {}),
        "measured on": part,
        "members": ", ".join(voted),
        "vote": f"{how}, ties to {RULES[ties]}" if how == "hard" else "soft, the mean of the probabilities",
    }


def _facts(table, command):
    facts = {}
    for row in table[1:].to_dict("records"):
        facts[f"member {row['name']}"] = f"accuracy {row['accuracy']:.1%}, UAR {row['uar']:.1%}" + (
            "" if row["votes"] else ", no vote"
        )
    return facts if command is None else {**facts, "command": command}


def _notes(members):
    return list(dict.fromkeys(note for member in members if member.run is not None for note in tell.notes(member.run)))


def _save(table, path):
    with replacing(path) as unfinished:
        table.to_csv(unfinished, index=False, lineterminator="\n", encoding="utf-8")

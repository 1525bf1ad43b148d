"""The quickstart: the whole path from a corpus to a served model, in minutes, with a word at each step."""

import typer

import sertk.corpora
from sertk.export import export_saved_model
from sertk.inference import Predictor, predict
from sertk.recipes import evaluate, train

RECIPE = "004-parallel-mfcc"
# Chosen on validation speakers, to learn much in few epochs on two cores; the paper's settings take over an hour.
CHANGES = {
    "split.kind": "speaker",
    "split.fractions": [0.7, 0.15, 0.15],
    "features.normalize": True,
    "training.learning_rate": 1e-3,
    "training.epochs": 10,
    "training.patience": 5,
}


def quickstart(directory, manifest=None, *, changes=None, speakers=14, clips=6, cache=None, command=None):
    """Runs the whole path once and says where everything lies.

    Corpus, speaker-disjoint split, the parallel CNN and transformer on MFCC, report, SavedModel, and one file predicted
    by the SavedModel. What is there already is not done again.

    Args:
        directory: pathlib.Path, where everything goes: `corpus`, `run`, `saved_model/1`.
        manifest: DataFrame of `sertk.corpora.load`. Defaults to None: a synthetic corpus is written.
        changes: dict of settings of the recipe to override. Defaults to None.
        speakers: int, of the synthetic corpus. Defaults to 14.
        clips: int, of the synthetic corpus, for each speaker and emotion. Defaults to 6.
        cache: folder for decoded waveforms. Defaults to `cache` in `directory`.
        command: str, for the report.

    Returns:
        dict, the metrics on the test speakers.
    """
    synthetic = manifest is None
    if synthetic:
        corpus = directory / "corpus"
        typer.echo(
            f"1. Corpus: {speakers} synthetic speakers in seven emotions, made by a program, no speech of people."
        )
        if not (corpus / "manifest.csv").is_file():
            sertk.corpora.write_synthetic(corpus, speakers=speakers, clips=clips)
        manifest = sertk.corpora.load("synthetic", corpus)
    else:
        typer.echo(f"1. Corpus: {', '.join(sorted(set(manifest['corpus'])))}.")
    typer.echo(f"   {len(manifest):,} clips of {sertk.corpora.speaker_keys(manifest).nunique()} speakers.")

    typer.echo("2. Training the parallel CNN and transformer on MFCC; no speaker is in two parts of the split.")
    changes = CHANGES | (changes or {})
    cache = cache or directory / "cache"
    run = train(RECIPE, manifest, directory / "run", changes=changes, cache=cache, verbose=1, command=command)

    typer.echo("3. Report, on speakers that the network never heard.")
    metrics = evaluate(run, cache=cache)
    typer.echo(
        f"   UAR {metrics['uar']:.1%}, accuracy {metrics['accuracy']:.1%}, chance {metrics['chance']['uar']:.1%}"
        f"{' - on synthetic clips: it says that the path works, no more' if synthetic else ''}."
    )

    saved_model = directory / "saved_model" / "1"
    typer.echo("4. SavedModel: waveforms in, probabilities out.")
    if not (saved_model / "saved_model.pb").is_file():
        export_saved_model(run, saved_model)

    split = run.split
    clip = split[split["part"] == "test"].iloc[0]
    table = predict(Predictor(saved_model), [clip["path"]])
    answer = table.iloc[0]
    typer.echo(f"5. Asked about {clip['path']} ({clip['emotion']}), the SavedModel says {answer['predicted']}:")
    for column in [column for column in table if column.startswith("p_")]:
        typer.echo(f"   {column[2:]:10} {answer[column]:6.1%} {'#' * round(40 * answer[column])}")

    typer.echo(
        f"""
Everything is in {directory}:
  report        {run.path("report", "report.md")} and its pictures
  run           {run.directory}
  SavedModel    {saved_model}

Next:
  sertk predict {saved_model} YOUR_FILE.wav
  sertk quickstart --corpus ravdess=DIR -o quickstart-ravdess
  sertk train 004-parallel-mfcc-awgn --corpus ravdess=DIR --set split.kind=speaker -o runs/first
  sertk recipes"""
    )
    return metrics

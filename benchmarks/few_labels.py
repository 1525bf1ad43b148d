"""Paper 000 on real speech: how much of the labels is needed, after what, with and without tri-cut and tri-mix.

    python benchmarks/few_labels.py --ravdess data/ravdess --emovo data/emovo -o runs/few-labels

RAVDESS's actors are divided anew for each seed, 16 to train, 4 to validate and 4 to test. ResNet-9 learns by SimCLR
from the training actors and from EMOVO, both without labels. Then 1, 5, 10 and 100 % of the labels train a classifier:
on the same network from random weights, on its encoder, and on the middle of its projection head; and a student of the
last one hears all training clips. The script goes on where it was stopped; seeds may be run side by side.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

# Epochs by the share of labels: 200 to 1,200 steps, since batch norm's moving averages take some hundred to settle.
EPOCHS = {0.01: 200, 0.05: 80, 0.1: 50, 1.0: 20}
STARTS = ("random", "encoder", "middle", "student")
ARMS = {"masks": "masks alone", "tri": "tri-cut, tri-mix too"}
RATE = {"training.learning_rate": 1e-3, "training.schedule": "cosine"}
# Wider masks and a higher temperature than the recipe's, chosen by linear evaluation on seed 0's validation actors.
VIEWS = {
    "augmentation.time_masks": 2,
    "augmentation.frequency_masks": 2,
    "augmentation.max_width": 0.25,
    "contrastive.temperature": 0.5,
}


def main(arguments=None):
    """Trains and measures whatever is missing, then prints the table and draws the picture."""
    options = argparse.ArgumentParser(description="Paper 000 on real speech: how much of the labels is needed.")
    options.add_argument("--ravdess", metavar="DIR", required=True, help="the corpus, labelled")
    options.add_argument("--emovo", metavar="DIR", required=True, help="the corpus whose labels are not looked at")
    options.add_argument("--output", "-o", metavar="DIR", type=Path, required=True, help="where the runs go")
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="default: 0 1 2")
    options.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), help="default: both")
    options.add_argument("--collect", action="store_true", help="train nothing, show what there is")
    options = options.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    if not options.collect:
        for seed in options.seeds:
            parts = write_parts(options.ravdess, options.emovo, options.output, seed)
            for arm in options.arms:
                train_arm(options, parts, arm, seed)
    rows = collect(options.output)
    if rows.empty:
        print(f"{options.output}: no run has been measured yet")
        return
    rows.to_csv(options.output / "few-labels.csv", index=False)
    print(summary(rows).to_string())
    draw(rows, options.output / "few-labels.png")
    print(f"The picture is {options.output / 'few-labels.png'}, all figures are in few-labels.csv beside it.")


def write_parts(ravdess, emovo, output, seed):
    """The split for SimCLR: RAVDESS's as the other runs have it, and all of EMOVO to train on."""
    from sertk.corpora import load, map_labels, split

    path = output / f"parts-{seed}.csv"
    if not path.is_file():
        own = split(map_labels(load("ravdess", ravdess), "eight"), "speaker", (16, 4, 4), seed=seed)
        other = load("emovo", emovo).assign(part="train")
        pd.concat([own, other])[["path", "part"]].to_csv(path, index=False)
    return path


def train_arm(options, parts, arm, seed):
    """Trains and measures the runs of a seed, with or without triangles."""
    base = options.output / f"{arm}-{seed}"
    simclr, cut = f"{base}-simclr", 0.5 if arm == "tri" else 0.0
    changes = RATE | VIEWS | {"training.batch_size": 64, "training.epochs": 25}
    changes |= {"training.seed": seed, "augmentation.tri_cut": cut, "augmentation.tri_mix": cut}
    corpora = ["--corpus", f"ravdess={options.ravdess}", "--corpus", f"emovo={options.emovo}", "--split", str(parts)]
    if not Path(simclr, "model.keras").is_file():
        sertk("train", "000-resnet9-simclr", "-o", simclr, *corpora, changes=changes)
    for share, epochs in EPOCHS.items():
        for start in STARTS:
            run = f"{base}-{start}-{share:g}"
            if Path(run, "report", "metrics.json").is_file():
                continue
            changes = {"split.fractions": [16, 4, 4], "split.seed": seed, "training.seed": seed, **RATE}
            # A student's teacher has heard each clip as it is: nothing of another one may be mixed in.
            mix = 0 if start == "student" else cut
            changes |= {"augmentation.tri_cut": cut, "augmentation.tri_mix": mix, "split.labelled": share}
            if start == "student":
                changes |= {"training.epochs": 15, "teacher.source": f"{base}-middle-{share:g}"}
            else:
                changes |= {"training.epochs": epochs, "training.batch_size": 16, "start.layer": int(start == "middle")}
            if start != "random":
                changes["start.source"] = simclr
            recipe = f"000-resnet9-{'student' if start == 'student' else 'teacher'}"
            sertk("train", recipe, "-o", run, *corpora[:2], "--split", "speaker", changes=changes)
            sertk("evaluate", run)


def sertk(*command, changes=()):
    """Runs a command of sertk's; a process each, so that one's memory is free for the next."""
    settings = [word for name in changes for word in ("--set", f"{name}={json.dumps(changes[name])}")]
    print("sertk", *command, *settings, flush=True)
    subprocess.run([sys.executable, "-m", "sertk.cli", *command, *settings], check=True)


def collect(output):
    """What was measured: a row a run."""
    rows = []
    for path in sorted(output.glob("*/report/metrics.json")):
        arm, seed, start, share = path.parts[-3].split("-")
        metrics = json.loads(path.read_text())["metrics"]
        rows.append(
            {
                "augmentation": ARMS[arm],
                "start": start,
                "share": float(share),
                "seed": int(seed),
                "uar": metrics["uar"],
                "accuracy": metrics["accuracy"],
            }
        )
    return pd.DataFrame(rows)


def summary(rows):
    """The table of the page: mean UAR over seeds, its standard deviation, and how many seeds."""
    groups = rows.groupby(["augmentation", "start", "share"])["uar"]
    said = groups.agg(
        lambda uar: f"{uar.mean():.1%}" + (f" ± {100 * uar.std():.1f}" if len(uar) > 1 else "") + f" ({len(uar)})"
    )
    return said.unstack().reindex([(arm, start) for arm in ARMS.values() for start in STARTS]).dropna(how="all")


def draw(rows, path):
    """UAR over the share of labels, a panel for each augmentation, a line for each start."""
    from sertk.evaluation.sensitivity_plot import plot_sensitivity

    points = rows.groupby(["augmentation", "start", "share"])["uar"].agg(["mean", "std"]).reset_index()
    points = points.rename(columns={"mean": "uar", "std": "uar_sd"}).assign(part="test", baseline=False)
    plot_sensitivity(points, path, x="share", group="augmentation", lines="start")


if __name__ == "__main__":
    main()

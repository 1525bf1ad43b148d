"""The graph of a corpus: from an upstream network, or from embeddings at hand, to files that tell all of it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from sertk.atomic import replacing
from sertk.audio import WaveformCache
from sertk.corpora import load_manifest
from sertk.embeddings import load_embeddings
from sertk.evaluation import plot_graph_statistics
from sertk.graphs import build_graph, graph_statistics, save_graph, threshold_for_degree
from sertk.recipes.bad_clips import without_bad
from sertk.recipes.groups import Upstream
from sertk.recipes.run import Run, refuse_runs_folder
from sertk.recipes.transfer.embedded import sample_rate
from sertk.recipes.transfer.upstream import UpstreamNetwork

PAPER_THRESHOLD = 0.99


def graph_of_corpus(
    source,
    directory,
    manifest=None,
    *,
    split=None,
    threshold=None,
    degree=None,
    max_neighbors=9,
    layer=None,
    pooling="mean",
    cache=None,
    skip_bad=False,
    progress=True,
):
    """Builds the graph of a corpus and writes it to a folder.

    Args:
        source: as in `sertk.recipes.transfer.embedded.embedding_model`, or a folder that `sertk embed` wrote, whose
            clips and embeddings are taken as they are.
        directory: where to write, as `write_graph` does, and `skipped.csv`, the files that were left out; no run's
            folder.
        manifest: DataFrame of `sertk.corpora.load`, or None for the clips of the split or of the embeddings' folder.
            Defaults to None.
        split: the folder of a run, or a manifest's CSV file with a column `part`: only the training clips are in the
            graph, and those of the validation part where the run trained on them too. None for all clips. Defaults to
            None.
        threshold: float, as in `sertk.graphs.build_graph`. Defaults to 0.99, unless a degree is given.
        degree: float, how many neighbours clips shall have on average, from which the threshold is chosen, as
            `sertk.graphs.threshold_for_degree` does; or None. Defaults to None.
        max_neighbors: as in `sertk.graphs.build_graph`. Defaults to 9.
        layer, pooling: as in `embedding_model`.
        cache: folder for decoded waveforms and embeddings. Defaults to that of `sertk.audio.WaveformCache`.
        skip_bad: bool, whether clips that can't be decoded are left out. Defaults to False.
        progress: bool, whether to show bars on a terminal. Defaults to True.

    Returns:
        `sertk.graphs.Graph`, its keys the clips' paths, and a dict: what `write_graph` wrote of it.

    Raises:
        ConnectionError, FileNotFoundError: as `embedding_model` does.
        ValueError: if arguments exclude each other, the directory is a run's, the split has no training clip or one
            that the corpus lacks, or the clips have no graph, as `build_graph` says.
    """
    if threshold is not None and degree is not None:
        raise ValueError(
            "`threshold` and `degree` both say which clips are neighbours; give one of them. "
            f"Received: threshold={threshold} and degree={degree}"
        )
    directory = Path(directory)
    # A run's own graph, in its folder graph/, is that which it goes on with when it is called again.
    refuse_runs_folder(directory.parent if directory.name == "graph" else directory, "the graph")
    made = (Path(source) / "embeddings.json").is_file()
    if made and (manifest is not None or layer is not None):
        raise ValueError(
            f"{source}: holds embeddings, of its own clips and of one layer; leave `manifest` (--corpus) and `layer` "
            f"out. Received: {'a manifest' if layer is None else f'layer={layer!r}'}"
        )
    training = None if split is None else _training_part(split)
    if made:
        manifest, embeddings = _chosen(*load_embeddings(source), training)
    else:
        manifest = training if manifest is None else _among(manifest, training)
        if manifest is None:
            raise ValueError(
                "`manifest` (--corpus) or `split` (--split, --run) must say which clips to take. Received: neither"
            )
        manifest = without_bad(manifest, WaveformCache(cache, sample_rate(source)), skip_bad, progress=progress)
        upstream = UpstreamNetwork(Upstream(source=str(source), layer=layer, pooling=pooling))
        embeddings = upstream.embed(manifest, cache, progress)
    keys = manifest["path"].tolist()
    if degree is not None:
        threshold = threshold_for_degree(embeddings, degree, keys=keys, progress=progress)
    threshold = PAPER_THRESHOLD if threshold is None else threshold
    graph = build_graph(embeddings, keys, threshold=threshold, max_neighbors=max_neighbors, progress=progress)
    described = {
        "source": str(source),
        **({} if made else {"layer": layer, "pooling": pooling}),
        "split": None if split is None else str(split),
        "threshold": threshold,
        "degree_asked_for": degree,
        "max_neighbors": max_neighbors,
    }
    if manifest.attrs.get("skipped"):
        with replacing(directory / "skipped.csv") as unfinished:
            pd.DataFrame(manifest.attrs["skipped"]).to_csv(unfinished, index=False)
    return graph, write_graph(graph, directory, manifest["emotion"].tolist(), described)


def write_graph(graph, directory, labels=None, described=None):
    """Writes a graph to a folder: `graph.npz`, `graph.tsv`, `statistics.json` and `graph.png`.

    The arrays are written last: where they are, the rest is too.

    Args:
        graph: `sertk.graphs.Graph`.
        directory: the folder; made if it is missing.
        labels: as in `sertk.graphs.graph_statistics`. Defaults to None.
        described: dict for JSON, what made the graph. Defaults to None.

    Returns:
        dict, what `statistics.json` holds: `described`, and what `graph_statistics` gives.
    """
    directory = Path(directory)
    statistics = {**(described or {}), **graph_statistics(graph, labels)}
    with replacing(directory / "statistics.json") as unfinished:
        unfinished.write_text(json.dumps(statistics, indent=2) + "\n")
    plot_graph_statistics(statistics, directory / "graph.png")
    save_graph(graph, directory / "graph.tsv")
    save_graph(graph, directory / "graph.npz")
    return statistics


def _training_part(split):
    """The training clips of a run's split, or of a CSV file."""
    split, parts = Path(split), ["train"]
    if split.is_dir():
        run = Run.open(split)
        if run.folds:
            raise ValueError(
                f"{split}: is a cross-validation, which has a split a fold; choose one, such as "
                f"{run.folds[0].directory}. Received: a run of {len(run.folds)} folds"
            )
        split = run.path("split.csv")
        if run.recipe.training.join_validation:
            parts.append("validation")
    table = load_manifest(split)
    if "part" not in table:
        raise ValueError(
            f"{split}: must have a column part, as a run's split.csv has. Received: columns={list(table.columns)}"
        )
    training = table[table["part"].isin(parts)].drop(columns="part").reset_index(drop=True)
    if training.empty:
        raise ValueError(
            f"{split}: must have training clips, with train as their part. Received: {len(table)} clips, none of them"
        )
    return training


def _among(manifest, training):
    """The training clips as the manifest has them; all clips where there is no split."""
    if training is None:
        return manifest
    rows = manifest.reset_index(drop=True).iloc[_places(manifest, training)].reset_index(drop=True)
    rows.attrs = manifest.attrs
    return rows


def _chosen(manifest, embeddings, training):
    """A corpus and its embeddings, of the training clips alone where there is a split."""
    if training is None:
        return manifest, embeddings
    return _among(manifest, training), embeddings[_places(manifest, training)]


def _places(manifest, training):
    places = pd.Index(manifest["path"]).get_indexer(training["path"])
    lacking = training["path"][places < 0]
    if len(lacking):
        raise ValueError(
            "`split` must have training clips of this corpus alone, by the same paths. "
            f"Received: {len(lacking):,} of {len(training):,} that it lacks, the first {lacking.iloc[0]}"
        )
    return np.asarray(places)

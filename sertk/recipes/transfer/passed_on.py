"""What a recipe passes on from its upstream to the network that it trains: a graph, or the embeddings themselves."""

import contextlib
import dataclasses
import re
from pathlib import Path

from sertk.recipes.groups import Graph, Upstream
from sertk.recipes.transfer.neighbors import training_neighbors
from sertk.recipes.transfer.upstream import UpstreamNetwork, check_source, check_upstream, fuses, trained_sources


class PassedOn:
    """The upstream of a recipe at work; of a recipe without one, nothing.

    The upstream network is loaded when it is first needed: a run that goes on with the graph in its folder needs none.

    Args:
        recipe: `Recipe`.
        cache: folder for decoded waveforms and embeddings.
        progress: bool, whether to show bars on a terminal. Defaults to True.
    """

    def __init__(self, recipe, cache=None, progress=True):
        self.recipe = recipe
        self.fuses = fuses(recipe)
        self._cache = cache
        self._progress = progress
        self._upstream = None

    @property
    def upstream(self):
        """`UpstreamNetwork`."""
        if self._upstream is None:
            with _settings_in_full("upstream", Upstream):
                self._upstream = UpstreamNetwork(self.recipe.upstream)
        return self._upstream

    @property
    def channels(self):
        """int, those of the embedding that the network takes; None where it takes none."""
        if not self.fuses:
            return None
        if self.upstream.sample_rate != self.recipe.audio.sample_rate:
            raise ValueError(
                "`audio.sample_rate` must be what the upstream hears too, since both are in the served model. "
                f"Received: {self.recipe.audio.sample_rate} and {self.upstream.sample_rate} Hz"
            )
        return self.upstream.channels

    @property
    def embedder(self):
        """keras.Model that makes the network's embeddings of waveforms; None where it takes none."""
        return self.upstream.embedder if self.fuses else None

    def beside(self, part):
        """What clips bring with them: a dict of their embeddings, None where the network takes none."""
        return {"embedding": self._embed(part)} if self.fuses and len(part) else None

    def neighbors(self, run, clips):
        """The neighbours of a run's training clips; None where the recipe has no graph."""
        if not self.recipe.graph.neighbors:
            return None
        with _settings_in_full("graph", Graph):
            return training_neighbors(run, clips, lambda: self._embed(clips), self._progress)

    def check(self):
        """Looks for what the graph is to be made of without loading it: a file, or a source.

        Raises:
            ConnectionError, FileNotFoundError, ValueError: if it is not there, or not finished.
        """
        graph = self.recipe.graph
        if graph.neighbors and graph.file is not None and not Path(graph.file).is_file():
            raise FileNotFoundError(f"{graph.file}: there is no such file; `graph.file` must name a graph's")
        if "upstream.source" in trained_sources(self.recipe):
            check_source(self.recipe.upstream.source)

    def regularized(self, model):
        """The model to train: this one, or NSL's regularisation around it."""
        graph, adversarial = self.recipe.graph, self.recipe.adversarial
        if graph.neighbors:
            from sertk.learning import GraphRegularization, nsl

            probabilities = graph.layer in (None, "probabilities")
            config = nsl.configs.make_graph_reg_config(
                max_neighbors=graph.neighbors,
                multiplier=graph.multiplier,
                distance_type=graph.distance,
                transform_fn="softmax" if graph.distance in DIVERGENCES and not probabilities else "none",
                sum_over_axis=-1,
            )
            with _settings_in_full("graph", Graph):
                return GraphRegularization(model, config, graph.layer)
        if adversarial.multiplier:
            from sertk.learning import AdversarialRegularization, nsl

            config = nsl.configs.make_adv_reg_config(
                multiplier=adversarial.multiplier, adv_step_size=adversarial.step, adv_grad_norm=adversarial.norm
            )
            return AdversarialRegularization(model, config)
        return model

    def _embed(self, part):
        return self.upstream.embed(part, self._cache, self._progress)


@contextlib.contextmanager
def _settings_in_full(group, kind):
    """Errors name settings as a recipe does: a `layer` is that of the graph or that of the upstream."""
    names = "|".join(setting.name for setting in dataclasses.fields(kind))
    try:
        yield
    except ValueError as error:
        raise ValueError(re.sub(f"`({names})`", rf"`{group}.\1`", str(error))) from error


DIVERGENCES = ("kl_divergence", "jensen_shannon_divergence")
DISTANCES = ("l1", "l2", "cosine", *DIVERGENCES)
NORMS = ("l1", "l2", "infinity")


def check_passed_on(recipe):
    """Refuses settings of the upstream, the graph and the adversarial step that are out of range or at odds.

    Raises:
        ValueError: if there is one.
    """
    graph, adversarial = recipe.graph, recipe.adversarial
    for name, value, known in (
        ("graph.distance", graph.distance, DISTANCES),
        ("adversarial.norm", adversarial.norm, NORMS),
    ):
        if value not in known:
            raise ValueError(f"`{name}` must be one of {', '.join(known)}. Received: {name}={value!r}")
    for name, value in (
        ("graph.neighbors", graph.neighbors),
        ("graph.multiplier", graph.multiplier),
        ("adversarial.multiplier", adversarial.multiplier),
        ("adversarial.step", adversarial.step),
    ):
        if not 0 <= value < float("inf"):
            raise ValueError(f"`{name}` must be at least 0. Received: {name}={value}")
    if graph.threshold is not None and not -1 < graph.threshold < 1:
        raise ValueError(f"`graph.threshold` must be above -1 and below 1. Received: graph.threshold={graph.threshold}")
    if graph.degree is not None and not 0 < graph.degree < float("inf"):
        raise ValueError(f"`graph.degree` must be above 0. Received: graph.degree={graph.degree}")
    if graph.threshold is None and graph.degree is None and graph.neighbors and graph.file is None:
        raise ValueError(
            "`graph.threshold` or `graph.degree` must say which clips are neighbours. Received: None for both"
        )
    if graph.neighbors and adversarial.multiplier:
        raise ValueError(
            "`graph.neighbors` and `adversarial.multiplier` exclude each other; set one of them to 0. "
            f"Received: {graph.neighbors} and {adversarial.multiplier}"
        )
    if graph.neighbors and recipe.model.options.get("attend_over") == "batch":
        raise ValueError(
            '`model.attend_over` must be "frames" for a graph: over the batch, clips would attend to their neighbours. '
            "Received: model.attend_over='batch'"
        )
    if (graph.neighbors or fuses(recipe)) and recipe.chunks.seconds is not None:
        raise ValueError(
            "`chunks.seconds` must be None for a graph or a fusion: an upstream hears whole clips. "
            f"Received: chunks.seconds={recipe.chunks.seconds}"
        )
    if fuses(recipe) or (graph.neighbors and graph.file is None):
        check_upstream(recipe.upstream)

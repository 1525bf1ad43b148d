"""Incomplete multisource transfer learning: labels for a target from sources that each lack some of its classes."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from sertk.learning.multisource.checking import check_domains, check_new, check_settings
from sertk.learning.multisource.discrepancy import conditional_discrepancy, mmd
from sertk.learning.multisource.low_rank import allowed_blocks, low_rank_transfer
from sertk.learning.multisource.projection import Form, add_manifold


class IncompleteMultisourceTransfer(ClassifierMixin, BaseEstimator):
    """Labels a target by several labelled sources, each of which may lack classes that the target has.

    For every source s there is a projection P_s in which the target is a low-rank combination of the source:

        min  sum_s ||Z_s||_* + latent ||L_s||_* + error ||E_s||_{2,1}
             + ||P_s' (X_t - X_s Z_s)||_F^2 + alignment sum_{r<s} ||P_r' X_t - P_s' X_t||_F^2
             + manifold sum_ij w_ij ||P_i' x_i - P_j' x_j||^2
        so that  P_s' X_t = P_s' X_s Z_s + L_s P_s' X_t + E_s,  P_s' P_s = I,
                 Z_s is zero where a target clip's pseudo-class is not the source clip's class.

    Z_s brings the marginal distributions together, its zeros the conditional ones. L_s, a combination of channels and
    not of clips, recovers what the source lacks, first of all the target clips of classes that it has no clip of. E_s
    takes the clips that fit nowhere. Across sources the target is to lie in one place under every projection, and a
    clip near its neighbours in all domains. A round finds the P_s, then Z_s, L_s and E_s, then new pseudo-labels;
    rounds end when no label changes. In the first there are no pseudo-labels, and Z_s may use any clip.

    The article's text leaves room, or its authors' code is not at hand; chosen here are:

    - PCA of all domains together, whitened, comes first, and P_s is orthonormal there. In the raw channels a
      projection onto directions without variance would make every term zero; this is the constraint P' X X' P = I of
      TCA and JDA. Clips are divided by the square root of their domain's clips, and `error` by that of the target's, so
      that the penalties mean the same whatever the number of clips.
    - P_s is renewed once a round, from the Z_s of the round before (in the first round, without that term), and not in
      each iteration of the augmented Lagrangian. With P_s fixed the rest is convex, and its lowest value is found;
      renewed inside, P_s drifted and target accuracy on constructed data fell.
    - The mask is hard: a forbidden entry is zero, not merely penalised.
    - The graph joins each clip to the nearest `neighbors` of every domain, with weight 1, of the same class where
      labels or pseudo-labels tell. All kinds of edge count alike.
    - The pseudo-labels are the classifier's. It learns from the projected sources and from the reconstructed target,
      P_s' X_s Z_s + L_s P_s' X_t, with the pseudo-labels of its clips, all sources pooled; a target clip's
      probabilities are the mean over the projections. What E_s holds is not learnt from.
    - A class must be in one source at least. Nothing is known of the classes' shares in the target.

    Memory and time: Z_s is clips times clips, but has a factored form that is exact (`low_rank_transfer`), so memory
    is that of the embeddings and their copy in the PCA.

    Args:
        components: int, the width of the projections, or None for twice the number of classes. Narrower,
            classes are lost; wider, there is more that differs. Defaults to None.
        pca: int, the channels that PCA leaves at most; a float between 0 and 1, the share of variance that it keeps; or
            None for all that have any. Defaults to 100.
        error: float, what the 2,1-norm of the error counts. Defaults to 10.
        latent: float, what the nuclear norm of the latent term counts; where it is low, L_s explains every clip and the
            sources none. Defaults to 4.
        alignment: float, what the distance between the projected targets counts (the article's alpha). Defaults to 1.
        manifold: float, what the distance between neighbours counts (its beta). Defaults to 1.
        neighbors: int, of a clip in each domain. Defaults to 5.
        rounds: int, of pseudo-labels at most. Defaults to 10.
        iterations: int, of the augmented Lagrangian in a round, at most. Defaults to 200.
        tolerance: float, the residual of the constraint, relative to the target, that ends it. Defaults to 1e-5.
        mu: float, the penalty that the first iteration puts on the residual. Defaults to 1.
        rho: float, by how much it grows each iteration. Defaults to 1.05.
        classes: list of str or int, the target's classes, each of which a source must have; or None for those of the
            sources. Defaults to None.
        classifier: scikit-learn classifier with `predict_proba`, or None for `LinearDiscriminantAnalysis()`. Defaults
            to None.
        random_state: int, or None, for PCA's randomised solver. Defaults to 0.

    Attributes:
        labels_: array `(target clips,)`, the classes found.
        classes_: array, the classes in order.
        discrepancies_: dict of "MD" and "CD", each a dict of "before" and "after": lists of float, one a source; and
            of "mean", a dict of both means. Before is in PCA's whitened channels, after between the projected source
            and the projected target. RBF kernel with the median distance as bandwidth (`mmd`). CD is by the final
            pseudo-labels, before too; NaN for a source that shares no class with them. MD can't fall to zero where a
            source lacks classes.
        history_: list of dict, one a round: `round`; `objective` of Z, L and E, summed over sources; `residual`, the
            largest of the sources'; `iterations`, the most; `changed`, the share of target clips whose label is new.
        n_iter_: int, the rounds.
        n_features_in_: int, the channels.
        pca_, classifier_, projections_: the fitted PCA and classifier; list of float arrays `(PCA channels, width)`.
        low_rank_: list of `LowRank`, the last round's Z, L and E of each source.

    Example:
        >>> random = numpy.random.default_rng(0)
        >>> def domain(classes, shift):
        ...     labels = numpy.repeat(classes, 40)
        ...     return 6 * numpy.eye(3, 8)[labels] + random.standard_normal((len(labels), 8)) + shift, labels
        >>> sources = [domain([0, 1], 0.5), domain([1, 2], -0.5)]
        >>> target, truth = domain([0, 1, 2], 0)
        >>> transfer = IncompleteMultisourceTransfer().fit(sources, target)
        >>> float((transfer.labels_ == truth).mean())
        1.0

    Source: Ding, Shao, Fu (2018), Incomplete multisource transfer learning, IEEE TNNLS 29(2); Ding, Shao, Fu (2014),
    Latent low-rank transfer subspace learning for missing modality recognition, AAAI, for the latent term; Shao, Kit,
    Fu (2014), Generalized transfer subspace learning through low-rank constraint, IJCV 109.
    """

    def __init__(
        self,
        components=None,
        *,
        pca=100,
        error=10.0,
        latent=4.0,
        alignment=1.0,
        manifold=1.0,
        neighbors=5,
        rounds=10,
        iterations=200,
        tolerance=1e-5,
        mu=1.0,
        rho=1.05,
        classes=None,
        classifier=None,
        random_state=0,
    ):
        self.components = components
        self.pca = pca
        self.error = error
        self.latent = latent
        self.alignment = alignment
        self.manifold = manifold
        self.neighbors = neighbors
        self.rounds = rounds
        self.iterations = iterations
        self.tolerance = tolerance
        self.mu = mu
        self.rho = rho
        self.classes = classes
        self.classifier = classifier
        self.random_state = random_state

    def fit(self, sources, target):
        """Finds the projections and the target's labels.

        Args:
            sources: list of pairs: float array `(clips, channels)`, and str or int of each clip.
            target: float array `(clips, channels)`, without labels.

        Returns:
            The estimator.

        Raises:
            ValueError: if there is no source, or one is empty, not `(clips, channels)`, not finite, of another width
                than the target or has not a label for each clip; the sources have fewer than two classes between them;
                a class of `classes` is in no source, or a source's class is not in `classes`; all clips are the same;
                or a setting is out of range.
        """
        tables, labels, target, self.classes_ = check_domains(sources, target, self.classes)
        settings = self.get_params(deep=False)
        check_settings(settings | {"components": None}, len(self.classes_), target.shape[1])
        self.n_features_in_ = target.shape[1]
        clips = [points.T for points in self._reduce([*tables, target])]
        width = check_settings(settings, len(self.classes_), len(clips[0]))
        target_labels = None
        self.low_rank_, self.history_ = None, []
        self.projections_ = [np.eye(len(clips[0]))] * len(tables)
        # Thousands of factorisations of a few rows: threads wait for each other, on a busy machine some twenty times as
        # long as one thread takes.
        with threadpool_limits(1, user_api="blas"):
            for number in range(1, self.rounds + 1):
                self._project(clips, labels, target_labels, width)
                self._combine(clips, labels, target_labels)
                found = self._classify(clips, labels, target_labels)
                changed = 1.0 if target_labels is None else float(np.mean(found != target_labels))
                target_labels = found
                self.history_.append(self._told(number, changed))
                if not changed:
                    break
        self.n_iter_ = len(self.history_)
        self.labels_ = self.classes_[target_labels]
        self._target_probabilities = self._probabilities(clips[-1].T)
        self.discrepancies_ = self._discrepancies(clips, labels, target_labels)
        return self

    def predict(self, X=None):  # noqa: N803
        """Tells the classes of target clips: those of `fit`, or others of the same domain.

        Args:
            X: float array `(clips, channels)`, or None for the clips of `fit`. Defaults to None.

        Returns:
            array `(clips,)` of classes.

        Raises:
            ValueError: if `X` has another width, or is not finite.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X=None):  # noqa: N803
        """Tells the probabilities of target clips, the mean over the projections.

        Args:
            X: float array `(clips, channels)`, or None for the clips of `fit`. Defaults to None.

        Returns:
            float array `(clips, classes)`, in the order of `classes_`.

        Raises:
            ValueError: if `X` has another width, or is not finite.
        """
        check_is_fitted(self, "labels_")
        if X is None:
            return self._target_probabilities.copy()
        return self._probabilities(self.pca_.transform(check_new(X, self.n_features_in_)))

    def transform(self, X, source=None):  # noqa: N803
        """Projects clips: by one source's projection, or by the mean over all, where the target lies.

        Args:
            X: float array `(clips, channels)`, of the target or of a source.
            source: int, the place of the source whose projection to take, or None for the mean. Defaults to None.

        Returns:
            float array `(clips, width)`.

        Raises:
            ValueError: if `X` has another width, or is not finite, or there is no such source.
        """
        check_is_fitted(self, "labels_")
        points = self.pca_.transform(check_new(X, self.n_features_in_))
        if source is None:
            return points @ np.mean(self.projections_, axis=0)
        if source not in range(len(self.projections_)):
            raise ValueError(
                f"`source` must be from 0 to {len(self.projections_) - 1}, or None. Received: source={source!r}"
            )
        return points @ self.projections_[source]

    def _reduce(self, tables):
        """All domains in PCA's whitened channels, float64 `(clips, channels)`."""
        together = np.concatenate(tables)
        rank = min(len(together) - 1, together.shape[1])
        most = rank if self.pca is None else self.pca if self.pca < 1 else min(self.pca, rank)
        if not np.ptp(together, axis=0).any():
            raise ValueError("`target` and `sources` must differ somewhere. Received: clips that are all the same")
        self.pca_ = PCA(most, whiten=True, random_state=self.random_state).fit(together)
        # Whitening would blow directions without variance up to those of rounding.
        kept = self.pca_.explained_variance_ > 1e-10 * self.pca_.explained_variance_[0]
        if not kept.all():
            self.pca_ = PCA(int(kept.sum()), whiten=True, random_state=self.random_state).fit(together)
        return [self.pca_.transform(table).astype("float64") for table in tables]

    def _project(self, clips, labels, target_labels, width):
        *sources, target = clips
        form = Form(len(sources), len(target))
        add_manifold(form, self.manifold, sources, labels, target, target_labels, self.projections_, self.neighbors)
        count = target.shape[1]
        for s, source in enumerate(sources):
            for r in range(s):
                form.add(self.alignment / count, r, target, s, target)
            if not self.low_rank_:
                continue
            part, scale = self.low_rank_[s], np.sqrt(count / source.shape[1])
            # Target clips of a class that the source lacks are in no block: they are for L to explain.
            for (mine, theirs), basis, weights in zip(part.blocks, part.bases, part.weights, strict=True):
                form.add(1 / count, s, target[:, theirs], s, scale * (source[:, mine] @ basis) @ weights)
        self.projections_ = form.smallest(width)

    def _combine(self, clips, labels, target_labels):
        *sources, target = clips
        count = target.shape[1]
        self.low_rank_ = [
            low_rank_transfer(
                projection.T @ source / np.sqrt(source.shape[1]),
                projection.T @ target / np.sqrt(count),
                allowed_blocks(kinds, target_labels),
                error=self.error / np.sqrt(count),
                latent=self.latent,
                mu=self.mu,
                rho=self.rho,
                iterations=self.iterations,
                tolerance=self.tolerance,
            )
            for source, kinds, projection in zip(sources, labels, self.projections_, strict=True)
        ]

    def _classify(self, clips, labels, target_labels):
        *sources, target = clips
        points = [projection.T @ source for projection, source in zip(self.projections_, sources, strict=True)]
        kinds = list(labels)
        if target_labels is not None:
            points += self._reconstructed(target)
            kinds += [target_labels] * len(sources)
        self.classifier_ = LinearDiscriminantAnalysis() if self.classifier is None else clone(self.classifier)
        self.classifier_.fit(np.hstack(points).T, np.concatenate(kinds))
        return self._probabilities(target.T).argmax(axis=1)

    def _told(self, number, changed):
        """A round's line of the history."""
        return {
            "round": number,
            "objective": sum(part.objective for part in self.low_rank_),
            "residual": max(part.residuals[-1] for part in self.low_rank_),
            "iterations": max(len(part.residuals) for part in self.low_rank_),
            "changed": changed,
        }

    def _reconstructed(self, target):
        scale = np.sqrt(target.shape[1])
        return [
            scale * part.combined + part.latent @ (projection.T @ target)
            for part, projection in zip(self.low_rank_, self.projections_, strict=True)
        ]

    def _probabilities(self, points):
        return np.mean(
            [self.classifier_.predict_proba(points @ projection) for projection in self.projections_], axis=0
        )

    def _discrepancies(self, clips, labels, target_labels):
        *sources, target = clips
        found = {kind: {when: [] for when in ("before", "after")} for kind in ("MD", "CD")}
        for source, kinds, projection in zip(sources, labels, self.projections_, strict=True):
            for when, one, other in (
                ("before", source.T, target.T),
                ("after", source.T @ projection, target.T @ projection),
            ):
                found["MD"][when].append(mmd(one, other))
                found["CD"][when].append(conditional_discrepancy(one, kinds, other, target_labels))
        for values in found.values():
            values["mean"] = {when: float(np.mean(values[when])) for when in ("before", "after")}
        return found

"""How good an encoder is that learnt without emotions: a linear classifier on its vectors, on the validation part."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sertk.embeddings import classifier_embedder
from sertk.pipeline import Clips
from sertk.recipes import assemble
from sertk.recipes.few_labels import UNLABELLED


def linear_evaluation(run, *, cache=None):
    """Trains a linear classifier on what a run's encoder makes of its training part, and measures it.

    The encoder stays as it is. The classifier is scikit-learn's logistic regression on standardised vectors, of all
    training clips that have an emotion; it is measured on the validation part.

    Args:
        run: `sertk.recipes.Run`, finished, of contrastive learning.
        cache: folder for decoded waveforms. Defaults to that of `sertk.audio.WaveformCache`.

    Returns:
        dict: `val_linear_accuracy` and `val_linear_uar`, from 0 to 1.

    Raises:
        ValueError: if the training part has fewer than two emotions, or the validation part none.

    Source: Chen et al. (2020), SimCLR, "linear evaluation protocol".
    """
    recipe, split = run.recipe, run.split
    named = split[split["emotion"] != UNLABELLED]
    train, validation = (named[named["part"] == part] for part in ("train", "validation"))
    if train["emotion"].nunique() < 2 or validation.empty:
        raise ValueError(
            f"{run.directory}: clips of two emotions are needed to train on, and some to measure on; give a corpus "
            "with emotions. "
            f"Received: {train['emotion'].nunique()} emotions in {len(train)} training clips, {len(validation)} clips "
            "to measure on"
        )
    model = classifier_embedder(run.model())
    shared = {"cache": assemble.waveforms(recipe, cache), "fixed_length": assemble.fixed_length(recipe)}

    def vectors(clips):
        emotions = sorted(set(clips["emotion"]))
        batches = Clips(clips, emotions, batch_size=recipe.training.batch_size, progress=False, **shared).heard
        return np.concatenate([model.predict_on_batch(_given(batch)) for batch in batches.as_numpy_iterator()])

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(vectors(train), train["emotion"].astype(str))
    said, emotions = classifier.predict(vectors(validation)), validation["emotion"].astype(str)
    return {
        "val_linear_accuracy": float((said == emotions).mean()),
        "val_linear_uar": float(balanced_accuracy_score(emotions, said)),
    }


def _given(waveforms):
    """A batch as an embedding model takes it."""
    return [waveforms, np.full(len(waveforms), waveforms.shape[1], "int32")]

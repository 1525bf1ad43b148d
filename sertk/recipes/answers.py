"""What a finished run's model says about clips, whatever it takes of them."""

from sertk.audio import MaximumLength
from sertk.models import from_embeddings, without_fixed_length
from sertk.pipeline import Clips
from sertk.recipes import assemble
from sertk.recipes.transfer.embedded import embedded
from sertk.recipes.transfer.upstream import fuses


def answers(run, clips, cache=None):
    """The probabilities that a run's model gives each emotion.

    Args:
        run: `Run`, finished, of a classifier.
        clips: manifest; its emotions are not looked at.
        cache: folder for decoded waveforms.

    Returns:
        float32 array `(clips, classes)`, in the order of the manifest.
    """
    model, recipe, classes = run.classifier(), run.recipe, run.classes
    waveforms, cutting = assemble.waveforms(recipe, cache), assemble.fixed_length(recipe)
    clips = clips.assign(emotion=classes[0])
    if recipe.features.kind == "embedding":
        embedder, rest = from_embeddings(model)
        return rest.predict(embedded(recipe.features, clips, embedder, waveforms, cutting), verbose=0)
    if fuses(recipe):
        # The upstream hears a clip as it is, without anything behind it: one at a time.
        batches = Clips(clips, classes, waveforms, MaximumLength(), batch_size=1)
        return model.predict(batches.dataset.map(lambda given, _: given["waveform"]), verbose=0)
    batches = Clips(clips, classes, waveforms, cutting, batch_size=recipe.training.batch_size)
    fitting = model if batches.padded else without_fixed_length(model)
    return fitting.predict(batches.dataset.map(lambda waveform, _: waveform), verbose=0)

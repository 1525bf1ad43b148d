"""The teacher of a recipe: what it says about the clips, told to the network that learns from it."""

import keras

from sertk.learning import Distillation
from sertk.recipes.answers import answers
from sertk.recipes.run import Run


def teachers_answers(recipe, clips, cache=None, progress=True):
    """What the teacher says about each clip, as it is: without noise and augmentation, and therefore once.

    Args:
        recipe: `Recipe`.
        clips: manifest.
        cache: folder for decoded waveforms.
        progress: bool, whether to say what is being done. Defaults to True.

    Returns:
        dict with the probabilities, `{"teacher": (clips, classes)}`, empty where the recipe has no teacher or there is
        no clip.
    """
    source = recipe.teacher.source
    if source is None or not len(clips):
        return {}
    if progress:
        print(f"asking {source} about {len(clips):,} clips", flush=True)
    return {"teacher": answers(Run.open(source), clips, cache)}


def taught(recipe, model):
    """The model to train: this one, or the same with a teacher, whose answers come with the clips."""
    chosen = recipe.teacher
    if chosen.source is None:
        return model
    told = keras.Input(model.output_shape[1:], name="teacher")
    teacher = keras.Model(told, keras.layers.Identity(name="probabilities")(told), name="teacher")
    return Distillation(model, teacher, temperature=chosen.temperature, alpha=chosen.multiplier)

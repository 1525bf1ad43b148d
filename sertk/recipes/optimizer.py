"""From a recipe to its optimiser and learning-rate schedule."""

import keras

from sertk.learning.kept_epoch import MONITORS

OPTIMIZERS = ("adam", "adamw", "adadelta")
SCHEDULES = ("constant", "cosine")


def optimizer(recipe, steps):
    """The optimiser of a recipe, new. A second training, for fewer epochs, follows the same schedule as the first.

    Args:
        recipe: `Recipe`.
        steps: int, steps an epoch.

    Raises:
        ValueError: if a setting is unknown or out of range.
    """
    chosen, epochs = recipe.training, recipe.training.epochs
    for name, value, known in (("optimizer", chosen.optimizer, OPTIMIZERS), ("schedule", chosen.schedule, SCHEDULES)):
        if value not in known:
            raise ValueError(
                f"`training.{name}` must be one of {', '.join(known)}. Received: training.{name}={value!r}"
            )
    if not 0 <= chosen.warmup < epochs:
        raise ValueError(
            f"`training.warmup` must be at least 0 and less than the {epochs} epochs. "
            f"Received: training.warmup={chosen.warmup}"
        )
    for name in ("weight_decay", "label_smoothing"):
        value = getattr(chosen, name)
        if not 0 <= value < 1:
            raise ValueError(f"`training.{name}` must be at least 0 and below 1. Received: training.{name}={value}")
    if not chosen.learning_rate > 0:
        raise ValueError(
            f"`training.learning_rate` must be above 0. Received: training.learning_rate={chosen.learning_rate}"
        )
    for name in ("clip_norm", "epsilon"):
        value = getattr(chosen, name)
        if value is not None and not value > 0:
            raise ValueError(f"`training.{name}` must be above 0, or None. Received: training.{name}={value}")
    if chosen.monitor not in MONITORS:
        raise ValueError(
            f"`training.monitor` must be one of {', '.join(MONITORS)}. Received: training.monitor={chosen.monitor!r}"
        )
    if chosen.weight_decay and chosen.optimizer != "adamw":
        raise ValueError(
            "`training.weight_decay` is AdamW's; set training.optimizer=adamw too. "
            f"Received: training.optimizer={chosen.optimizer}"
        )
    rate, warmup = chosen.learning_rate, round(chosen.warmup * steps)
    if chosen.schedule == "cosine":
        rate = _after(warmup, rate, decay_steps=epochs * steps - warmup)
    elif warmup:
        rate = _after(warmup, rate, decay_steps=1, alpha=1.0)  # a cosine that never comes down
    options = {"clipnorm": chosen.clip_norm} | ({} if chosen.epsilon is None else {"epsilon": chosen.epsilon})
    if chosen.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=chosen.weight_decay, **options)
    return {"adam": keras.optimizers.Adam, "adadelta": keras.optimizers.Adadelta}[chosen.optimizer](rate, **options)


def _after(warmup, rate, **decay):
    """Keras's cosine, after as many steps of warm-up."""
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(rate, **decay)
    return keras.optimizers.schedules.CosineDecay(0.0, warmup_target=rate, warmup_steps=warmup, **decay)

"""Adversarial regularisation: a classifier that keeps a clip's label when the clip is changed to its disadvantage."""

import keras
import tensorflow as tf

from sertk.learning import nsl
from sertk.learning.batch_statistics import kept_statistics, normalised_with
from sertk.learning.regularized import RegularizedModel


class AdversarialRegularization(RegularizedModel):
    """A classifier that learns from each clip and from its adversarial neighbour.

    The neighbour is the clip's own input, features or waveform, moved by a small step in the direction in which the
    loss grows fastest. In training the loss is that of `compile` plus `multiplier` times the same loss on the
    neighbours. No gradient goes through the choice of the direction. Neighbours are normalised with the clips'
    batch-norm statistics and have no part in them, nor in the moving averages; dropout and noise are drawn anew for
    them. The metrics see the clips alone. With a multiplier of 0 there are no neighbours.

    Batches for training are the classifier's own: its inputs and labels. Of several inputs those that are no floats,
    such as `lengths`, are left alone. Everything else is as in `RegularizedModel`: evaluation, prediction, `save` and
    `export` are the classifier's. The log has `adversarial_loss`, the mean loss on the neighbours before it is
    multiplied.

    Args:
        base_model: functional or sequential keras.Model with one output, such as `from_features(cnn())`; its weights
            are shared.
        config: `nsl.configs.AdvRegConfig`, such as `nsl.configs.make_adv_reg_config` builds. The step is in the units
            of the input. Masks and bounds are arrays where the model has one input, else dicts by its names. NSL's
            `random_init` is refused: it is drawn where no seed reaches. Defaults to NSL's: one step of 0.001 in the L2
            norm, a multiplier of 0.2.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> from sertk.learning import AdversarialRegularization, nsl
        >>> config = nsl.configs.make_adv_reg_config(multiplier=0.2, adv_step_size=0.5, adv_grad_norm="infinity")
        >>> model = AdversarialRegularization(sertk.models.from_features(network), config)
        >>> sertk.learning.fit(model, train, validation, "training")

    Source: Goodfellow et al. (2015), "Explaining and harnessing adversarial examples"; NSL's
    `AdversarialRegularization`.
    """

    def __init__(self, base_model, config=None):
        config = nsl.configs.AdvRegConfig() if config is None else config
        if not isinstance(config, nsl.configs.AdvRegConfig):
            raise ValueError(
                "`config` must be an `nsl.configs.AdvRegConfig`; build it with `nsl.configs.make_adv_reg_config`. "
                f"Received: a {type(config).__name__}"
            )
        super().__init__(base_model, config.multiplier, "adversarial_loss")
        self.config = config
        _check(config.adv_neighbor_config, base_model)

    def train_step(self, data):
        if not self.multiplier:
            return super().train_step(data)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        inputs = keras.tree.map_structure(tf.convert_to_tensor, self.base_inputs(x))  # arrays, where run eagerly
        named = dict(zip(self.base_names, keras.tree.flatten(inputs), strict=True))
        # NSL takes its masks and bounds in the form that the features have.
        features = _floats(named) if len(named) > 1 else inputs
        with tf.GradientTape() as tape:
            with tf.GradientTape() as to_inputs:
                to_inputs.watch(features)
                with kept_statistics(self.base_model) as statistics:
                    y_pred = self.base_model(inputs, training=True)
                loss = self.compute_loss(x, y, y_pred, sample_weight, training=True)
                # The direction is the same, and half precision's gradients do not vanish.
                scaled = self.optimizer.scale_loss(loss)

            def answer(perturbed):
                changed = self.base_inputs({**named, **perturbed}) if len(named) > 1 else perturbed
                with normalised_with(self.base_model, statistics):
                    return self.base_model(changed, training=True)

            def loss_of(labels, answers):
                # Weights are penalised once, with the clips.
                return self.compute_loss(x, labels, answers, sample_weight, training=True) - sum(self.losses)

            with tape.stop_recording():
                neighbours, _ = nsl.gen_adv_neighbor(
                    features,
                    scaled,
                    self.config.adv_neighbor_config,
                    gradient_tape=to_inputs,
                    pgd_model_fn=answer,
                    pgd_loss_fn=lambda labels, answers: self.optimizer.scale_loss(loss_of(labels, answers)),
                    pgd_labels=y,
                )
            adversarial = loss_of(y, answer(neighbours))
            total = loss + self.multiplier * adversarial
            scaled = self.optimizer.scale_loss(total)
        weights = self.trainable_weights
        self.optimizer.apply(tape.gradient(scaled, weights), weights)
        count = tf.shape(y)[0]
        self.measured.update_state(adversarial, sample_weight=count)
        next(metric for metric in self.metrics if metric.name == "loss").update_state(total, sample_weight=count)
        return self.compute_metrics(x, y, y_pred, sample_weight)


def _floats(named):
    """What of a dict can be perturbed."""
    return {name: tensor for name, tensor in named.items() if keras.backend.is_float_dtype(tensor.dtype)}


def _check(config, base_model):
    """Refuses what NSL would refuse in a training step, or pass over."""
    inputs = {tensor.name: tensor for tensor in base_model.inputs}
    if not _floats(inputs):
        raise ValueError(
            "`base_model` must have an input of floats, which can be changed a little. "
            f"Received: inputs of {', '.join(tensor.dtype for tensor in inputs.values())}"
        )
    several = len(inputs) > 1
    wanted = f"a dict by {', '.join(_floats(inputs))}" if several else "an array or a number"
    for name in ("feature_mask", "clip_value_min", "clip_value_max"):
        value = getattr(config, name)
        if value is not None and (
            isinstance(value, dict) != several or (several and set(value) - set(_floats(inputs)))
        ):
            raise ValueError(f"`{name}` must be {wanted}, as the model has its inputs. Received: {name}={value!r}")
    if config.random_init:
        raise ValueError(
            "`random_init` must be False: what is drawn then, a resumed run would not draw again. "
            "Received: random_init=True"
        )
    if not isinstance(config.pgd_iterations, int) or config.pgd_iterations < 1:
        raise ValueError(f"`pgd_iterations` must be a positive integer. Received: {config.pgd_iterations!r}")
    for name in ("adv_step_size", "pgd_epsilon"):
        value = getattr(config, name)
        if value is not None and not value > 0:
            raise ValueError(f"`{name}` must be a number above 0. Received: {name}={value!r}")
    if config.pgd_epsilon is not None and config.adv_grad_norm is nsl.configs.NormType.L1:
        raise ValueError(
            '`adv_grad_norm` must be "l2" or "infinity" with a `pgd_epsilon`: NSL projects onto no other ball. '
            "Received: adv_grad_norm='l1'"
        )

"""A model with a further loss in training, and what it has in common whatever that loss is."""

import keras

from sertk.learning.batch_statistics import check_batch_norm


class RegularizedModel(keras.Model):
    """A classifier that learns with one more loss; in everything else it is the classifier itself.

    Evaluation, validation and prediction are those of the classifier, on the inputs that it takes. `save` and `export`
    write the classifier, as if it had been trained alone. `save_weights` is for checkpoints: it also holds the
    optimiser's state and is read by a model that is wrapped again in the same way.

    Args:
        base_model: functional or sequential keras.Model with one output; its weights are shared.
        multiplier: float, what the loss counts.
        measure: str, the name under which the mean of the loss over an epoch is logged, before it is multiplied.
        **parts: further layers, models and metrics by the names of their attributes: a model that is built, as this one
            is at once, takes no more of them.

    Attributes:
        base_model: as given.

    Raises:
        ValueError: if an argument is out of range, or Keras does not run on TensorFlow.
    """

    def __init__(self, base_model, multiplier, measure, **parts):
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "Training with a further loss runs on TensorFlow; set the environment's KERAS_BACKEND=tensorflow. "
                f"Received: the backend {keras.backend.backend()}"
            )
        inputs, outputs = (getattr(base_model, name, None) for name in ("inputs", "outputs"))
        if not isinstance(base_model, keras.Model) or not inputs or len(outputs) != 1:
            raise ValueError(
                "`base_model` must be a functional `keras.Model` with one output, or a sequential one that knows its "
                f"input. Received: a {type(base_model).__name__}"
            )
        number = isinstance(multiplier, int | float) and not isinstance(multiplier, bool)
        if not number or not 0 <= multiplier < float("inf"):
            raise ValueError(f"`multiplier` must be a number, 0 or more. Received: multiplier={multiplier!r}")
        check_batch_norm(base_model)
        # The policy decides on loss scaling. Inputs go to the classifier as they are: waveforms would lose their quiet
        # parts in half precision.
        super().__init__(name=base_model.name, dtype=base_model.dtype_policy, autocast=False)
        self.base_model = base_model
        self.multiplier = multiplier
        self.measured = keras.metrics.Mean(name=measure)
        for name, part in parts.items():
            setattr(self, name, part)
        self.build(base_model.input_shape)

    @property
    def input_shape(self):
        """The classifier's."""
        return self.base_model.input_shape

    @property
    def output_shape(self):
        """The classifier's."""
        return self.base_model.output_shape

    def build(self, input_shape):
        """Does nothing: the classifier has its weights."""

    def call(self, inputs, training=False):
        return self.base_model(self.base_inputs(inputs), training=training)

    def base_inputs(self, inputs):
        """What the classifier takes, out of a batch that may hold more.

        Args:
            inputs: what the classifier takes, or a dict that has its inputs by their names.

        Returns:
            Tensors in the structure of the classifier's inputs.
        """
        if not isinstance(inputs, dict) or any(name not in inputs for name in self.base_names):
            return inputs
        sequential = isinstance(self.base_model, keras.Sequential)
        structure = self.base_model.inputs[0] if sequential else self.base_model.input
        return keras.tree.map_structure(lambda tensor: inputs[tensor.name], structure)

    @property
    def base_names(self):
        """The names of the classifier's inputs, a list of str."""
        return [tensor.name for tensor in self.base_model.inputs]

    def train_step(self, data):
        logs = super().train_step(data)
        return logs if self.multiplier else self._without_measure(logs)

    def test_step(self, data):
        return self._without_measure(super().test_step(data))

    def _without_measure(self, logs):
        # Where the further loss is not computed, a 0 in the log would say that there is none.
        return {name: value for name, value in logs.items() if name != self.measured.name}

    def save(self, *args, **kwargs):
        """Saves the classifier: `keras.Model.save`."""
        self.base_model.save(*args, **kwargs)

    def export(self, *args, **kwargs):
        """Exports the classifier: `keras.Model.export`."""
        return self.base_model.export(*args, **kwargs)

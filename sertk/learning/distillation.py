"""Distillation: a student learns what a teacher says of each clip, of clips without labels too."""

import keras
import numpy as np
from keras import ops

from sertk.learning.regularized import RegularizedModel
from sertk.models.exposed import exposing, find_layers

TOLD = "teacher_logits"  # the name under which a batch brings them to the student
TINY = float(np.finfo("float32").tiny)


class Distillation(RegularizedModel):
    """A classifier, the student, that learns what another one, its teacher, says.

    In training the loss is (1 - alpha) times that of `compile`, on the clips that have a label, plus alpha times the
    cross-entropy between the teacher's and the student's probabilities, on all clips, with and without label. Both
    models' logits are divided by the temperature before the softmax. Where the paper writes sums, both terms are means
    over the batch: over its labelled clips, and over all of it. So alpha means the same for any batch size and however
    few clips have labels; a batch with none of them learns from the teacher alone. An alpha of 1 is equation (2), an
    alpha of 0 supervised training on the clips with a label.

    Labels are one-hot rows; a clip without one has a row of zeros, as `sertk.pipeline.Clips` gives it. It counts in no
    metric either, in validation too, and is not smoothed into a uniform label. The log has `distillation_loss`, the
    cross-entropy of equation (2) before it is multiplied, and `labelled`, the share of the clips that had a label:
    where that is 0, `accuracy` is 0 because nothing was counted.

    The teacher stays as it is: it answers as in inference, without dropout, noise or another batch norm than its own,
    its weights and moving averages do not change, and checkpoints do not hold it. It hears what the student's model is
    given, so without the noise that a student's own layers add; or, where a batch is a dict that has all its inputs by
    their names, those: features of its own may stand `beside` the clips under a name of their own. Teacher and student
    may be of one architecture (self-distillation) or of two, but share no weights that learn.

    Everything else is as in `RegularizedModel`: evaluation, prediction, `save` and `export` are the student's.

    Args:
        student: functional or sequential keras.Model from clips to probabilities, such as `from_features(resnet9())`;
            its weights are shared.
        teacher: such a model with as many outputs, for the same emotions in the same order. Logits are read in front of
            a last softmax layer, as all of `sertk.models` have it; where there is none, as in an average of networks,
            the logarithms of the probabilities are as good.
        temperature: float above 0, the higher the more of the teacher's doubts is learnt. Defaults to 1.
        alpha: float from 0 to 1, the teacher's share in the loss. Defaults to 1, the loss that the paper uses.
        scale_by_temperature: bool, whether the teacher's term is multiplied by the temperature squared, as Hinton et
            al. do, since its gradient falls with that: alpha then means about the same at every temperature. Defaults
            to False, the published form, which at the default temperature is the same.
        teacher_front: functional keras.Model from the student's input to the teacher's, such as from waveforms to other
            features, or None. Defaults to None.

    Raises:
        ValueError: if an argument is out of range, teacher and student do not fit each other, or, in training, a batch
            lacks labels or what the teacher takes.

    Example:
        >>> teacher = sertk.models.without_fixed_length(sertk.models.load("runs/teacher/model.keras"))
        >>> student = from_waveform(resnet9(), LogMelSpectrogram(n_mels=64), samples=48_000)
        >>> model = Distillation(student, teacher, temperature=2.0, alpha=0.9)
        >>> sertk.learning.fit(model, train, validation, "training")

    Source: paper 000, eq. (2) and (3); Chen et al. (2020), "Big self-supervised models are strong semi-supervised
    learners"; Hinton et al. (2015), "Distilling the knowledge in a neural network".
    """

    def __init__(self, student, teacher, *, temperature=1.0, alpha=1.0, scale_by_temperature=False, teacher_front=None):
        _check_numbers(temperature, alpha)
        answers = [_answering(model, name) for name, model in (("student", student), ("teacher", teacher))]
        _check_pair(student, teacher, teacher_front)
        super().__init__(student, alpha, "distillation_loss", labelled=keras.metrics.Mean(name="labelled"))
        self.temperature = temperature
        self.alpha = alpha
        self.scale_by_temperature = scale_by_temperature
        # Functions, since a second model among its parts would stand in the checkpoints too.
        self._one_pass = lambda inputs: answers[0](inputs, training=True)
        self._listener = lambda: teacher if teacher_front is None else teacher_front
        self._told = lambda inputs: answers[1](
            inputs if teacher_front is None else teacher_front(inputs, training=False), training=False
        )[1]

    def build(self, input_shape):
        """Makes what counts the labels; the student has its weights."""
        if not self.built:  # the last moment at which Keras takes it
            self.labelled = keras.metrics.Mean(name="labelled")

    def compile(self, *args, metrics=None, weighted_metrics=None, **kwargs):
        """Compiles the model: `keras.Model.compile`. The labelled clips alone count in all metrics."""
        every = [*(metrics or ()), *(weighted_metrics or ())]
        super().compile(*args, weighted_metrics=every or None, **kwargs)

    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        self._check_labels(y)
        if self.alpha:
            # Here and not in `call`: outside of the gradient tape, and of a call in training.
            logits = self._told(self._teacher_inputs(x))
            named = x if isinstance(x, dict) else dict(zip(self.base_names, keras.tree.flatten(x), strict=True))
            x = {**named, TOLD: ops.stop_gradient(logits)}
        weights = (1 - self.alpha) * _weights(y, sample_weight)
        return super().train_step((x, y, weights))

    def test_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        self._check_labels(y)
        logs = super().test_step((x, y, _weights(y, sample_weight)))
        return {name: value for name, value in logs.items() if name != self.labelled.name}

    def call(self, inputs, training=False):
        if not training or not isinstance(inputs, dict) or TOLD not in inputs:
            return super().call(inputs, training)
        outputs, logits = self._one_pass(self.base_inputs(inputs))
        losses = distillation_loss(inputs[TOLD], logits, self.temperature)
        self.measured.update_state(losses)
        scale = self.temperature**2 if self.scale_by_temperature else 1.0
        self.add_loss(self.alpha * scale * ops.mean(losses))
        return outputs

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        labelled = _labelled(y)
        self.labelled.update_state(labelled)
        return super().compute_metrics(x, y, y_pred, labelled)

    def _teacher_inputs(self, x):
        """What the teacher takes of a batch: what has its inputs' names, else what the student takes."""
        listener = self._listener()
        names = [tensor.name for tensor in listener.inputs]
        held = sorted(x) if isinstance(x, dict) else []
        missing = [name for name in names if name not in held]
        if not missing:
            structure = listener.inputs[0] if isinstance(listener, keras.Sequential) else listener.input
            return keras.tree.map_structure(lambda tensor: x[tensor.name], structure)
        if not _hears_the_same(listener, self.base_model):
            raise ValueError(
                f"A batch for training must be a dict that has {', '.join(missing)} for the teacher too; put it "
                "`beside` the clips, or make it of the student's input with a `teacher_front`. "
                f"Received: {', '.join(held) or 'no dict'}"
            )
        return self.base_inputs(x)

    def _check_labels(self, y):
        classes = self.output_shape[-1]
        if y is None or tuple(y.shape[1:]) != (classes,):
            raise ValueError(
                f"Labels must be rows of {classes} numbers, all 0 where a clip has no label. "
                f"Received: {'none' if y is None else f'shape={tuple(y.shape)}'}"
            )


def distillation_loss(teacher, student, temperature=1.0):
    """The cross-entropy of what a student says to what its teacher says, both softened by a temperature.

    Args:
        teacher: the teacher's logits, `(batch, classes)`.
        student: the student's.
        temperature: float above 0. Defaults to 1.

    Returns:
        `(batch,)` float32, in nats; its lowest value is the entropy of what the teacher says.

    Source: paper 000, eq. (2).
    """
    teacher, student = (ops.cast(logits, "float32") / temperature for logits in (teacher, student))
    return -ops.sum(ops.softmax(teacher, axis=-1) * ops.log_softmax(student, axis=-1), axis=-1)


def _labelled(y):
    """1 for each clip that has a label, 0 for the others, `(batch,)` float32."""
    return ops.cast(ops.any(ops.not_equal(y, 0), axis=-1), "float32")


def _weights(y, sample_weight):
    """What makes a mean over the batch one over the labelled clips; zeros where there are none."""
    labelled = _labelled(y)
    weights = ops.divide_no_nan(labelled, ops.mean(labelled))
    return weights if sample_weight is None else weights * ops.cast(ops.reshape(sample_weight, (-1,)), "float32")


def _answering(model, name):
    """A function from a classifier's inputs to its probabilities and its logits, both from one pass."""
    inputs, outputs = (getattr(model, ends, None) for ends in ("inputs", "outputs"))
    if not isinstance(model, keras.Model) or not inputs or len(outputs) != 1 or len(outputs[0].shape) != 2:
        raise ValueError(
            f"`{name}` must be a functional `keras.Model` from clips to probabilities, or a sequential one that knows "
            f"its input. Received: a {type(model).__name__}"
        )
    network = model
    while isinstance(network.layers[-1], keras.Model):
        network = network.layers[-1]
    before, last = [None, *network.layers][-2:]
    softmax = isinstance(last, keras.layers.Softmax)
    if not softmax and last.name != "probabilities" and getattr(last, "activation", None) != keras.activations.softmax:
        raise ValueError(
            f"`{name}` must give probabilities: end it with a softmax layer. Received: a model that ends with the "
            f"{type(last).__name__} {last.name}"
        )
    if softmax and before is not None and len(find_layers(model, before.name)) == 1:
        return exposing(model, before.name)

    def answer(inputs, training):
        probabilities = model(inputs, training=training)
        # Softmax of log(p) / T and of logits / T are the same: the logits are log(p) but for a constant.
        return probabilities, ops.log(ops.maximum(ops.cast(probabilities, "float32"), TINY))

    return answer


def _check_numbers(temperature, alpha):
    for name, value, wanted, fits in (
        ("temperature", temperature, "above 0", lambda number: 0 < number < float("inf")),
        ("alpha", alpha, "from 0 to 1", lambda number: 0 <= number <= 1),
    ):
        if isinstance(value, bool) or not isinstance(value, int | float) or not fits(value):
            raise ValueError(f"`{name}` must be a number {wanted}. Received: {name}={value!r}")


def _check_pair(student, teacher, front):
    """Refuses a teacher that the student can't learn from, or that would learn itself."""
    classes, others = student.output_shape[-1], teacher.output_shape[-1]
    if classes != others:
        raise ValueError(
            f"`teacher` must know the {classes} emotions that the student tells apart, in the same order. "
            f"Received: a teacher with {others} outputs"
        )
    learning = {id(weight) for weight in student.trainable_weights}
    shared = [weight.path for weight in teacher.weights if id(weight) in learning]
    if shared:
        raise ValueError(
            "`teacher` must have weights of its own, since it stays as it is while the student learns; load it anew, "
            f"or clone it. Received: {len(shared)} weights that are the student's too, the first {shared[0]}"
        )
    if front is not None:
        made = [output.shape for output in getattr(front, "outputs", None) or ()]
        wanted = [tensor.shape for tensor in teacher.inputs]
        if len(made) != len(wanted) or not all(map(_fits, made, wanted)):
            raise ValueError(
                "`teacher_front` must be a functional `keras.Model` from the student's input to the teacher's, "
                f"{wanted}. Received: a {type(front).__name__} to {made or 'nothing'}"
            )
    listener, name = (teacher, "teacher") if front is None else (front, "teacher_front")
    given = {tensor.name: tensor.shape for tensor in student.inputs}
    for tensor in listener.inputs:
        if tensor.name in given and not _fits(given[tensor.name], tensor.shape):
            raise ValueError(
                f"`{name}` must take `{tensor.name}` as the student does, {given[tensor.name]}; pass a `teacher_front` "
                f"that makes the one of the other. Received: {tensor.shape}"
            )


def _hears_the_same(listener, student):
    """Whether what the student takes can be handed to a model as it is."""
    own, given = (model.inputs for model in (listener, student))
    if len(own) == len(given) == 1:
        return _fits(given[0].shape, own[0].shape)
    return {tensor.name for tensor in own} == {tensor.name for tensor in given}


def _fits(shape, other):
    """Whether a tensor may have both shapes."""
    return len(shape) == len(other) and all(None in (a, b) or a == b for a, b in zip(shape, other, strict=True))

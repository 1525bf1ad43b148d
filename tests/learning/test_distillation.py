"""Distillation: the loss by hand and by SciPy, a teacher that never changes, clips without labels."""

import h5py
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import layers
from scipy.special import log_softmax, softmax

from sertk.features import LogMelSpectrogram
from sertk.learning import Distillation, fit
from sertk.learning.distillation import distillation_loss
from sertk.models import BatchNormalization, ensemble, from_features, from_waveform

CLASSES = 3
RNG = np.random.default_rng(7)
CLIPS = RNG.normal(size=(5, 4)).astype("float32")
LABELS = np.eye(CLASSES, dtype="float32")[[2, 0, 1, 1, 0]]
NONE = np.zeros_like(LABELS)


def linear(weights, name="features", activation=None):
    """Probabilities whose logits are a product: all its numbers can be written down."""
    weights = np.asarray(weights, "float32")
    inputs = keras.Input(weights.shape[:1], name=name)
    logits = layers.Dense(weights.shape[1], use_bias=False, activation=activation, name="logits")
    x = logits(inputs)
    model = keras.Model(inputs, x if activation else layers.Softmax(dtype="float32")(x))
    logits.set_weights([weights])
    return model


def network(width=6, seed=3):
    """A network with everything that is not the same in training and in inference."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((4,), name="in")
    x = layers.Dense(width, activation="relu", name="fc1")(inputs)
    x = layers.Dropout(0.3, seed=5)(BatchNormalization()(x))
    x = layers.Dense(CLASSES, name="fc2")(x)
    model = keras.Model(inputs, layers.Softmax(name="probabilities", dtype="float32")(x), name="network")
    model(2 * CLIPS + 1, training=True)  # moving averages that are no 0 and 1
    return model


STUDENT, TEACHER = RNG.normal(size=(2, 4, CLASSES))


def compiled(model, rate=0.0, **options):
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=options.pop("label_smoothing", 0.0))
    model.compile(keras.optimizers.SGD(rate), loss=loss, metrics=["accuracy"], **({"run_eagerly": True} | options))
    return model


def step(model, inputs=CLIPS, labels=NONE, rate=0.0, sample_weight=None, **options):
    """What one training step logs."""
    compiled(model, rate, **options)
    return model.train_on_batch(inputs, labels, sample_weight=sample_weight, return_dict=True)


def soft(student, teacher, temperature=1.0):
    """Equation (2) of each clip, by SciPy."""
    return -(softmax(teacher / temperature, axis=1) * log_softmax(student / temperature, axis=1)).sum(axis=1)


def test_equations_2_and_3_by_hand():
    """Two clips, the first one happy, the second one without a label, and a temperature of 2.

    The teacher's logits of both are (1, -1), halved (0.5, -0.5): P(first class) = 1 / (1 + e^-1). The student's are
    (0, 2), halved (0, 1): log P = (-log(1 + e), 1 - log(1 + e)). So equation (2) is log(1 + e) - 1 / (1 + e) a clip. On
    the label, at no temperature, -log P = log(1 + e^2).
    """
    clips = np.array([[1.0], [1.0]])
    labels = np.array([[1.0, 0.0], [0.0, 0.0]])
    distilled = np.log(1 + np.e) - 1 / (1 + np.e)
    supervised = np.log(1 + np.e**2)
    for alpha in (0.25, 1.0):
        model = Distillation(linear([[0, 2]]), linear([[1, -1]]), temperature=2.0, alpha=alpha)
        log = step(model, clips, labels)
        np.testing.assert_allclose(log["distillation_loss"], distilled, rtol=1e-6)
        np.testing.assert_allclose(log["loss"], (1 - alpha) * supervised + alpha * distilled, rtol=1e-6)
        assert log["labelled"] == 0.5
    scaled = Distillation(linear([[0, 2]]), linear([[1, -1]]), temperature=2.0, alpha=0.25, scale_by_temperature=True)
    log = step(scaled, clips, labels)
    np.testing.assert_allclose(log["loss"], 0.75 * supervised + 0.25 * 4 * distilled, rtol=1e-6)
    np.testing.assert_allclose(log["distillation_loss"], distilled, rtol=1e-6)


logits = arrays("float64", (3, 4), elements=st.floats(-100, 100, width=32))


@settings(deadline=None, max_examples=30)
@given(logits, logits, st.floats(0.25, 20))
def test_loss_is_that_of_scipy_and_lowest_where_both_say_the_same(teacher, student, temperature):
    found = keras.ops.convert_to_numpy(distillation_loss(teacher, student, temperature))
    np.testing.assert_allclose(found, soft(student, teacher, temperature), rtol=1e-5, atol=1e-4)
    agreed = keras.ops.convert_to_numpy(distillation_loss(teacher, teacher, temperature))
    assert (agreed <= found + 1e-4).all()


@pytest.mark.parametrize(("scale_by_temperature", "factor"), [(False, 1 / 3), (True, 3)])
def test_one_step_of_gradient_descent(scale_by_temperature, factor):
    """The gradient of a clip's loss by the student's logits is (P of the student - P of the teacher) / temperature."""
    student = linear(STUDENT)
    model = Distillation(student, linear(TEACHER), temperature=3.0, scale_by_temperature=scale_by_temperature)
    step(model, rate=0.5)
    error = softmax(CLIPS @ STUDENT / 3, axis=1) - softmax(CLIPS @ TEACHER / 3, axis=1)
    expected = STUDENT - 0.5 * factor * CLIPS.T @ error / len(CLIPS)
    np.testing.assert_allclose(student.get_weights()[0], expected, rtol=1e-4, atol=1e-6)


def test_who_says_what_the_teacher_says_has_nothing_to_learn():
    student = linear(STUDENT)
    log = step(Distillation(student, linear(STUDENT), temperature=1.5), labels=LABELS, rate=100.0)
    np.testing.assert_allclose(student.get_weights()[0], STUDENT, atol=1e-4)  # 100 times what rounding leaves of 0
    assert log["distillation_loss"] > 0  # the entropy


def test_means_are_of_all_clips_and_of_those_with_a_label():
    """Smoothing, which would make a uniform label of a row of zeros, and weights of clips included."""
    labels = LABELS * np.array([[1], [0], [1], [0], [0]])
    of_clips = np.array([1.0, 5, 3, 5, 5])
    model = Distillation(linear(STUDENT), linear(TEACHER), temperature=2.0, alpha=0.4)
    log = step(model, labels=labels, label_smoothing=0.3, sample_weight=of_clips)
    said, told = CLIPS @ STUDENT, CLIPS @ TEACHER
    supervised = -((0.7 * LABELS + 0.1) * log_softmax(said, axis=1)).sum(axis=1)[[0, 2]]
    expected = 0.6 * (supervised * [1, 3]).mean() + 0.4 * soft(said, told, 2.0).mean()
    np.testing.assert_allclose(log["loss"], expected, rtol=1e-5)
    assert log["labelled"] == pytest.approx(0.4)


def test_a_batch_without_labels_learns_from_the_teacher_alone():
    log = step(Distillation(linear(STUDENT), linear(TEACHER), alpha=0.5), label_smoothing=0.1)
    np.testing.assert_allclose(log["loss"], 0.5 * soft(CLIPS @ STUDENT, CLIPS @ TEACHER).mean(), rtol=1e-5)
    assert log["labelled"] == 0
    alone = step(Distillation(linear(STUDENT), linear(TEACHER), alpha=0))
    assert alone["loss"] == 0
    assert "distillation_loss" not in alone  # it was not computed


def test_clips_without_a_label_count_in_no_metric():
    """A row of zeros is taken for the first class: this student gives all clips to it, and has two of three right."""
    student = linear(np.zeros((4, CLASSES)))
    labels = np.eye(CLASSES)[[0, 0, 1, 0, 0]] * np.array([[1], [1], [1], [0], [0]])
    model = Distillation(student, linear(TEACHER))
    assert step(model, labels=labels)["accuracy"] == pytest.approx(2 / 3)
    measured = model.evaluate(CLIPS, labels, verbose=0, return_dict=True)
    assert measured == {"loss": pytest.approx(np.log(3)), "accuracy": pytest.approx(2 / 3)}
    assert step(model, labels=NONE)["accuracy"] == 0


def test_evaluation_is_that_of_the_student():
    student = linear(STUDENT)
    model = compiled(Distillation(student, linear(TEACHER)))
    found = model.evaluate(CLIPS, LABELS, verbose=0)
    np.testing.assert_allclose(found, compiled(student).evaluate(CLIPS, LABELS, verbose=0), rtol=1e-6)
    np.testing.assert_array_equal(model.predict(CLIPS, verbose=0), student.predict(CLIPS, verbose=0))


def test_weights_are_penalised_once():
    student = linear(STUDENT)
    student.get_layer("logits").kernel.regularizer = keras.regularizers.L2(0.01)
    log = step(Distillation(student, linear(TEACHER), alpha=0.5))
    expected = 0.5 * soft(CLIPS @ STUDENT, CLIPS @ TEACHER).mean() + 0.01 * (STUDENT**2).sum()
    np.testing.assert_allclose(log["loss"], expected, rtol=1e-5)


@pytest.mark.slow
def test_a_student_of_clips_without_labels_learns_what_a_good_teacher_knows(batches, tmp_path):
    """The teacher is right but never changes, to the bit; nothing of it is in a checkpoint or in what is saved."""
    teacher = network(width=11)
    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, 90)
    clips = (np.eye(4)[truth] * 3 + rng.normal(size=(90, 4)) * 0.3).astype("float32")
    labels = np.eye(CLASSES, dtype="float32")[truth]
    compiled(teacher, 0.3, run_eagerly=False).fit(clips, labels, epochs=20, batch_size=30, verbose=0)
    assert teacher.evaluate(clips, labels, verbose=0)[1] > 0.98
    before = [weight.copy() for weight in teacher.get_weights()]

    student = network(width=5, seed=1)
    model = Distillation(student, teacher, temperature=2.0)
    unlabelled = batches(clips, np.zeros_like(labels), 30)
    log = fit(
        model,
        unlabelled,
        batches(clips, labels, 30),
        tmp_path / "training",
        optimizer=keras.optimizers.Adam(0.03),
        label_smoothing=0.1,
        epochs=20,
        patience=None,
        verbose=0,
    ).log
    assert log["val_accuracy"].iloc[-1] > 0.95
    assert log["distillation_loss"].iloc[-1] < log["distillation_loss"].iloc[0]
    assert (log[["labelled", "accuracy"]] == 0).all(axis=None)
    for after, weights in zip(teacher.get_weights(), before, strict=True):
        np.testing.assert_array_equal(after, weights)

    sizes = []
    with h5py.File(tmp_path / "training" / "epoch-0020.weights.h5") as file:
        file.visititems(lambda _, entry: sizes.append(entry.shape) if isinstance(entry, h5py.Dataset) else None)
    assert (4, 5) in sizes
    assert not any(11 in shape for shape in sizes)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert [weight.shape for weight in loaded.weights] == [weight.shape for weight in student.weights]
    np.testing.assert_allclose(loaded.predict(clips, verbose=0), student.predict(clips, verbose=0), atol=1e-6)


def test_the_teacher_answers_as_in_inference_while_the_student_trains():
    student, teacher = linear(STUDENT), network()
    told = np.log(teacher.predict(CLIPS, verbose=0).astype("float64"))
    log = step(Distillation(student, teacher))
    np.testing.assert_allclose(log["distillation_loss"], soft(CLIPS @ STUDENT, told).mean(), rtol=1e-4)


@pytest.mark.slow
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(batches, resumes):
    labels = LABELS * np.array([[1], [0], [0], [1], [0]], "float32")
    log = resumes(
        lambda: Distillation(network(seed=1), network(), temperature=2.0, alpha=0.7),
        batches(CLIPS, labels, 2),
        batches(CLIPS, LABELS, 2),
    )
    assert {"loss", "accuracy", "distillation_loss", "labelled", "val_loss", "val_accuracy"} < set(log)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_logits_that_probabilities_can_not_tell_are_learnt_all_the_same(policy):
    """exp(-200) is 0 in single precision, and in half precision exp(-18) is."""
    keras.config.set_dtype_policy(policy)
    try:
        student, teacher = linear([[100, -100]]), linear([[-100, 100]])
        log = step(Distillation(student, teacher), np.ones((1, 1)), np.zeros((1, 2)))
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(log["distillation_loss"], 200, rtol=1e-3)
    np.testing.assert_allclose(log["loss"], 200, rtol=1e-3)


@pytest.mark.parametrize("which", ["student", "teacher"])
def test_models_without_a_softmax_layer_are_read_by_their_probabilities(which):
    pair = {"student": linear(STUDENT), "teacher": linear(TEACHER)}
    pair[which] = linear({"student": STUDENT, "teacher": TEACHER}[which], activation="softmax")
    log = step(Distillation(**pair, temperature=2.0))
    expected = soft(CLIPS @ STUDENT, CLIPS @ TEACHER, 2.0).mean()
    np.testing.assert_allclose(log["distillation_loss"], expected, rtol=1e-5)


def test_the_teacher_may_be_an_average_of_networks():
    members = {"first": linear(TEACHER), "second": linear(STUDENT)}
    teacher = ensemble([keras.Model(member.input, member.output, name=name) for name, member in members.items()])
    told = np.log(teacher.predict(CLIPS, verbose=0).astype("float64"))
    log = step(Distillation(linear(STUDENT), teacher))
    np.testing.assert_allclose(log["distillation_loss"], soft(CLIPS @ STUDENT, told).mean(), rtol=1e-5)


def test_a_batch_may_hold_features_for_the_teacher():
    others = RNG.normal(size=(5, 2)).astype("float32")
    weights = RNG.normal(size=(2, CLASSES))
    model = Distillation(linear(STUDENT), linear(weights, name="others"))
    log = step(model, {"features": CLIPS, "others": others})
    np.testing.assert_allclose(log["distillation_loss"], soft(CLIPS @ STUDENT, others @ weights).mean(), rtol=1e-5)
    with pytest.raises(ValueError, match=r"^A batch for training must be a dict that has others .* Received: no dict$"):
        step(model, CLIPS)
    with pytest.raises(ValueError, match=r"that has others for the teacher too; .*`beside`.* Received: features$"):
        step(model, {"features": CLIPS})


def test_a_batch_may_hold_what_the_teacher_says():
    """As where it was asked once, beforehand: a model that hands its probabilities on."""
    told = keras.Input((CLASSES,), name="told")
    teacher = keras.Model(told, layers.Identity(name="probabilities")(told))
    said = softmax(CLIPS @ TEACHER, axis=1)
    log = step(Distillation(linear(STUDENT), teacher, temperature=2.0), {"features": CLIPS, "told": said})
    expected = soft(CLIPS @ STUDENT, CLIPS @ TEACHER, 2.0).mean()
    np.testing.assert_allclose(log["distillation_loss"], expected, rtol=1e-5)


def test_students_of_waveforms_learn_from_teachers_of_other_features():
    """Through layers of the teacher's own, or a front."""
    waveforms = RNG.normal(0, 0.1, (3, 800)).astype("float32")
    coarse, fine = (LogMelSpectrogram(n_fft=128, hop_length=100, n_mels=bands) for bands in (4, 6))

    def pooled(features, seed):
        keras.utils.set_random_seed(seed)
        inputs = keras.Input(features(waveforms).shape[1:])
        x = layers.Dense(CLASSES)(layers.GlobalAveragePooling1D()(inputs))
        return keras.Model(inputs, layers.Softmax()(x))

    student = from_waveform(pooled(coarse, 0), coarse, samples=800)
    network = pooled(fine, 1)
    front = keras.Sequential([keras.Input((800,)), fine])
    said, told = (
        np.log(model.predict(waveforms, verbose=0)) for model in (student, from_waveform(network, fine, samples=800))
    )
    for teacher, options in ((from_waveform(network, fine, samples=800), {}), (network, {"teacher_front": front})):
        log = step(Distillation(student, teacher, **options), waveforms, np.zeros((3, CLASSES)))
        np.testing.assert_allclose(log["distillation_loss"], soft(said, told).mean(), rtol=1e-4)


def test_xla_gives_the_same():
    labels = LABELS * np.array([[1], [0], [1], [0], [0]])
    logs = [
        step(Distillation(linear(STUDENT), network(), alpha=0.5), labels=labels, rate=0.1, **options)
        for options in ({}, {"run_eagerly": False, "jit_compile": True})
    ]
    assert logs[0] == pytest.approx(logs[1], rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, r"`temperature` must be a number above 0\. Received: temperature=0$"),
        ({"temperature": -1.0}, r"`temperature` must be a number above 0"),
        ({"temperature": float("nan")}, r"`temperature` must be a number above 0\. Received: temperature=nan"),
        ({"temperature": float("inf")}, r"`temperature` must be a number above 0"),
        ({"temperature": "2"}, r"`temperature` must be a number above 0"),
        ({"alpha": -0.1}, r"`alpha` must be a number from 0 to 1\. Received: alpha=-0\.1$"),
        ({"alpha": 1.1}, r"`alpha` must be a number from 0 to 1"),
        ({"alpha": float("nan")}, r"`alpha` must be a number from 0 to 1"),
        ({"alpha": None}, r"`alpha` must be a number from 0 to 1"),
        ({"alpha": True}, r"`alpha` must be a number from 0 to 1"),
    ],
    ids=str,
)
def test_impossible_numbers(options, message):
    with pytest.raises(ValueError, match=message):
        Distillation(linear(STUDENT), linear(TEACHER), **options)


def test_teachers_that_do_not_fit_the_student():
    with pytest.raises(ValueError, match=r"`teacher` must know the 3 emotions .* Received: a teacher with 2 outputs"):
        Distillation(linear(STUDENT), linear(TEACHER[:, :2]))
    with pytest.raises(
        ValueError, match=r"`teacher` must take `features` as the student does, \(None, 4\); .*\(None, 2"
    ):
        Distillation(linear(STUDENT), linear(TEACHER[:2]))
    student = linear(STUDENT)
    for teacher in (student, from_features(student)):
        with pytest.raises(ValueError, match=r"`teacher` must have weights of its own, .* Received: 1 .*kernel$"):
            Distillation(student, teacher)


def test_fronts_that_do_not_fit_the_teacher():
    narrow = keras.Sequential([keras.Input((4,), name="features"), layers.Dense(2)])
    for front, received in ((narrow, "a Sequential to .*2"), (layers.Dense(4), "a Dense to nothing")):
        with pytest.raises(ValueError, match=rf"`teacher_front` must be a functional .* Received: {received}"):
            Distillation(linear(STUDENT), linear(TEACHER), teacher_front=front)
    wide = keras.Sequential([keras.Input((9,), name="features"), layers.Dense(4)])
    with pytest.raises(ValueError, match=r"`teacher_front` must take `features` as the student does, \(None, 4\)"):
        Distillation(linear(STUDENT), linear(TEACHER), teacher_front=wide)


def test_other_things_than_classifiers():
    with pytest.raises(ValueError, match=r"`teacher` must be a functional .* Received: a Dense"):
        Distillation(linear(STUDENT), layers.Dense(3))
    with pytest.raises(ValueError, match=r"`student` must be a functional .* Received: a Sequential"):
        Distillation(keras.Sequential([layers.Dense(3)]), linear(TEACHER))
    inputs = keras.Input((4,), name="features")
    undecided = keras.Model(inputs, layers.Dense(CLASSES, name="fc2")(inputs))
    with pytest.raises(ValueError, match=r"`teacher` must give probabilities: .* that ends with the Dense fc2$"):
        Distillation(linear(STUDENT), undecided)


@pytest.mark.parametrize("labels", [None, np.array([2, 0, 1, 1, 0]), np.zeros((5, 2))], ids=str)
def test_labels_that_are_no_rows_of_the_classes_are_refused_in_one_sentence(labels):
    message = r"^Labels must be rows of 3 numbers, all 0 where a clip has no label\. Received: (none|shape=.*)$"
    with pytest.raises(ValueError, match=message):
        step(Distillation(linear(STUDENT), linear(TEACHER)), labels=labels)

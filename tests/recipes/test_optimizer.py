"""From settings to an optimiser: rates worked out by hand, and settings that are refused."""

import math

import keras
import numpy as np
import pytest

from sertk.recipes import get, override
from sertk.recipes.optimizer import optimizer


def made(steps=10, epochs=8, **changes):
    changes = {"epochs": epochs, **changes}
    recipe = override(get("004-cnn-mfcc"), {f"training.{name}": value for name, value in changes.items()})
    return optimizer(recipe, steps)


def rates(made, steps):
    schedule = made._learning_rate
    return [float(schedule(step)) for step in steps]


def test_the_papers_is_adam_at_one_rate():
    adam = made()
    assert type(adam) is keras.optimizers.Adam
    assert float(adam.learning_rate) == pytest.approx(1e-2)
    assert (adam.weight_decay, adam.clipnorm) == (None, None)


def test_cosine_falls_to_nothing_at_the_last_step():
    assert rates(made(schedule="cosine", learning_rate=0.4), [0, 20, 40, 60, 80]) == pytest.approx(
        [0.4, 0.2 + 0.2 * math.cos(math.pi / 4), 0.2, 0.2 + 0.2 * math.cos(3 * math.pi / 4), 0], abs=1e-6
    )


def test_a_staircase_goes_down_after_every_few_epochs():
    """Paper 003: times 0.9 after every 5 epochs; an epoch has ten steps here."""
    assert rates(made(schedule="staircase", epochs=50, learning_rate=1e-3), [0, 49, 50, 99, 100, 499]) == pytest.approx(
        [1e-3, 1e-3, 0.9e-3, 0.9e-3, 0.81e-3, 1e-3 * 0.9**9]
    )
    assert rates(made(schedule="staircase", decay_rate=0.5, decay_epochs=0.5, learning_rate=0.4), [4, 5, 10]) == (
        pytest.approx([0.4, 0.2, 0.1])
    )


@pytest.mark.parametrize("change", [{"decay_rate": 0.0}, {"decay_rate": 1.1}, {"decay_epochs": 0.0}])
def test_a_staircase_that_leads_nowhere_is_refused(change):
    with pytest.raises(ValueError, match=r"`training\.decay_rate` must be above 0 and at most 1"):
        made(schedule="staircase", **change)


def test_linear_falls_to_nothing_at_the_last_batch_also_where_gradients_are_accumulated():
    """Eight epochs of ten batches, the weights changed once for two of them: batch 40 is half way down."""
    falling = made(schedule="linear", learning_rate=0.4, accumulation=2)
    weight = keras.Variable([1.0])
    falling.build([weight])
    seen = []
    for _ in range(80):
        falling.apply([keras.ops.ones(1)])
        seen.append(float(falling.learning_rate))
    assert [seen[19], seen[39], seen[79]] == pytest.approx([0.3, 0.2, 0.0], abs=1e-6)
    assert int(falling.iterations) == 40


def test_warmup_climbs_before_the_cosine():
    """Two of eight epochs of ten steps: up over 20 steps, down over 60."""
    climbing = made(schedule="cosine", warmup=2, learning_rate=0.4)
    assert rates(climbing, [0, 5, 10, 20, 50, 80]) == pytest.approx([0, 0.1, 0.2, 0.4, 0.2, 0], abs=1e-6)


def test_warmup_before_a_constant_rate():
    assert rates(made(warmup=0.5, learning_rate=0.4), [0, 2, 5, 6, 79]) == pytest.approx([0, 0.16, 0.4, 0.4, 0.4])


def test_adamw_shrinks_weights_that_have_no_gradient():
    """Loshchilov and Hutter: each step takes rate times decay of the weight, whatever the gradient."""
    adamw = made(optimizer="adamw", learning_rate=0.1, weight_decay=0.5)
    weight = keras.Variable([2.0])
    adamw.build([weight])
    adamw.apply([keras.ops.zeros(1)])
    np.testing.assert_allclose(weight, [2.0 * (1 - 0.1 * 0.5)], rtol=1e-6)


def test_adadelta_is_that_of_paper_001():
    """Table 1: rho 0.95, epsilon 1e-8. Zeiler's first step is rate times sqrt(eps) / sqrt(0.05 g^2 + eps) times g."""
    adadelta = made(optimizer="adadelta", learning_rate=1e-4, epsilon=1e-8)
    assert (adadelta.rho, adadelta.epsilon) == (0.95, 1e-8)
    weight = keras.Variable([0.0])
    adadelta.build([weight])
    adadelta.apply([keras.ops.convert_to_tensor([2.0])])
    np.testing.assert_allclose(weight, [-1e-4 * 1e-4 / math.sqrt(0.05 * 4) * 2], rtol=1e-5)


def test_gradients_are_clipped_to_a_norm():
    assert made(clip_norm=1.0).clipnorm == 1.0
    assert (made(global_clip_norm=1.0).clipnorm, made(global_clip_norm=1.0).global_clipnorm) == (None, 1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "sgdd"}, r"`training\.optimizer` must be one of adam, adamw, adadelta\. Received: .*='sgdd'"),
        ({"schedule": "step"}, r"`training\.schedule` must be one of constant, cosine"),
        ({"warmup": 8}, r"`training\.warmup` must be at least 0 and less than the 8 epochs\. Received: .*=8"),
        ({"warmup": -1}, r"`training\.warmup` must be at least 0"),
        ({"weight_decay": 1e-3}, r"`training\.weight_decay` is AdamW's; set training\.optimizer=adamw"),
        ({"weight_decay": -1.0}, r"`training\.weight_decay` must be at least 0 and below 1"),
        ({"label_smoothing": 1.0}, r"`training\.label_smoothing` must be at least 0 and below 1"),
        ({"learning_rate": 0.0}, r"`training\.learning_rate` must be above 0\. Received: .*=0\.0"),
        ({"epsilon": -1.0}, r"`training\.epsilon` must be above 0, or None"),
        ({"monitor": "uar"}, r"`training\.monitor` must be one of loss, accuracy"),
        ({"clip_norm": 0.0}, r"`training\.clip_norm` must be above 0, or None"),
        ({"clip_norm": 1.0, "global_clip_norm": 1.0}, r"`training\.clip_norm` and `.*` exclude each other"),
        ({"warmup": 1.0, "schedule": "linear"}, r"`training\.warmup` goes with the schedules constant and cosine"),
        ({"accumulation": 0}, r"`training\.accumulation` must be at least 1"),
        ({"evaluate_every": 0}, r"`training\.evaluate_every` must be at least 1 step, or None"),
    ],
    ids=str,
)
def test_wrong_settings_are_told(changes, message):
    with pytest.raises(ValueError, match=message):
        made(**changes)

"""One forward pass or training step of a speech encoder, here or in transformers: what runs in a process of its own.

TensorFlow and PyTorch in one process can bring it down, so none is imported before a network is built. Dropout, masks
and layer drop are off: what is left is the same work for both.
"""

import time
from pathlib import Path

import numpy as np

# Keras's own epsilon is another than PyTorch's, and shows in the losses.
CLASSES, LEARNING_RATE, EPSILON = 7, 1e-5, 1e-8
# Both begin with the same weights, so that their losses are those of the same steps.
LOSSES = 3
# Random weights of a classifier are so small that all classes are nearly as probable, whatever comes before it.
GAIN = 20.0

_step = None


def write_checkpoint(config, folder):
    """Writes transformers' classifier with random weights into a folder.

    Args:
        config: dict, as config.json holds it.
        folder: path.
    """
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForSequenceClassification

    torch.manual_seed(0)
    model = Wav2Vec2ForSequenceClassification(Wav2Vec2Config(**config))
    with torch.no_grad():
        model.classifier.weight.mul_(GAIN)
    model.save_pretrained(folder)


def start(build, *arguments):
    """Builds what this process is to time, and runs it for the first time.

    Args:
        build: `sertk` or `transformers`.
        *arguments: its.

    Returns:
        Float array, what to compare: log probabilities of a forward pass, `(clips, classes)`, or the losses of the
        first `LOSSES` training steps.
    """
    global _step
    _step, training = build(*arguments)
    return np.array([_step() for _ in range(LOSSES)]) if training else _step()


def seconds():
    """How long one more pass or step takes in this process, and the processor time that all its threads spent on it."""
    began, worked = time.perf_counter(), time.process_time()
    _step()
    return time.perf_counter() - began, time.process_time() - worked


def sertk(config, folder, clips, training, recompute, jit_compile="auto"):
    """sertk's network, trained and asked as `sertk.learning.fit` and `sertk.Predictor` do it.

    Args:
        config: dict, as config.json holds it.
        folder: path of a checkpoint of transformers' classifier, or None for random weights.
        clips: waveforms, `(clips, samples)`.
        training: bool, whether a step is a training step.
        recompute: bool, whether it checkpoints gradients.
        jit_compile: Keras's. Defaults to "auto", as in `sertk.learning.fit`: on a CPU, without XLA.

    Returns:
        A function that takes a step, and `training`.
    """
    import warnings

    from sertk.quiet import quiet_loading

    with quiet_loading():
        import keras
        import tensorflow as tf

    from sertk.models import ssl_classifier

    # The vector of masked frames has none where nothing is masked.
    warnings.filterwarnings("ignore", "Gradients do not exist")
    model = ssl_classifier(
        (clips.shape[1],),
        CLASSES,
        backbone=config,
        weights=folder,
        head="projection",
        gradient_checkpointing=recompute,
    )
    if folder is not None:
        _load_head(model, folder)
    optimizer = keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON)
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"], jit_compile=jit_compile)
    waveforms, labels = tf.constant(clips), tf.one_hot(_labels(clips), CLASSES)
    if training:
        return lambda: model.train_on_batch(waveforms, labels, return_dict=True)["loss"], True
    return lambda: np.log(model.predict_on_batch(waveforms)), False


def transformers(config, folder, clips, training, recompute, attention):
    """transformers' network in PyTorch, on all cores.

    Adam is the fused one, the fastest that PyTorch has. Clips are normalised beforehand, which is not timed.

    Args:
        config, folder, clips, training, recompute: as in `sertk`; the folder holds the configuration too.
        attention: "eager" or "sdpa".

    Returns:
        A function that takes a step, and `training`.
    """
    import torch
    from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2ForSequenceClassification, utils

    utils.logging.disable_progress_bar()
    torch.set_num_threads(_cores())
    model = Wav2Vec2ForSequenceClassification.from_pretrained(folder, attn_implementation=attention)
    prepared = Wav2Vec2FeatureExtractor(do_normalize=True)(list(clips), sampling_rate=16_000, return_tensors="pt")
    waveforms, labels = prepared["input_values"], torch.tensor(_labels(clips))
    if recompute:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    model.train(training)
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE, eps=EPSILON, fused=True)

    def forward():
        with torch.inference_mode():
            return model(waveforms).logits.log_softmax(-1).numpy()

    def step():
        optimizer.zero_grad()
        loss = model(waveforms, labels=labels).loss
        loss.backward()
        optimizer.step()
        return loss.item()

    return (step if training else forward), training


def _load_head(model, folder):
    """The two layers that `sertk.models.ssl_classifier` leaves random, from a checkpoint of a classifier."""
    from safetensors.numpy import load_file

    tensors = load_file(Path(folder, "model.safetensors"))
    for layer, name in (("projector", "projector"), ("logits", "classifier")):
        model.get_layer(layer).set_weights([tensors[f"{name}.weight"].T, tensors[f"{name}.bias"]])


def _labels(clips):
    return np.arange(len(clips)) % CLASSES


def _cores():
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

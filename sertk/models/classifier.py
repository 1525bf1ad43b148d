"""The last step of every classifier."""

from keras import layers


def classify(vector, num_classes):
    """Dense and softmax, in float32 under a mixed-precision policy too."""
    logits = layers.Dense(num_classes, name="logits")(vector)
    return layers.Softmax(name="probabilities", dtype="float32")(logits)

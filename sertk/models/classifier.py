"""The last step of every classifier."""

from keras import layers


def classify(vector, num_classes, name="logits"):
    """Dense, by name, and softmax, in float32 under a mixed-precision policy too."""
    logits = layers.Dense(num_classes, name=name)(vector)
    return layers.Softmax(name="probabilities", dtype="float32")(logits)

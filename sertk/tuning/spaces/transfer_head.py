"""The head of paper 001's networks from ImageNet: its units, dropout and Adadelta's learning rate.

The paper has 512 units, no dropout and 1e-4, at which Adadelta hardly moves a weight in ten epochs; 1 is its author's
own rate. The bounds are chosen here to hold both.
"""

from sertk.tuning.space import SearchSpace


def choose(hp):
    """The units of the dense layer, the dropout after it, and the learning rate on a logarithmic scale."""
    units = hp.Choice("units", [512, 128, 256, 1024])
    dropout = hp.Float("model.dropout", 0.0, 0.5, step=0.25)
    rate = hp.Float("training.learning_rate", 1e-4, 1.0, sampling="log")
    return {"model.units": [units], "model.dropout": dropout, "training.learning_rate": rate}


TRANSFER_HEAD = SearchSpace(
    name="transfer-head",
    title="head of the networks from ImageNet",
    source="paper 001, section 3",
    recipes=("001-resnet50", "001-squeezenet", "001-wide-resnet50", "001-inception-v3"),
    choose=choose,
)

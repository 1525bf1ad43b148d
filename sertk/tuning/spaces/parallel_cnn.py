"""The learning rate of paper 004's networks from scratch, section 4.3.2: 1e-5 to 1e-2.

The paper has four rates, a decade apart. They are what a grid takes (`--method grid`, four points of a range); the
other methods draw from all rates between them, each decade as often. Its table is of the single CNN:
`--recipe 004-cnn-mfcc`.
"""

from sertk.tuning.space import SearchSpace


def choose(hp):
    """The learning rate, on a logarithmic scale."""
    rate = hp.Float("training.learning_rate", 1e-5, 1e-2, sampling="log")
    return {"training.learning_rate": rate}


PARALLEL_CNN = SearchSpace(
    name="parallel-cnn",
    title="learning rate of the networks from scratch",
    source="paper 004, section 4.3.2",
    recipes=(
        "004-parallel-mfcc-awgn",
        "004-parallel-mfcc",
        "004-parallel-mel-awgn",
        "004-parallel-mel",
        "004-two-cnn-mfcc-awgn",
        "004-two-cnn-mfcc",
        "004-cnn-mfcc-awgn",
        "004-cnn-mfcc",
    ),
    choose=choose,
)

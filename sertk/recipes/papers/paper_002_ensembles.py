"""Paper 002: which of its six networks vote together.

The paper tried all combinations of three and of five on its test part and names the best of each (section 6.2, tables
3 and 4): 96.53 % of its 288 clips are 278 of them, 96.88 % are 279, and one clip lies between the two.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ensemble:
    """A published ensemble: its name, what it is, where it is from, and the recipes of its members."""

    name: str
    title: str
    source: str
    members: tuple


ENSEMBLES = {
    ensemble.name: ensemble
    for ensemble in (
        Ensemble(
            "002-vote-3",
            "Majority vote of three",
            "paper 002, table 3",
            ("002-xlsr-53", "002-hubert-xlarge", "002-unispeech-multilingual"),
        ),
        Ensemble(
            "002-vote-5",
            "Majority vote of five",
            "paper 002, table 3",
            (
                "002-xlsr-53",
                "002-hubert-base",
                "002-hubert-xlarge",
                "002-unispeech-large",
                "002-unispeech-multilingual",
            ),
        ),
    )
}

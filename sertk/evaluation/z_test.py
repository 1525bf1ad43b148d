"""The z-test that papers put beside two UARs: one-tailed, of two proportions."""

import math

import scipy.stats


def uar_z_test(uar, baseline, clips):
    """Tests whether a UAR is above another one, as if both were shares of clips: paper 003's one-tailed z-test.

    With p the mean of the two, z = (uar - baseline) / sqrt(2 p (1 - p) / clips).

    It is here to be set beside published figures. It is no proof, for three reasons:

    - A UAR is no share of clips: it is the mean of the classes' recalls, and those of rare classes vary more than the
      number of all clips says.
    - Both models were measured on the same clips, and the test takes them to be two independent samples.
    - Clips of one speaker are alike, and it takes each to be a fact of its own.

    Better: `sertk.evaluation.paired_test` over seeds and folds, `sertk.evaluation.mcnemar` over the clips, and the
    interval over speakers of `sertk.evaluation.metrics`.

    Args:
        uar: float in 0 to 1, of the model that is to be better; 78.9 % is 0.789.
        baseline: float in 0 to 1, the UAR to beat.
        clips: int, the number of test clips, the same for both.

    Returns:
        dict: `difference`, `z`, and `p`, one-tailed: how likely chance gives a difference as large, or a larger one.

    Raises:
        ValueError: if a UAR is not in 0 to 1, or `clips` is below 1.

    Example:
        >>> uar_z_test(0.770, 0.731, 2326)
        {'difference': 0.039..., 'z': 3.073..., 'p': 0.00105...}

    Source: Chang et al. (2023), Knowledge Transfer for On-Device Speech Emotion Recognition with Neural Structured
    Learning (paper 003), section 3.4; Dietterich (1998), Neural Computation 10(7), section 3.2.
    """
    for name, value in (("uar", uar), ("baseline", baseline)):
        if not 0 <= value <= 1:
            raise ValueError(f"`{name}` must be in 0 to 1; write 78.9 % as 0.789. Received: {name}={value!r}")
    if clips < 1 or clips != int(clips):
        raise ValueError(f"`clips` must be the number of test clips, at least 1. Received: clips={clips!r}")
    pooled = (uar + baseline) / 2
    spread = math.sqrt(2 * pooled * (1 - pooled) / clips)
    # Two models that are both always right, or never, are alike.
    z = (uar - baseline) / spread if spread else 0.0
    return {"difference": float(uar - baseline), "z": float(z), "p": float(scipy.stats.norm.sf(z))}

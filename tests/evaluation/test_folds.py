"""Mean and standard deviation over folds, by hand."""

import pytest

from sertk.evaluation import over_folds


def fold(uar):
    return {"uar": uar, "accuracy": uar / 2, "macro_f1": 0.5, "weighted_f1": 0.25}


def test_by_hand():
    """0.2, 0.3 and 0.7: mean 0.4, deviations -0.2, -0.1 and 0.3, squares 0.04 + 0.01 + 0.09 = 0.14, halved 0.07."""
    figures = over_folds([fold(0.2), fold(0.3), fold(0.7)])
    assert figures["names"] == ["fold-1", "fold-2", "fold-3"]
    assert figures["uar"]["mean"] == pytest.approx(0.4)
    assert figures["uar"]["sd"] == pytest.approx(0.07**0.5)
    assert figures["uar"]["values"] == [0.2, 0.3, 0.7]
    assert figures["accuracy"]["mean"] == pytest.approx(0.2)
    assert figures["weighted_f1"] == {"mean": 0.25, "sd": 0.0, "values": [0.25] * 3}


@pytest.mark.parametrize(("folds", "names"), [([fold(0.5)], None), ([], None), ([fold(0.5)] * 2, ["only"])])
def test_one_fold_has_no_deviation(folds, names):
    with pytest.raises(ValueError, match="at least two folds, with as many `names`"):
        over_folds(folds, names)

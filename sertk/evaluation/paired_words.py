"""What a comparison of pairs says: its tests as a table, and what follows in sentences."""

SIGNIFICANT = 0.05
MEASURES = {"uar": "UAR", "accuracy": "accuracy"}
TESTS_HEADER = ["test", "measure", "difference", "95 % interval", "p", "one-sided p"]


def paired_tests(said):
    """The tests of a comparison as rows of `TESTS_HEADER`, in words.

    Args:
        said: dict, what `sertk.recipes.compare_runs` returned.

    Returns:
        list of lists of str; the z-test, which is one-tailed, has no p beside its one-sided one.
    """
    rows = []
    for measure, name in MEASURES.items():
        test = said["tests"][measure]
        difference = points(test["difference"])
        t_tests = {"paired t": test, "corrected resampled t": test["corrected"]}
        for title, t_test in t_tests.items():
            if t_test is not None and t_test["t"] is not None:
                low, high = (100 * end for end in t_test["interval"])
                ps = [p_value(t_test[key]) for key in ("p", "p_greater")]
                rows.append([title, name, difference, f"{low:+.1f} to {high:+.1f}", *ps])
        if test["flips"] is not None:
            flips = test["flips"]
            how = f"all {flips['count']:,}" if flips["exact"] else f"{flips['count']:,} random"
            rows.append(
                [f"sign flips, {how}", name, difference, "", *(p_value(flips[key]) for key in ("p", "p_greater"))]
            )
    z = said["z_test"]
    title = f"z of paper 003, {z['clips']:,} clips"
    return [*rows, [title, MEASURES["uar"], points(z["difference"]), "", "", p_value(z["p"])]]


def paired_sentences(said):
    """What follows from a comparison, and what has to be known to believe it.

    Args:
        said: dict, what `sertk.recipes.compare_runs` returned.

    Returns:
        list of str.
    """
    test, flips = said["tests"]["uar"], said["tests"]["uar"]["flips"]
    sentences = [_verdict(said)]
    if flips is not None and flips["smallest_p"] >= SIGNIFICANT:
        sentences.append(
            f"Sign flips of {test['pairs']} pairs can't give a p below {p_value(flips['smallest_p'])}: train with more "
            "seeds or folds."
        )
    seeds, folds = (len({pair[key] for pair in said["pairs"]}) for key in ("seed", "fold"))
    if folds == 1 and seeds > 1:
        sentences.append(
            "All pairs are of one split: this is about the luck of the seeds, on these clips and speakers."
        )
    if folds > 1:
        corrected = " The corrected t-test allows for it." if test["corrected"] is not None else ""
        sentences.append(f"The splits share training clips, so the pairs are not independent.{corrected}")
    sentences.append(
        "The z-test takes UAR for a share of clips, and each model to have been measured on clips of its own: it is "
        "there to be set beside published figures."
    )
    return sentences


def _verdict(said):
    test, (first, second) = said["tests"]["uar"], said["names"]
    if test["t"] is None:
        return f"No t-test of UAR: {test['why']}."
    decisive, how = (test["corrected"], "corrected") if test["corrected"] else (test, "paired")
    if decisive["p"] >= SIGNIFICANT:
        return (
            f"By the {how} t-test, p = {p_value(decisive['p'])}, {second} is not shown to differ from {first} in UAR."
        )
    which = "better" if test["difference"] > 0 else "worse"
    return f"By the {how} t-test, p = {p_value(decisive['p'])}, {second} is {which} than {first} in UAR."


def points(difference):
    """A difference of shares, in points."""
    return f"{100 * difference:+.1f}"


def p_value(p):
    """A p as papers write it."""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"

"""Filters and maps of numbers: tables only."""

from training.code.skills import EVERY, SAME_NUMBER, Filter, Map

FILTERS = (
    EVERY,
    Filter("even", ("even {0}",), "is even", ("{x} % 2 == 0",), lambda x, k: not x & 1),
    Filter("odd", ("odd {0}",), "is odd", ("{x} % 2 == 1", "{x} % 2 != 0"), lambda x, k: bool(x & 1)),
    Filter("positive", ("positive {0}",), "is positive", ("{x} > 0",), lambda x, k: max(x, 0) != 0),
    Filter("negative", ("negative {0}",), "is negative", ("{x} < 0",), lambda x, k: min(x, 0) != 0),
    Filter("nonzero", ("non-zero {0}", "nonzero {0}"), "is not zero", ("{x} != 0",), lambda x, k: bool(x)),
    Filter(
        "above",
        ("{0} greater than {k}", "{0} above {k}", "{0} larger than {k}", "{0} that are greater than {k}"),
        "is greater than {k}",
        ("{x} > {k}",),
        lambda x, k: not x <= k,
    ),
    Filter(
        "below",
        ("{0} less than {k}", "{0} below {k}", "{0} smaller than {k}", "{0} that are less than {k}"),
        "is less than {k}",
        ("{x} < {k}",),
        lambda x, k: not x >= k,
    ),
    Filter("at_least", ("{0} that are at least {k}",), "is at least {k}", ("{x} >= {k}",), lambda x, k: not x < k),
    Filter("at_most", ("{0} that are at most {k}",), "is at most {k}", ("{x} <= {k}",), lambda x, k: not x > k),
    Filter(
        "divisible",
        ("{0} divisible by {k}", "{0} that are divisible by {k}", "{0} that are multiples of {k}"),
        "is divisible by {k}",
        ("{x} % {k} == 0",),
        lambda x, k: x // k * k == x,
    ),
    Filter(
        "not_divisible",
        ("{0} not divisible by {k}", "{0} that are not divisible by {k}"),
        "is not divisible by {k}",
        ("{x} % {k} != 0",),
        lambda x, k: x // k * k != x,
    ),
    Filter(
        "other_than",
        ("{0} other than {k}", "{0} not equal to {k}"),
        "is not equal to {k}",
        ("{x} != {k}",),
        lambda x, k: x - k != 0,
    ),
)

MAPS = (
    SAME_NUMBER,
    Map(
        "squares",
        ("the squares of {0}", "the squared {0}"),
        "its square",
        ("{x} ** 2", "{x} * {x}"),
        lambda x, k: pow(x, 2),
    ),
    Map("cubes", ("the cubes of {0}",), "its cube", ("{x} ** 3",), lambda x, k: pow(x, 3)),
    Map("doubles", ("the doubles of {0}", "twice {0}"), "its double", ("{x} * 2", "2 * {x}"), lambda x, k: x + x),
    Map(
        "triples",
        ("the triples of {0}", "three times {0}"),
        "its triple",
        ("{x} * 3", "3 * {x}"),
        lambda x, k: x + x + x,
    ),
    Map("halves", ("the halves of {0}", "half of {0}"), "its half", ("{x} / 2",), lambda x, k: x * 0.5),
    Map("absolute", ("the absolute values of {0}",), "its absolute value", ("abs({x})",), lambda x, k: max(x, -x)),
    Map("negated", ("the negatives of {0}", "the negated {0}"), "its negative", ("-{x}",), lambda x, k: 0 - x),
    Map("increased", ("{0} plus {k}", "{0} increased by {k}"), "itself plus {k}", ("{x} + {k}",), lambda x, k: x - -k),
    Map(
        "decreased", ("{0} minus {k}", "{0} decreased by {k}"), "itself minus {k}", ("{x} - {k}",), lambda x, k: x + -k
    ),
    Map(
        "multiplied", ("{0} times {k}", "{0} multiplied by {k}"), "itself times {k}", ("{x} * {k}",), lambda x, k: x * k
    ),
    Map(
        "remainders",
        ("the remainders of {0} divided by {k}",),
        "its remainder by {k}",
        ("{x} % {k}",),
        lambda x, k: x - x // k * k,
    ),
    Map("last_digits", ("the last digits of {0}",), "its last digit", ("abs({x}) % 10",), lambda x, k: int(str(x)[-1])),
    Map("strings", ("the strings of {0}",), "its string", ("str({x})",), lambda x, k: f"{x}", "word"),
)

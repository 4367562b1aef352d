"""The statistics behind a verdict: intervals and tests on numbers alone, each with its source.

    pair(baseline, other) -> PairedSample           two columns' scores, input by input
    compare(sample) -> PairedComparison             the interval on the mean difference, and a p-value
    compare_columns(columns) -> ComparedColumns     a whole family of comparisons, over all looks so far
    decide(comparison) -> Outcome                   better, worse, equivalent, undecided, too few
    more_units(sample), smallest_detectable(sample), variance_components(sample)    what would change that
    rate(scores) -> Rate                            one column's own mean score
    false_winners(columns) -> FalseWinners          how often this design would name a winner among equal columns
    interaction(scores) -> Interaction              whether the better prompt depends on the model

`python -m benchmarks.verdicts` tries the whole rule on data whose truth is known. Knows nothing of experiments, prompts
or models. numpy and scipy are imported when the first number is asked for, so that the server starts without them.
"""

from core.statistics.decisions import (
    FEWEST_UNITS,
    MARGIN,
    Outcome,
    decide,
    direction,
    more_units,
    smallest_detectable,
)
from core.statistics.families import ComparedColumns, Family, compare_columns, holm, pairs_of, sidak
from core.statistics.interaction import Interaction, interaction
from core.statistics.intervals import Interval, Rate, bonett_price, clustered_wilson, rate, wilson
from core.statistics.looks import look_alpha
from core.statistics.paired import (
    DROPPED_SHARE,
    DroppedBounds,
    PairedComparison,
    PairedSample,
    compare,
    dropped_bounds,
    mean_difference_interval,
    pair,
    paired_bounds,
)
from core.statistics.permutation import FalseWinners, false_winners
from core.statistics.significance import mcnemar, sign_flips
from core.statistics.variance import VarianceComponents, predicted_width, variance_components

__all__ = [
    "DROPPED_SHARE",
    "FEWEST_UNITS",
    "MARGIN",
    "ComparedColumns",
    "DroppedBounds",
    "FalseWinners",
    "Family",
    "Interaction",
    "Interval",
    "Outcome",
    "PairedComparison",
    "PairedSample",
    "Rate",
    "VarianceComponents",
    "bonett_price",
    "clustered_wilson",
    "compare",
    "compare_columns",
    "decide",
    "direction",
    "dropped_bounds",
    "false_winners",
    "holm",
    "interaction",
    "look_alpha",
    "mcnemar",
    "mean_difference_interval",
    "more_units",
    "pair",
    "paired_bounds",
    "pairs_of",
    "predicted_width",
    "rate",
    "sidak",
    "sign_flips",
    "smallest_detectable",
    "variance_components",
    "wilson",
]

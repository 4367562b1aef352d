"""A verdict as a table: one row a column of the experiment, in words and numbers for people.

The page, a report and a headless run show the same one.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.experiment import verdict_words
from core.experiment.estimate import unit
from core.experiment.summary import VariantSummary
from core.experiment.verdict import Verdict
from core.types import Experiment

OUTCOMES = {
    "better": "better",
    "worse": "worse",
    "equivalent": "equivalent",
    "undecided": "cannot tell yet",
    "too few": "too few inputs",
}


def rows(experiment: Experiment, decided: Verdict, summaries: Sequence[VariantSummary]) -> list[dict[str, str]]:
    """Each column's rate with its interval, its difference to the baseline, its answers, time and length, by heading.

    Args:
        summaries: of the same experiment and results (core.experiment.summary), in the verdict's order.
    """
    against = {one.other: one for one in decided.comparisons} if decided.baseline is not None else {}
    table = []
    for position, (column, counts) in enumerate(zip(decided.columns, summaries, strict=True)):
        judged, interval, comparison = column.judged > 0, column.rate.interval, against.get(position)
        row = {
            "Variant": verdict_words.name(experiment, column),
            "Pass rate": f"{column.rate.mean:.0%}" if judged else "",
            "95 % interval": f"{interval.low:.0%} to {interval.high:.0%}" if judged else "",
            "Passed": f"{column.passed} of {column.judged}" if judged else "",
        }
        if decided.comparisons and decided.baseline is not None:
            row["Difference"] = verdict_words.difference(comparison) if comparison else "baseline"
            row["Verdict"] = OUTCOMES[comparison.outcome] if comparison else ""
        row["Answers"] = f"{counts.done} of {counts.cells}" + (f", {counts.failed} failed" if counts.failed else "")
        row["Mean time"] = "" if counts.mean_seconds is None else f"{counts.mean_seconds:.2f} s"
        row[f"Mean {unit(counts.model)}"] = "" if counts.mean_tokens is None else f"{counts.mean_tokens:.0f}"
        table.append(row)
    return table

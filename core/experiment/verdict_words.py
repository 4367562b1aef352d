"""A verdict in plain words: one sentence with its numbers, how it was decided, and what would help.

The page, a report and a headless run use the same sentences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.experiment.grid import settings
from core.experiment.scores import Column
from core.experiment.verdict import ColumnRate, Comparison, Verdict
from core.statistics import FEWEST_UNITS
from core.text import short
from core.types import Experiment

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def letter(variant: int) -> str:
    """A variant's letter, by its position from 0."""
    return LETTERS[variant % len(LETTERS)]


def name(experiment: Experiment, column: ColumnRate, *, brief: bool = False) -> str:
    """A column's name in a sentence; `brief` is its letter in place of the variant's name."""
    return column_name(experiment, column.column, brief=brief)


def column_name(experiment: Experiment, column: Column, *, brief: bool = False) -> str:
    """A, B, ... with the variant's name, and the model and the axes' values where there are several."""
    mark = letter(column.variant)
    parts = [mark if brief else f"{mark} · {short(experiment.variants[column.variant].name)}"]
    if len(experiment.models) > 1:
        parts.append(f"on {short(column.model)}")
    if experiment.axes:
        values = settings(experiment)[column.setting]
        parts.append("at " + ", ".join(f"{axis} {values[axis]}" for axis in experiment.axes))
    return " ".join(parts)


def sentence(experiment: Experiment, verdict: Verdict) -> str:
    """What the results prove, in plain words, with the numbers in it."""
    if verdict.units == 0:
        return "No checks yet: add some to the inputs to see which variant passes more often."
    if verdict.best is None:
        return "Nothing has been judged yet." if not verdict.complete else "No answer came that could be judged."
    if not verdict.complete:
        return _so_far(experiment, verdict)
    if len(verdict.columns) == 1:
        return f"{_passes(experiment, verdict, 0)}. With a second variant there would be something to compare."
    if any(comparison.outcome == "too few" for comparison in verdict.comparisons):
        return _too_few(experiment, verdict)
    return _decided(experiment, verdict)


def method(experiment: Experiment, verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """The method as (aspect, description) pairs: unit, design, intervals, correction, margin, omissions."""
    unit = "a group of inputs" if verdict.grouped else "an input"
    seeds = "every answer with a seed of its own" if experiment.aa_test else "seed by seed"
    rows: list[tuple[str, str]] = [
        ("Unit of evidence", f"{unit}; samples of one input are averaged first, because they are repeats of it"),
        ("Units", f"{verdict.units}, {_plural(experiment.samples, 'sample')} each at most"),
        ("Comparison", f"{verdict.family}, paired: each input is compared with itself, {seeds}"),
    ]
    if verdict.comparisons:
        rows += _how_compared(verdict)
    if verdict.doubled:
        rows.append(("Counted once", "; ".join(_rows(same) for same in verdict.doubled)))
    if verdict.unchecked:
        rows.append(("Left out", f"{_rows(verdict.unchecked)} without a check that counts"))
    if verdict.interaction is not None:
        rows.append(("Prompt and model", _interaction(verdict)))
    return tuple(rows)


def advice(verdict: Verdict) -> str:
    """Whether more inputs or more samples would narrow the widest interval; '' where it is unknown."""
    widest = max(verdict.comparisons, key=lambda comparison: comparison.paired.interval.width, default=None)
    if widest is None or widest.doubt is None or not verdict.complete:
        return ""
    doubt = widest.doubt
    inputs = f"{doubt.units_to_halve} more inputs would halve the doubt" if doubt.units_to_halve else ""
    if doubt.width_double_samples is None:
        return f"{inputs}; what more samples would do cannot be told from one sample each." if inputs else ""
    gain = 1 - doubt.width_double_samples / doubt.width if doubt.width else 0.0
    samples = (
        "more samples of the same inputs would do almost nothing"
        if gain < _NOTICEABLE
        else f"twice the samples would narrow it by {gain:.0%}"
    )
    return f"{inputs or 'More inputs would help little'}; {samples}."


def notes(verdict: Verdict) -> tuple[str, ...]:
    """Caveats to the sentence: doubled rows, rows without checks, dropped cells."""
    lines = [f"{_rows(same).capitalize()} are the same and count once." for same in verdict.doubled]
    if verdict.unchecked and verdict.units:
        has, be = ("has", "is") if len(verdict.unchecked) == 1 else ("have", "are")
        lines.append(f"{_rows(verdict.unchecked).capitalize()} {has} no check that counts and {be} left out.")
    for comparison in verdict.comparisons:
        if verdict.complete and comparison.bounds is not None:
            low, high = comparison.bounds.lowest.difference, comparison.bounds.highest.difference
            lines.append(
                f"{comparison.paired.dropped} of {comparison.paired.planned} cells failed on the way or are missing: "
                f"had all of them answered, the difference would lie between {_points(low)} and {_points(high)} points."
            )
    return tuple(dict.fromkeys(lines))


_NOTICEABLE = 0.05


def _decided(experiment: Experiment, verdict: Verdict) -> str:
    """The proven differences, then the equivalences, then the undecided comparisons."""
    winners = {pair[0] for pair in map(_winner_and_loser, verdict.comparisons) if pair is not None}
    by_rate = sorted(winners, key=lambda position: -verdict.columns[position].rate.mean)
    lines = [
        f"{name(experiment, verdict.columns[position])} is better than {_beaten(experiment, verdict, position)}"
        for position in by_rate
    ]
    lines += [
        f"{pair_name(experiment, verdict, comparison)} are equivalent: {_difference(comparison)}, within the margin of "
        f"{_points(verdict.margin)}"
        for comparison in verdict.comparisons
        if comparison.outcome == "equivalent"
    ]
    lines += [
        _open(experiment, verdict, comparison)
        for comparison in verdict.comparisons
        if comparison.outcome == "undecided"
    ]
    return f"{'. '.join(lines)}. From {_units(verdict)}."


def _winner_and_loser(comparison: Comparison) -> tuple[int, int] | None:
    """(winner, loser) of a comparison, None where none is proven."""
    pairs = {"better": (comparison.other, comparison.baseline), "worse": (comparison.baseline, comparison.other)}
    return pairs.get(comparison.outcome)


def _beaten(experiment: Experiment, verdict: Verdict, winner: int) -> str:
    """Every column that the winner beats, with the difference as a gain."""
    parts = []
    for comparison in verdict.comparisons:
        pair = _winner_and_loser(comparison)
        if pair is not None and pair[0] == winner:
            interval, difference = comparison.paired.interval, abs(comparison.paired.difference)
            low, high = (
                (interval.low, interval.high) if pair[0] == comparison.other else (-interval.high, -interval.low)
            )
            loser = name(experiment, verdict.columns[pair[1]])
            parts.append(f"{loser} by {_points(difference)} points ({_span(low, high)})")
    return " and ".join(parts)


def _open(experiment: Experiment, verdict: Verdict, comparison: Comparison) -> str:
    text = f"Cannot tell yet between {pair_name(experiment, verdict, comparison)}: {_difference(comparison)}"
    if comparison.more_inputs:
        return f"{text}; about {_plural(comparison.more_inputs, 'more input')} like these would settle it"
    return text


def _too_few(experiment: Experiment, verdict: Verdict) -> str:
    missing = FEWEST_UNITS - min(comparison.paired.units for comparison in verdict.comparisons)
    differing = (
        f"They differ on {_rows(tuple(verdict.differing))}" if verdict.differing else "They do not differ on any input"
    )
    rates = ", ".join(_passes(experiment, verdict, position) for position in range(len(verdict.columns)))
    return (
        f"Too few inputs to crown anyone: {_units(verdict)}, and a verdict needs {FEWEST_UNITS}. {rates}. {differing}. "
        f"{_plural(missing, 'more input')} would make a verdict possible."
    )


def _so_far(experiment: Experiment, verdict: Verdict) -> str:
    rates = ", ".join(
        f"{name(experiment, column, brief=True)} {column.rate.mean:.0%}" for column in verdict.columns if column.judged
    )
    return f"So far: {rates}. Nothing is decided before the run ends."


def _passes(experiment: Experiment, verdict: Verdict, position: int) -> str:
    column = verdict.columns[position]
    label = name(experiment, column)
    if not column.judged:
        return f"{label} has no judged answer"
    interval = column.rate.interval
    return f"{label} passes {column.rate.mean:.0%} (95 % interval {interval.low:.0%} to {interval.high:.0%})"


def pair_name(experiment: Experiment, verdict: Verdict, comparison: Comparison) -> str:
    """Both columns of a comparison."""
    return " and ".join(
        name(experiment, verdict.columns[position]) for position in (comparison.baseline, comparison.other)
    )


def difference(comparison: Comparison) -> str:
    """'+85 points, 60 to 96': the difference of the other column to the baseline, with its interval."""
    interval = comparison.paired.interval
    sign = "+" if comparison.paired.difference > 0 else ""
    return f"{sign}{_points(comparison.paired.difference)} points, {_points(interval.low)} to {_points(interval.high)}"


def _difference(comparison: Comparison) -> str:
    interval = comparison.paired.interval
    return f"the difference is {_points(comparison.paired.difference)} points ({_span(interval.low, interval.high)})"


def _how_compared(verdict: Verdict) -> list[tuple[str, str]]:
    methods = dict.fromkeys(comparison.paired.method for comparison in verdict.comparisons)
    tests = dict.fromkeys(comparison.paired.test for comparison in verdict.comparisons)
    p_values = ", ".join(f"{comparison.paired.adjusted_p:.2g}" for comparison in verdict.comparisons)
    dropped = sum(comparison.paired.dropped for comparison in verdict.comparisons)
    detectable = [comparison.detectable for comparison in verdict.comparisons if comparison.detectable is not None]
    rows = [
        ("Interval", f"{', '.join(methods)}; the interval alone decides"),
        ("Held together by", f"{verdict.correction}, {verdict.alpha:.0%} error in all"),
        ("Looks", _looks(verdict)),
        ("For information", f"{', '.join(tests)}, p = {p_values} (Holm)"),
        ("Equivalent", f"where the whole interval lies within {_points(verdict.margin)} points, set beforehand"),
        ("Dropped", f"{_plural(dropped, 'cell')} that failed on the way or are missing, in pairs"),
    ]
    if detectable:
        rows.append(("Smallest difference that this run could have seen", f"{_points(max(detectable))} points"))
    return rows


def _looks(verdict: Verdict) -> str:
    """How often the run was looked at, at how many answers a column, and what that costs."""
    sizes = [f"{size:g}" for size in verdict.looks]
    if len(sizes) == 1:
        seen = f", at {sizes[0]} answers a column" if verdict.looks[0] > 1 else ""
        return f"look 1{seen}; half of the error is kept for later looks, after more inputs or samples"
    level = verdict.comparisons[0].paired.interval.level
    return (
        f"look {len(sizes)} of a run that grew: {', '.join(sizes[:-1])} then {sizes[-1]} answers a column; the error "
        f"is spent over all looks, so each interval of this one is made at {level:.1%}"
    )


def _interaction(verdict: Verdict) -> str:
    assert verdict.interaction is not None
    p_value = verdict.interaction.p_value
    depends = "which prompt is better depends on the model" if p_value < verdict.alpha else "no sign that it does"
    return f"{depends} (repeated-measures F test, p = {p_value:.2g})"


def _span(low: float, high: float) -> str:
    """A difference's interval in percentage points, simultaneous with those of all other comparisons."""
    return f"95 % interval {_points(low)} to {_points(high)}"


def _points(share: float) -> str:
    """A share in percentage points, one digit where it is small."""
    if not math.isfinite(share):
        return "unknown"
    points = 100 * share + 0.0  # no negative zero
    digits = 0 if abs(points) >= 10 or points == round(points) else 1
    return f"{points:.{digits}f}".replace("-", "\u2212")  # a minus sign, which no line is broken at


def _rows(numbers: Sequence[int]) -> str:
    """'row 3' or 'rows 3 and 7', counted from 1, at most eight named."""
    named = [str(number + 1) for number in numbers[:8]]
    if len(numbers) > len(named):
        named.append(f"{len(numbers) - len(named)} others")
    if len(named) == 1:
        return f"row {named[0]}"
    return f"rows {', '.join(named[:-1])} and {named[-1]}"


def _units(verdict: Verdict) -> str:
    return _plural(verdict.units, "group" if verdict.grouped else "input")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"

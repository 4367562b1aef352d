"""A small benchmarks/verdicts.py: the shipped rule passes, rules known to be bad do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm, t

from benchmarks import verdicts
from benchmarks.verdicts import POPULATIONS, Row, judge, rows, simulate
from core.statistics import compare_columns

EQUAL = tuple(one for one in POPULATIONS if one.name == "equal, chances drawn anew")
RARE = tuple(one for one in POPULATIONS if one.name == "one input in ten differs")


def test_the_rule_passes_every_row() -> None:
    results = list(rows(2000, seed=5, inputs=(4, 20), samples=(1, 10), columns=(2, 6)))
    assert len(results) == len(POPULATIONS) * 16
    assert not [row for row in results if row.faults]


def test_answers_taken_as_independent_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval that counts every sample as evidence, at the same error."""

    def naive(total, squares, discordance, units, alpha):  # type: ignore[no-untyped-def]
        centre, answers = total / units, 10 * units
        half = norm.isf(alpha / 2) * np.sqrt(np.maximum(discordance / units - centre**2, 0) / answers)
        return centre - half, centre + half

    monkeypatch.setattr(verdicts, "paired_bounds", naive)
    results = list(rows(300, populations=EQUAL, inputs=(20,), samples=(10,), columns=(2, 6), looks=(1,)))
    assert all("false winners" in row.faults for row in results)


def test_intervals_without_pseudo_units_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The textbook's t interval, where one input in ten differs."""

    def textbook(total, squares, discordance, units, alpha):  # type: ignore[no-untyped-def]
        centre = total / units
        deviation = np.sqrt(np.maximum(squares - units * centre**2, 0) / (units - 1))
        half = t.isf(alpha / 2, units - 1) * deviation / np.sqrt(units)
        return centre - half, centre + half

    monkeypatch.setattr(verdicts, "paired_bounds", textbook)
    results = list(rows(300, populations=RARE, inputs=(4, 15), samples=(1,), columns=(2,), looks=(1,)))
    assert all({"coverage", "power"} <= set(row.faults) or row.coverage < 0.9 for row in results)


def test_power_that_is_off_is_a_fault() -> None:
    row = Row("some", 2, 20, 1, 1, 2000, 0.01, 0.96, power=0.5, expected_power=0.56)
    assert row.faults == ("power",)


def test_simulated_sums_are_judged_as_the_public_functions_would() -> None:
    """Answers spelled out cell by cell and given to `compare_columns` lead to the same interval and the same counts."""
    runs, inputs, samples, looks = 40, 12, 3, 2
    population = POPULATIONS[1]
    pairs = simulate(population, inputs, samples, runs, 3, 3, looks)
    rng = np.random.default_rng(3)
    sizes = verdicts.sizes_of(inputs, looks)
    codes = verdicts.answers(rng, population.draw(rng, runs, 3, sizes[-1]), samples)
    cells = codes[..., None] >> np.arange(samples, dtype=np.uint16) & 1  # (runs, columns, inputs, samples)
    wrong = np.zeros(runs, bool)
    for run in range(runs):
        for look, size in enumerate(sizes):
            columns = [cells[run, column, :size] for column in range(3)]
            compared = compare_columns(columns, family="every pair", looks=sizes[: look + 1])
            wrong[run] |= any(one.interval.low > 0 or one.interval.high < 0 for one in compared.comparisons)
    assert wrong.mean() == judge(population, pairs, 3, inputs, looks)[0]


def test_looks_at_more_samples_are_safe_as_well() -> None:
    """Two equal columns on 20 inputs, looked at after 2, 4 and 8 samples each."""
    from core.statistics import look_alpha, paired_bounds

    rng = np.random.default_rng(6)
    chances = rng.random((3000, 2, 20, 1))
    apart = np.diff((rng.random((3000, 2, 20, 8)) < chances).astype(int), axis=1)[:, 0]  # (runs, inputs, samples)
    wrong, sizes = np.zeros(3000, bool), (40, 80, 160)
    for look, count in enumerate((2, 4, 8)):
        own, other = apart[..., :count].mean(axis=2), abs(apart[..., :count]).mean(axis=2)
        alpha = look_alpha(0.05, sizes[: look + 1])
        low, high = paired_bounds(own.sum(1), (own**2).sum(1), other.sum(1), 20, alpha)
        wrong |= (low > 0) | (high < 0)
    assert wrong.mean() <= 0.05


def page_with(text: str, folder: Path) -> Path:
    page = folder / "statistics.md"
    page.write_text(text, "utf-8")
    return page


def test_the_command_writes_its_table_and_fails_when_a_row_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = page_with(f"before\n{verdicts.BEGIN}\nold\n{verdicts.END}\nafter\n", tmp_path)
    good = Row("some", 2, 20, 1, 1, 2000, 0.01, 0.96)
    monkeypatch.setattr(verdicts, "PAGE", page)
    monkeypatch.setattr(verdicts, "rows", lambda runs, seed: [good])
    assert verdicts.main(["--write", "--rows"]) == 0
    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "1 rows of 2000 runs each, none failed." in text
    assert "old" not in text
    monkeypatch.setattr(verdicts, "rows", lambda runs, seed: [good, Row("some", 2, 20, 1, 1, 2000, 0.2, 0.8)])
    assert verdicts.main([]) == 1
    assert "FAILED (false winners, coverage)" in capsys.readouterr().out


def test_a_page_without_a_place_for_the_table_is_left_alone(tmp_path: Path) -> None:
    page = page_with("nothing here", tmp_path)
    with pytest.raises(SystemExit, match="no place"):
        verdicts.write(page, "table")
    assert page.read_text("utf-8") == "nothing here"


def test_the_documentation_shows_a_table_in_which_no_row_failed() -> None:
    text = verdicts.PAGE.read_text("utf-8")
    shown = text.partition(verdicts.BEGIN)[2].partition(verdicts.END)[0]
    assert "none failed" in shown
    assert all(population.name in shown for population in POPULATIONS)

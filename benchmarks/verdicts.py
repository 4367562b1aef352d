"""How often a verdict is wrong, on simulated scores whose truth is known.

    python -m benchmarks.verdicts [--runs 2000] [--seed 1] [--rows] [--write]

Every row is a design (columns, inputs, samples, looks) on a population of inputs, simulated `--runs` times with the
shipped formulas, every pair of columns compared. A row passes when

* false winners: in at most 5 % of runs (and three standard errors of the simulation) an interval at any look leaves out
  0 on the wrong side, or at all where both columns are equal; below 15 inputs too, where nobody would be crowned;
* coverage: in at least 93 % of runs (less three standard errors) every interval of every pair at every look holds the
  truth;
* power: the share of runs that find the better column lies within 5 points of exact enumeration (one sample, one look)
  or of a second simulation of the same rule, written apart and with other random numbers.

With several looks, `inputs` are those at the first; each further look has 1.5 times as many. The exit status is 1 when
a row fails; `--rows` prints every row; `--write` puts the summary into docs/statistics.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import multinomial, t

from core.statistics import look_alpha, paired_bounds, sidak

Floats = NDArray[np.float64]
Codes = NDArray[np.uint16]
Base = Callable[[np.random.Generator, tuple[int, int, int]], Floats]  # draws pass probabilities of a shape
Draw = Callable[[np.random.Generator, int, int, int], Floats]  # (runs, columns, inputs) -> that many of them

ALPHA, COVERAGE, POWER_GAP = 0.05, 0.93, 0.05
INPUTS, SAMPLES, COLUMNS, LOOKS = (4, 8, 15, 20, 40, 100), (1, 3, 10), (2, 3, 6), (1, 3)
GROWTH = 1.5
SECOND_RUNS, SECOND_PART = 8000, 1000  # of the second simulation: all, and as many as are drawn at once
PAGE = Path(__file__).parent.parent / "docs" / "statistics.md"
BEGIN, END = "<!-- verdicts: begin -->", "<!-- verdicts: end -->"


@dataclass(frozen=True)
class Population:
    """Where inputs come from.

    Attributes:
        draw: gives the pass probability of every cell; (runs, columns, inputs).
        gain: by how much the last column is truly better than each other on average; the others are equal.
    """

    name: str
    draw: Draw
    gain: float = 0.0


@dataclass(frozen=True)
class Row:
    """One design on one population, and what came out; shares of runs, in 0..1."""

    population: str
    columns: int
    inputs: int
    samples: int
    looks: int
    runs: int
    false_winners: float
    coverage: float
    power: float | None = None
    expected_power: float | None = None

    @property
    def faults(self) -> tuple[str, ...]:
        def error(share: float) -> float:
            return float(3 * (share * (1 - share) / self.runs) ** 0.5)

        faults = []
        if self.false_winners > ALPHA + error(ALPHA):
            faults.append("false winners")
        if self.coverage < COVERAGE - error(COVERAGE):
            faults.append("coverage")
        if self.power_gap > POWER_GAP:
            faults.append("power")
        return tuple(faults)

    @property
    def power_gap(self) -> float:
        """How far the power lies from what it should be; 0 where no column is better."""
        if self.power is None or self.expected_power is None:
            return 0.0
        return abs(self.power - self.expected_power)


def shared(base: Base, gain: float = 0.0) -> Draw:
    """Every column has the same probability on an input; the last has `gain` more."""

    def draw(rng: np.random.Generator, runs: int, columns: int, inputs: int) -> Floats:
        chances = np.repeat(base(rng, (runs, 1, inputs)), columns, axis=1)
        chances[:, -1] += gain
        return chances

    return draw


def redrawn(base: Base) -> Draw:
    """Every column has a probability of its own on every input, all from one population: equal on average only."""
    return lambda rng, runs, columns, inputs: base(rng, (runs, columns, inputs))


def one_in_ten(base: Base, both_ways: bool = False) -> Draw:
    """Columns agree but for one input in ten, where only the last passes (or, both ways, it alone fails as often)."""

    def draw(rng: np.random.Generator, runs: int, columns: int, inputs: int) -> Floats:
        chances = np.repeat(base(rng, (runs, 1, inputs)), columns, axis=1)
        differs = rng.random((runs, inputs)) < 0.1
        up = rng.random((runs, inputs)) < (0.5 if both_ways else 1.1)
        chances[:, -1] = np.where(differs, up, chances[:, -1])
        chances[:, :-1] = np.where(differs[:, None], ~up[:, None], chances[:, :-1])
        return chances

    return draw


def uniform(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    return rng.random(shape)


def never_or_always(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    return (rng.random(shape) < 0.5).astype(float)


def mostly_always(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    return (rng.random(shape) < 0.9).astype(float)


def varying(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    return rng.beta(0.3, 0.3, shape)


def below(top: float) -> Base:
    return lambda rng, shape: rng.random(shape) * top


POPULATIONS = (
    Population("equal, same chances", shared(uniform)),
    Population("equal, chances drawn anew", redrawn(uniform)),
    Population("always or never pass, same", shared(never_or_always)),
    Population("always or never pass, drawn anew", redrawn(never_or_always)),
    Population("nine in ten always pass, drawn anew", redrawn(mostly_always)),
    Population("strongly varying, drawn anew", redrawn(varying)),
    Population("better by 5 points", shared(below(0.95), 0.05), 0.05),
    Population("better by 10 points", shared(below(0.9), 0.1), 0.1),
    Population("better by 20 points", shared(below(0.8), 0.2), 0.2),
    Population("one input in ten differs", one_in_ten(never_or_always), 0.1),
    Population("one in ten differs, others vary", one_in_ten(varying), 0.1),
    Population("one in ten differs, both ways", one_in_ten(never_or_always, both_ways=True)),
)


def sizes_of(inputs: int, looks: int) -> tuple[int, ...]:
    """Inputs at each look."""
    return tuple(round(inputs * GROWTH**look) for look in range(looks))


def answers(rng: np.random.Generator, chances: Floats, samples: int) -> Codes:
    """Passed samples of each cell as the bits of a number; (runs, columns, inputs)."""
    codes = np.zeros(chances.shape, dtype=np.uint16)
    for sample in range(samples):
        codes |= (rng.random(chances.shape, dtype=np.float32) < chances).astype(np.uint16) << np.uint16(sample)
    return codes


Sums = tuple[Floats, Floats, Floats]  # of differences, their squares and discordances; each (runs, looks)


def sums_of(first: Codes, second: Codes, samples: int, sizes: Sequence[int]) -> Sums:
    """What `paired_bounds` needs of a pair of columns, at every look."""
    wins = np.bitwise_count(second).astype(np.int64) - np.bitwise_count(first)  # (runs, inputs), in samples
    apart = np.bitwise_count(first ^ second).astype(np.int64)
    ends = np.array(sizes) - 1
    total, squares, discordance = (np.cumsum(values, axis=1)[:, ends] for values in (wins, wins * wins, apart))
    return total / samples, squares / samples**2, discordance / samples


def simulate(
    population: Population, inputs: int, samples: int, runs: int, seed: int, most_columns: int, most_looks: int
) -> dict[tuple[int, int], Sums]:
    """The sums of every pair of columns at every look, for `runs` simulated runs."""
    rng = np.random.default_rng(seed)
    sizes = sizes_of(inputs, most_looks)
    codes = answers(rng, population.draw(rng, runs, most_columns, sizes[-1]), samples)
    return {
        (one, two): sums_of(codes[:, one], codes[:, two], samples, sizes)
        for one, two in combinations(range(most_columns), 2)
    }


def comparison_alphas(columns: int, inputs: int, looks: int) -> list[float]:
    """What one comparison may spend at each look, every pair compared."""
    sizes = sizes_of(inputs, looks)
    each = sidak(ALPHA, columns * (columns - 1) // 2)
    return [look_alpha(each, sizes[: look + 1]) for look in range(looks)]


def judge(
    population: Population, pairs: dict[tuple[int, int], Sums], columns: int, inputs: int, looks: int
) -> tuple[float, float, float]:
    """(false winners, coverage, power): shares of runs. Columns are the last ones, so that the better one is among."""
    runs, most = len(next(iter(pairs.values()))[0]), max(two for _, two in pairs) + 1
    wrong, covered, seen = np.zeros(runs, bool), np.ones(runs, bool), np.zeros(runs, bool)
    alphas, sizes = comparison_alphas(columns, inputs, looks), sizes_of(inputs, looks)
    for one, two in combinations(range(most - columns, most), 2):
        truth = population.gain if two == most - 1 else 0.0
        for look, (alpha, units) in enumerate(zip(alphas, sizes, strict=True)):
            total, squares, discordance = (values[:, look] for values in pairs[one, two])
            low, high = paired_bounds(total, squares, discordance, units, alpha)
            wrong |= (high < 0) | ((low > 0) & (truth == 0))
            covered &= (low <= truth) & (truth <= high)
            if (one, two) == (most - columns, most - 1):
                seen |= low > 0
    return float(wrong.mean()), float(covered.mean()), float(seen.mean())


def exact_power(population: Population, inputs: int, alpha: float) -> float:
    """The chance that Bonett and Price's interval lies above 0, over all outcomes of one sample on `inputs` inputs.

    The chances of a win and of a loss on an input are the population's means over many drawn inputs.
    """
    chances = population.draw(np.random.default_rng(99), 400, 2, 1000)
    win = float(((1 - chances[:, 0]) * chances[:, 1]).mean())
    loss = float((chances[:, 0] * (1 - chances[:, 1])).mean())
    wins, losses = (grid.ravel() for grid in np.indices((inputs + 1, inputs + 1)))
    possible = wins + losses <= inputs
    wins, losses = wins[possible], losses[possible]
    likely = multinomial.pmf(np.stack([wins, losses, inputs - wins - losses], 1), inputs, [win, loss, 1 - win - loss])
    up, down = (wins + 1) / (inputs + 2), (losses + 1) / (inputs + 2)
    error = np.sqrt((up + down - (up - down) ** 2) / (inputs + 2))
    return float(likely[up - down > t.isf(alpha / 2, inputs - 1) * error].sum())


@lru_cache(maxsize=1)
def second_sample(population: Population, inputs: int, samples: int, runs: int) -> tuple[Floats, Floats]:
    """Mean differences and mean absolute differences of two columns, (runs, inputs), with random numbers of its own."""
    rng = np.random.default_rng(7_000_003 + inputs * 13 + samples)
    means, unlike = [], []
    for _ in range(runs // SECOND_PART):
        chances = population.draw(rng, SECOND_PART, 2, inputs)[..., None]
        passed = rng.random((SECOND_PART, 2, inputs, samples)) < chances
        apart = passed[:, 1].astype(np.int8) - passed[:, 0].astype(np.int8)  # (runs, inputs, samples)
        means.append(apart.mean(axis=2))
        unlike.append(np.abs(apart).mean(axis=2))
    return np.concatenate(means), np.concatenate(unlike)


def second_power(population: Population, inputs: int, samples: int, alphas: Sequence[float]) -> float:
    """The power by a simulation that shares no code with the first: it appends the pseudo-units and takes moments."""
    sizes = sizes_of(inputs, len(alphas))
    means, unlike = second_sample(population, sizes_of(inputs, max(LOOKS))[-1], samples, SECOND_RUNS)
    seen = np.zeros(SECOND_RUNS, bool)
    for alpha, units in zip(alphas, sizes, strict=True):
        own, other = means[:, :units], unlike[:, :units]
        ones = np.ones((SECOND_RUNS, 4))
        pseudo = np.sqrt((np.hstack([own, ones]) ** 2).sum(axis=1) / np.hstack([other, ones]).sum(axis=1))[:, None]
        joined = np.hstack([own, pseudo, -pseudo])
        seen |= joined.mean(axis=1) > t.ppf(1 - alpha / 2, units - 1) * joined.std(axis=1) / np.sqrt(units + 2)
    return float(seen.mean())


def expected_power(population: Population, inputs: int, samples: int, alphas: Sequence[float]) -> float | None:
    if population.gain == 0:
        return None
    if samples == 1 and len(alphas) == 1:
        return exact_power(population, inputs, alphas[0])
    return second_power(population, inputs, samples, alphas)


def rows(
    runs: int,
    seed: int = 1,
    *,
    populations: Sequence[Population] = POPULATIONS,
    inputs: Sequence[int] = INPUTS,
    samples: Sequence[int] = SAMPLES,
    columns: Sequence[int] = COLUMNS,
    looks: Sequence[int] = LOOKS,
) -> Iterator[Row]:
    """Every design on every population. Designs of one population, size and samples share their simulated answers."""
    for (number, population), units, repeats in product(enumerate(populations), inputs, samples):
        own_seed = 100_000 * seed + 1000 * number + 10 * units + repeats
        pairs = simulate(population, units, repeats, runs, own_seed, max(columns), max(looks))
        for count, seen in product(columns, looks):
            false, coverage, power = judge(population, pairs, count, units, seen)
            expected = expected_power(population, units, repeats, comparison_alphas(count, units, seen))
            own = None if expected is None else power
            yield Row(population.name, count, units, repeats, seen, runs, false, coverage, own, expected)


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def every_row(results: Sequence[Row]) -> str:
    head = ("population", "columns", "inputs", "samples", "looks", "false winners %", "coverage %", "power %")
    body = []
    for row in results:
        design = map(str, (row.columns, row.inputs, row.samples, row.looks))
        power = "" if row.power is None else f"{percent(row.power)} ({percent(row.expected_power)})"
        body.append((row.population, *design, percent(row.false_winners), percent(row.coverage), power))
    return table(head, body)


def worst(results: Sequence[Row]) -> str:
    """Per population the worst of all its designs."""
    head = ("population of inputs", "rows", "false winners at most %", "coverage at least %", "power off by at most %")
    body = []
    for name in dict.fromkeys(row.population for row in results):
        own = [row for row in results if row.population == name]
        gap = percent(max(row.power_gap for row in own)) if own[0].power is not None else ""
        false, coverage = max(row.false_winners for row in own), min(row.coverage for row in own)
        body.append((name, str(len(own)), percent(false), percent(coverage), gap))
    return table(head, body)


def powers(results: Sequence[Row]) -> str:
    """How often two columns, looked at once, show the better one."""
    sizes = sorted({row.inputs for row in results})
    head = ("the better column found, in % of runs", "samples", *(f"{size} inputs" for size in sizes))
    own = {(r.population, r.samples, r.inputs): r.power for r in results if (r.columns, r.looks) == (2, 1)}
    kinds = dict.fromkeys(key[:2] for key, power in own.items() if power is not None)
    body = [(name, str(count), *(percent(own[name, count, size]) for size in sizes)) for name, count in kinds]
    return table(head, body)


def summary(results: Sequence[Row]) -> str:
    """What docs/statistics.md shows."""
    failed = sum(bool(row.faults) for row in results)
    counts = f"{len(results)} rows of {results[0].runs} runs each, {failed or 'none'} failed."
    return f"{counts}\n\n{worst(results)}\n\n{powers(results)}"


def write(page: Path, text: str) -> None:
    """Replaces what stands between the page's markers."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{page} has no place for the table: it needs the lines {BEGIN} and {END}.")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", action="store_true", help="print every row")
    parser.add_argument("--write", action="store_true", help="put the summary into docs/statistics.md")
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    results = list(rows(options.runs, options.seed))
    failed = [row for row in results if row.faults]
    if options.rows:
        print(every_row(results), end="\n\n")
    print(f"{summary(results)}\n\n{time.perf_counter() - began:.0f} seconds")
    for row in failed:
        print(f"FAILED ({', '.join(row.faults)}): {row}")
    if options.write:
        write(PAGE, summary(results))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""The model's card: the tables of an evaluation, written between two markers. Does not know how they were measured."""

import json
from collections.abc import Iterable
from pathlib import Path

from training import card
from training.result import Result


def table(results: Iterable[Result]) -> str:
    return card.table(results, "family: technique")


def bars(results: Iterable[Result]) -> str:
    """A table of the aims and the measured shares."""
    share = {(r.what, r.measure): r.share for r in results}
    plain, steps = (share[f"sums: {name}", "right"] for name in ("plain", "step by step"))
    none, four = (share[f"labels: arbitrary words, {k} examples", "right"] for k in (0, 4))
    marked = min(value for (_, measure), value in share.items() if measure == "marked")
    unmarked = max(value for (_, measure), value in share.items() if measure == "any marker")
    lines = (
        ("sums: step by step", "at least 80 %", steps, steps >= 0.8),
        ("sums: step by step less plain", "at least 30 points", steps - plain, steps - plain >= 0.3),
        ("arbitrary labels: four examples", "at least 90 %", four, four >= 0.9),
        ("arbitrary labels: four examples less none", "at least 40 points", four - none, four - none >= 0.4),
        (
            "JSON: valid, with exactly the named keys",
            "at least 90 %",
            share["extraction: JSON asked", "valid"],
            share["extraction: JSON asked", "valid"] >= 0.9,
        ),
        ("personas: two marker words, lowest persona", "at least 90 %", marked, marked >= 0.9),
        ("personas: any marker word without the persona, highest", "at most 10 %", unmarked, unmarked <= 0.1),
    )
    return card.bars(lines)


def parameters(folder: Path) -> int:
    """How many numbers the model has, by its shape."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    width, layers = config["n_embd"], config["n_layer"]
    return int((config["vocab_size"] + config["n_positions"] + 2) * width + layers * (12 * width + 13) * width)


def write(folder: Path, results: list[Result]) -> None:
    """Write the tables into the folder's card."""
    card.write(folder, card.sizes(folder, parameters(folder)), bars(results), table(results))

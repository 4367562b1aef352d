"""The model's card: the tables of an evaluation, written between two markers. Does not know how they were measured."""

import json
from collections.abc import Sequence
from pathlib import Path

from training import card
from training.result import Result

BARS = (
    ("all prompts, greedy", "parses", 0.85),
    ("all prompts, temperature 0.4", "parses", 0.85),
    ("unseen combinations", "pass@1", 0.4),
    ("unseen combinations", "pass@5", 0.6),
)


def bars(results: Sequence[Result]) -> str:
    """A table of the aims and the measured shares."""
    share = {(r.what, r.measure): r.share for r in results}
    measured = [(f"{what}: {measure}", aim, share[what, measure]) for what, measure, aim in BARS]
    return card.bars((label, f"at least {aim:.0%}", value, value >= aim) for label, aim, value in measured)


def table(results: Sequence[Result]) -> str:
    return card.table(results, "prompts")


def parameters(folder: Path) -> int:
    """How many numbers the model has, by its shape."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    width, layers, words = config["n_embd"], config["n_layer"], config["vocab_size"]
    return int(words * (width + 1) + 2 * width + layers * (12 * width + 7) * width)


def write(folder: Path, results: Sequence[Result]) -> None:
    """Write the tables into the folder's card."""
    card.write(folder, card.sizes(folder, parameters(folder)), bars(results), table(results))

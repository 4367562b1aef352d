"""The model's card: the tables of an evaluation, written between two markers. Does not know how they came."""

import json
from collections.abc import Sequence
from pathlib import Path

from training import card
from training.code.result import Result

BARS = (
    ("all prompts, greedy", "parses", 0.85),
    ("all prompts, temperature 0.4", "parses", 0.85),
    ("unseen combinations", "pass@1", 0.4),
    ("unseen combinations", "pass@5", 0.6),
)


def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def bars(results: Sequence[Result]) -> str:
    """What was aimed at, beside what was measured."""
    share = {(r.what, r.measure): r.share for r in results}
    lines = [row("bar", "aimed at", "measured", ""), row("---", "---", "---:", "---")]
    for what, measure, aim in BARS:
        found = share[what, measure]
        verdict = "holds" if found >= aim else "does not hold"
        lines.append(row(f"{what}: {measure}", f"at least {aim:.0%}", f"{found:.1%}", verdict))
    return "\n".join(lines)


def table(results: Sequence[Result]) -> str:
    lines = [row("prompts", "measure", "share", "95 % interval", "n"), row("---", "---", "---:", "---:", "---:")]
    for r in results:
        low, high = r.interval
        lines.append(row(r.what, r.measure, f"{r.share:.1%}", f"{low:.1%} to {high:.1%}", str(r.n)))
    return "\n".join(lines)


def parameters(folder: Path) -> int:
    """How many numbers the model has, by its shape."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    width, layers, words = config["n_embd"], config["n_layer"], config["vocab_size"]
    return int(words * (width + 1) + 2 * width + layers * (12 * width + 7) * width)


def write(folder: Path, results: Sequence[Result]) -> None:
    """Put the tables onto the folder's card."""
    card.write(folder, card.sizes(folder, parameters(folder)), bars(results), table(results))

"""Writes an evaluation's tables into a model card, between two markers. Does not know what was measured."""

import json
from collections.abc import Iterable
from pathlib import Path

from training.result import Result

Row = tuple[str, str, float, bool]
"""A target of the evaluation: its subject, the aim in words, the measured share, whether it holds."""
BEGIN, END = "<!-- evaluation: begin -->", "<!-- evaluation: end -->"


def row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def bars(rows: Iterable[Row]) -> str:
    """A table of the aims and the measured shares."""
    lines = [row(("bar", "aimed at", "measured", "")), row(("---", "---", "---:", "---"))]
    for what, aim, share, holds in rows:
        lines.append(row((what, aim, f"{share:.1%}", "holds" if holds else "does not hold")))
    return "\n".join(lines)


def table(results: Iterable[Result], what: str = "what") -> str:
    """Every share with its interval; ``what`` heads the first column."""
    lines = [row((what, "measure", "share", "95 % interval", "n")), row(("---", "---", "---:", "---:", "---:"))]
    for result in results:
        low, high = result.interval
        share = (f"{result.share:.1%}", f"{low:.1%} to {high:.1%}")
        lines.append(row((result.what, result.measure, *share, str(result.n))))
    return "\n".join(lines)


def sizes(folder: Path, parameters: int) -> str:
    """A sentence with the model's shape, training tokens and minutes, from the files beside the card."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    trained = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return (
        f"{parameters / 1e6:.2f} million parameters ({config['n_layer']} layers, width {config['n_embd']}, "
        f"{config['n_head']} heads, {config['n_positions']} positions, vocabulary {config['vocab_size']}); "
        f"trained for {trained['step']} steps on {trained['seen'] / 1e6:.1f} million tokens "
        f"in {trained['seconds'] / 60:.0f} minutes."
    )


def write(folder: Path, *parts: str) -> None:
    """Replace what stands between the markers of the folder's README.md."""
    file = folder / "README.md"
    before, rest = file.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    file.write_text(before + "\n\n".join([BEGIN, *parts, END]) + after, encoding="utf-8")

"""The model's card: the tables of an evaluation, written between two markers. Does not know how they came."""

import json
from collections.abc import Sequence
from pathlib import Path

from training.code.result import Result

BEGIN, END = "<!-- evaluation: begin -->", "<!-- evaluation: end -->"
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


def sizes(folder: Path) -> str:
    """Parameters, tokens and minutes, from the files beside the card."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    trained = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    width, layers, words = config["n_embd"], config["n_layer"], config["vocab_size"]
    parameters = words * (width + 1) + 2 * width + layers * (12 * width + 7) * width
    return (
        f"{parameters / 1e6:.2f} million parameters ({layers} layers, width {width}, {config['n_head']} heads, "
        f"{config['n_positions']} positions, vocabulary {words}); trained for {trained['step']} steps on "
        f"{trained['tokens'] / 1e6:.1f} million tokens in {trained['seconds'] / 60:.0f} minutes."
    )


def write(folder: Path, results: Sequence[Result]) -> None:
    """Replace what stands between the markers of the folder's README.md."""
    file = folder / "README.md"
    before, rest = file.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    body = "\n\n".join([BEGIN, sizes(folder), bars(results), table(results), END])
    file.write_text(before + body + after, encoding="utf-8")

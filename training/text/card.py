"""The model's card: the tables of an evaluation, written between two markers. Does not know how they came."""

import json
from collections.abc import Iterable
from pathlib import Path

from training.text.result import Result

BEGIN, END = "<!-- evaluation: begin -->", "<!-- evaluation: end -->"
HEAD = ("| family | technique | measure | share | 95 % interval | n |", "| --- | --- | --- | ---: | ---: | ---: |")


def line(result: Result) -> str:
    low, high = result.interval
    cells = (
        result.family,
        result.technique,
        result.measure,
        f"{result.share:.1%}",
        f"{low:.1%} to {high:.1%}",
        str(result.n),
    )
    return "| " + " | ".join(cells) + " |"


def table(results: Iterable[Result]) -> str:
    return "\n".join([*HEAD, *map(line, results)])


def bars(results: Iterable[Result]) -> str:
    """What was aimed at, beside what was measured."""
    share = {(r.family, r.technique, r.measure): r.share for r in results}
    plain, steps = (share["sums", name, "right"] for name in ("plain", "step by step"))
    none, four = (share["labels", f"arbitrary words, {k} examples", "right"] for k in (0, 4))
    marked = min(value for (family, _, measure), value in share.items() if measure == "marked")
    unmarked = max(value for (family, _, measure), value in share.items() if measure == "any marker")
    lines = (
        ("sums: step by step", "at least 80 %", steps, steps >= 0.8),
        ("sums: step by step less plain", "at least 30 points", steps - plain, steps - plain >= 0.3),
        ("arbitrary labels: four examples", "at least 90 %", four, four >= 0.9),
        ("arbitrary labels: four examples less none", "at least 40 points", four - none, four - none >= 0.4),
        (
            "JSON: valid, with exactly the named keys",
            "at least 90 %",
            share["extraction", "JSON asked", "valid"],
            share["extraction", "JSON asked", "valid"] >= 0.9,
        ),
        ("personas: two marker words, lowest persona", "at least 90 %", marked, marked >= 0.9),
        ("personas: any marker word without the persona, highest", "at most 10 %", unmarked, unmarked <= 0.1),
    )
    head = ("| bar | aimed at | measured | |", "| --- | --- | ---: | --- |")
    return "\n".join(
        [*head, *(f"| {a} | {b} | {c:.1%} | {'holds' if ok else 'does not hold'} |" for a, b, c, ok in lines)]
    )


def sizes(folder: Path) -> str:
    """Parameters, tokens and minutes, from the files beside the card."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    trained = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    width, layers = config["n_embd"], config["n_layer"]
    parameters = (config["vocab_size"] + config["n_positions"] + 2) * width + layers * (12 * width + 13) * width
    return (
        f"{parameters / 1e6:.2f} million parameters ({layers} layers, width {width}, {config['n_head']} heads, "
        f"{config['n_positions']} positions, vocabulary {config['vocab_size']}); "
        f"trained for {trained['step']} steps on {trained['tokens'] / 1e6:.1f} million tokens "
        f"in {trained['seconds'] / 60:.0f} minutes."
    )


def write(folder: Path, results: list[Result]) -> None:
    """Replace what stands between the markers of the folder's README.md."""
    file = folder / "README.md"
    before, rest = file.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    body = "\n\n".join([BEGIN, sizes(folder), bars(results), table(results), END])
    file.write_text(before + body + after, encoding="utf-8")

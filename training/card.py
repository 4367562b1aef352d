"""The part of a model's card that an evaluation writes, between two markers. Does not know what was measured."""

import json
from pathlib import Path

BEGIN, END = "<!-- evaluation: begin -->", "<!-- evaluation: end -->"


def sizes(folder: Path, parameters: int) -> str:
    """Shape, tokens and minutes, from the files beside the card."""
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

"""The model's card: the tables of an evaluation, written between two markers. Does not know how they were measured."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from safetensors import safe_open

from training import card
from training.result import Result

BARS = {"instrument": 0.85, "content": 0.85, "direction": 0.8, "chord": 0.8, "speed": 0.8, "register": 0.8}
PARTS = {"decoder": "decoder.", "text encoder": "text_encoder.", "codec": "audio_encoder."}


class Quality(Protocol):
    """Of the codec alone, in decibels."""

    spectra: float
    signal: float


def bars(results: Sequence[Result]) -> str:
    """A table of the aims and the measured shares."""
    share = {r.what: r.share for r in results}
    return card.bars(
        (f"{what} as the caption says", f"at least {aim:.0%}", share[what], share[what] >= aim)
        for what, aim in BARS.items()
    )


def sizes(folder: Path) -> str:
    """Parameters of each part, and how long the decoder was trained."""
    with safe_open(folder / "model.safetensors", "pt") as weights:
        numbers = {name: weights.get_tensor(name).numel() for name in weights.keys()}  # noqa: SIM118 - not a mapping
    counts = {part: sum(n for name, n in numbers.items() if name.startswith(start)) for part, start in PARTS.items()}
    trained = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    listed = ", ".join(f"{part} {count / 1e6:.2f}" for part, count in counts.items())
    return (
        f"{sum(counts.values()) / 1e6:.2f} million parameters: {listed}. The decoder was trained for {trained['step']} "
        f"steps on {trained['seen'] / 1000:.0f} thousand clips with captions in {trained['seconds'] / 60:.0f} minutes."
    )


def write(folder: Path, results: Sequence[Result], others: Sequence[Result], codec: Quality, seconds: float) -> None:
    """Write the tables into the folder's card."""
    speed = f"One second of sound takes {seconds:.2f} s of computing on one core."
    alone = (
        f"The codec alone leaves {codec.spectra:.1f} dB between the spectra of a held-out sound and of its copy, and "
        f"{codec.signal:.1f} dB of signal over error (medians)."
    )
    tables = (card.table(results), speed, card.table(others), alone)
    card.write(folder, sizes(folder), bars(results), *tables)

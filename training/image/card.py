"""The model's card: the tables of an evaluation, written between two markers. Does not know how they were measured."""

import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import safe_open

from training import card
from training.result import Result

BARS = {"color": 0.9, "shape": 0.85, "background": 0.9, "number": 0.7, "scene attribute": 0.85}


def bars(results: Sequence[Result]) -> str:
    """A table of the aims and the measured shares."""
    share = {r.what: r.share for r in results}
    return card.bars(
        (f"{what} as the caption says", f"at least {aim:.0%}", share[what], share[what] >= aim)
        for what, aim in BARS.items()
    )


def sizes(folder: Path) -> str:
    """Parameters of each part, and how long the diffusion model was trained."""
    parts = {"text_encoder": "model", "unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}
    counts = {part: _parameters(folder / part / f"{name}.safetensors") / 1e6 for part, name in parts.items()}
    trained = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return (
        f"{sum(counts.values()):.2f} million parameters: diffusion model {counts['unet']:.2f}, autoencoder "
        f"{counts['vae']:.2f}, text encoder {counts['text_encoder']:.2f}. The diffusion model was trained for "
        f"{trained['step']} steps on {trained['seen'] / 1000:.0f} thousand pictures with captions in "
        f"{trained['seconds'] / 60:.0f} minutes."
    )


def _parameters(file: Path) -> int:
    with safe_open(file, "pt") as weights:
        return sum(weights.get_tensor(name).numel() for name in weights.keys())  # noqa: SIM118 - not a mapping


def write(folder: Path, results: Sequence[Result], others: Sequence[Result], seconds: float) -> None:
    """Write the tables into the folder's card."""
    speed = f"One picture takes {seconds:.2f} s with 20 steps on a CPU."
    card.write(folder, sizes(folder), bars(results), card.table(results), speed, card.table(others))

"""The codec's codebooks: each one the k-means of what the ones before it leave. Knows no sound.

`transformers` only uses an EnCodec's codebooks; this is how these come about (residual codebooks that start from
k-means: Zeghidour et al. 2021; here they also end there).
"""

import torch
from transformers import EncodecModel

ROUNDS, AT_ONCE = 12, 8192


@torch.no_grad()
def fill(model: EncodecModel, states: torch.Tensor, weights: torch.Tensor, seed: int) -> None:
    """Set every codebook, from states (number x width) and how much each of them counts."""
    chance = torch.Generator().manual_seed(seed)
    residual = states.clone()
    for layer in model.quantizer.layers:
        codebook = layer.codebook
        codebook.embed.copy_(means(residual, weights, codebook.codebook_size, chance))
        residual -= codebook.decode(codebook.quantize(residual))


def means(points: torch.Tensor, weights: torch.Tensor, number: int, chance: torch.Generator) -> torch.Tensor:
    """Lloyd's weighted k-means (number x width). A mean that no point is nearest to goes where a heavy error is."""
    found = points[torch.multinomial(weights, number, generator=chance)].clone()
    for _ in range(ROUNDS):
        nearest, apart = _nearest(points, found)
        sizes = torch.zeros(number).index_add_(0, nearest, weights)
        found = (
            torch.zeros_like(found).index_add_(0, nearest, points * weights[:, None]) / sizes.clamp(min=1e-9)[:, None]
        )
        dead = sizes == 0
        if dead.any():
            found[dead] = points[torch.multinomial(weights * apart + 1e-12, int(dead.sum()), generator=chance)]
    return found


def _nearest(points: torch.Tensor, found: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each point: which mean is nearest, and its squared distance."""
    own = found.pow(2).sum(1)
    parts = [(part.pow(2).sum(1)[:, None] - 2 * part @ found.T + own).min(1) for part in points.split(AT_ONCE)]
    return torch.cat([part.indices for part in parts]), torch.cat([part.values for part in parts]).clamp(min=0)

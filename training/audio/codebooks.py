"""Fits the codec's codebooks: residual vector quantisation by k-means. Knows no sound.

Each codebook is the k-means of the residual of the codebooks before it. `transformers` can only apply an EnCodec's
codebooks. Zeghidour et al. 2021 (SoundStream) initialise theirs with k-means; here k-means is the whole training.
"""

import torch
from transformers import EncodecModel

ITERATIONS, CHUNK = 12, 8192


@torch.no_grad()
def fill(model: EncodecModel, states: torch.Tensor, weights: torch.Tensor, seed: int) -> None:
    """Set every codebook of the model.

    Args:
        states: number x width, float32.
        weights: number, the weight of each state.
    """
    generator = torch.Generator().manual_seed(seed)
    residual = states.clone()  # (number, width)
    for layer in model.quantizer.layers:
        codebook = layer.codebook
        codebook.embed.copy_(means(residual, weights, codebook.codebook_size, generator))
        residual -= codebook.decode(codebook.quantize(residual))


def means(points: torch.Tensor, weights: torch.Tensor, number: int, generator: torch.Generator) -> torch.Tensor:
    """Weighted k-means by Lloyd's algorithm (Lloyd 1982).

    A centroid without points moves to a point drawn by its weighted squared error.

    Args:
        points: points x width.
        weights: points.

    Returns:
        number x width.
    """
    centroids = points[torch.multinomial(weights, number, generator=generator)].clone()
    for _ in range(ITERATIONS):
        assignment, squared_errors = _nearest(points, centroids)
        sizes = torch.zeros(number).index_add_(0, assignment, weights)
        centroids = (
            torch.zeros_like(centroids).index_add_(0, assignment, points * weights[:, None])
            / sizes.clamp(min=1e-9)[:, None]
        )
        dead = sizes == 0
        if dead.any():
            centroids[dead] = points[
                torch.multinomial(weights * squared_errors + 1e-12, int(dead.sum()), generator=generator)
            ]
    return centroids


def _nearest(points: torch.Tensor, centroids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(index of the nearest centroid, squared distance to it) of each point, both (points,)."""
    own = centroids.pow(2).sum(1)
    parts = [(part.pow(2).sum(1)[:, None] - 2 * part @ centroids.T + own).min(1) for part in points.split(CHUNK)]
    return torch.cat([part.indices for part in parts]), torch.cat([part.values for part in parts]).clamp(min=0)

"""The random numbers from which one request's tokens are drawn."""

from __future__ import annotations

import torch

from core.catalog import checked_seed


class GumbelNoise:
    """Standard Gumbel noise, from a seed of the request's own.

    The argmax of logits / temperature plus this noise is a sample of their softmax (Gumbel 1954; Maddison et al. 2014),
    exactly: there is no normalisation in which float rounding could shift a boundary. As many numbers are drawn at
    every step, whatever the filters leave, so the stream depends on the seed and the step alone. The uniform numbers
    are made on the CPU with 53 bits: the same on every machine, and fine enough that the tail of the noise is not cut
    off (24 bits would cap it at 16.6).

    Raises:
        InvalidInput: the seed is no whole number from 0 to 2**63 - 1.
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(checked_seed(seed))

    def draw(self, *shape: int) -> torch.Tensor:
        """Noise of this shape, float64 on the CPU; -inf where the uniform number is 0."""
        uniform = torch.rand(shape, generator=self._generator, dtype=torch.float64)  # [0, 1)
        return uniform.log_().neg_().log_().neg_()

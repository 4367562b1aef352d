"""The autoencoder between pictures and latents, and its training. Knows no captions.

64 x 64 pixels become 16 x 16 places of 4 numbers. The loss is the pixels' distance and their edges', with a small pull
of the latents towards a normal distribution (Kingma & Welling 2014; Rombach et al. 2022).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL

from training import loop
from training.image import drawing, pictures

PULL, EDGES, NOISE = 1e-7, 0.5, 0.05
POOL = 512


@dataclass(frozen=True)
class Plan(loop.Plan):
    """As every plan, with the autoencoder's own shape and length."""

    minutes: float = 12
    rate: float = 2e-3
    decay: float = 0.01
    channels: tuple[int, ...] = (16, 32, 48)
    batch: int = 16


def new_model(plan: Plan) -> AutoencoderKL:
    torch.manual_seed(plan.seed)
    levels = len(plan.channels)
    return AutoencoderKL(
        sample_size=drawing.SIDE,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=plan.channels,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        mid_block_add_attention=False,
    ).to(plan.device)


def stream(seed: int, size: int, pool: int, batch: int) -> Iterator[tuple[int, int, torch.Tensor]]:
    """Batches of pictures, from a place on."""
    while True:
        found = [pixels for _, pixels in pictures.drawn(f"autoencoder {seed} {pool}", POOL)]
        for index in range(batch, len(found) // size):
            array = pictures.stacked(found[index * size : (index + 1) * size])
            yield pool, index, torch.from_numpy(array)
        pool, batch = pool + 1, 0


def edges(images: torch.Tensor) -> torch.Tensor:
    """Differences of neighbours, across and down, flat."""
    across = images[..., 1:] - images[..., :-1]
    down = images[..., 1:, :] - images[..., :-1, :]
    return torch.cat([across.flatten(), down.flatten()])


class Trainer(loop.Trainer[torch.Tensor]):
    """The autoencoder in training, over drawn scenes."""

    model: AutoencoderKL

    def __init__(self, plan: Plan, model: AutoencoderKL | None = None) -> None:
        model = model or new_model(plan)
        super().__init__(plan, model, lambda pool, batch: stream(plan.seed, plan.batch, pool, batch))
        self.noise = torch.Generator(plan.device)

    def backward(self, batch: torch.Tensor) -> tuple[float, int]:
        images = batch.to(self.plan.device)
        self.noise.manual_seed(self.plan.seed * 10**6 + self.place.step)
        with torch.autocast(self.plan.device, torch.bfloat16, enabled=self.half):
            latents, pull = self.latents(images)
            noise = torch.randn(latents.shape, generator=self.noise, device=latents.device)
            made = self.model.decode(latents + NOISE * latents.detach().std() * noise).sample.float()
        loss = distance(made, images)
        (loss + pull).backward()
        return float(loss.detach()), len(batch)

    def latents(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Sampled latents, and their weighted distance from a normal distribution."""
        found = self.model.encode(images).latent_dist
        return found.sample(self.noise), PULL * found.kl().mean()


class DecoderTrainer(Trainer):
    """The decoder goes on alone: it gets sharper, and latents that were already encoded keep their meaning."""

    def __init__(self, plan: Plan, model: AutoencoderKL) -> None:
        for part in (model.encoder, model.quant_conv):
            part.requires_grad_(False)
        super().__init__(plan, model)

    def latents(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return encoded(self.model, images), torch.zeros((), device=images.device)


def distance(made: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Of the pixels, and of the edges."""
    apart = made - images
    sharp = (edges(made) - edges(images)).abs().mean()
    return apart.abs().mean() + apart.pow(2).mean() + EDGES * sharp


@torch.no_grad()
def encoded(model: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """The latents' means, not yet scaled."""
    return model.encode(images).latent_dist.mean


@torch.no_grad()
def set_scale(model: AutoencoderKL, seed: int) -> None:
    """Make scaled latents vary by 1, as the diffusion model expects (config.scaling_factor)."""
    sample = [pixels for _, pixels in pictures.drawn(f"scale {seed}", 256)]
    latents = encoded(model, torch.from_numpy(pictures.stacked(sample)))
    model.register_to_config(scaling_factor=round(1 / float(latents.std()), 4))

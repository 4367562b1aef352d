"""The autoencoder between pictures and latents, trained in two parts. Knows no captions.

64 x 64 pixels become latents of 4 x 16 x 16. The encoder is trained on fixed targets: the mean colour of a cell, and
the mean deviation of its pixels from that, which is high at outlines. The decoder is trained to reconstruct the
picture, by the distance of pixels and of edges. Latents that an autoencoder chooses itself hold a shape faintly round
its outline, far below the noise level at which a diffusion model decides on it (training/README.md has the numbers).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL
from torch.nn.functional import avg_pool2d, interpolate

from training import loop
from training.image import drawing, pictures

EDGE_WEIGHT, LATENT_NOISE = 0.5, 0.08
"""The weight of the edges' loss; the noise on the decoder's latents, relative to their standard deviation."""
OUTLINE_GAIN, CELL = 6.0, 4
"""The gain that makes outlines vary about as much as colours; the side of a cell in pixels."""
POOL = 512


@dataclass(frozen=True)
class Plan(loop.Plan):
    """A plan with the autoencoder's shape."""

    minutes: float = 3
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
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
    """Endless (pool, batch, images), from a given pool and batch on; images are size x 3 x SIDE x SIDE, float32."""
    while True:
        drawn = [pixels for _, pixels in pictures.drawn(f"autoencoder {seed} {pool}", POOL)]
        for index in range(batch, len(drawn) // size):
            array = pictures.stacked(drawn[index * size : (index + 1) * size])
            yield pool, index, torch.from_numpy(array)
        pool, batch = pool + 1, 0


class Trainer(loop.Trainer[torch.Tensor]):
    """A part of the autoencoder in training on drawn scenes."""

    model: AutoencoderKL

    def __init__(self, plan: Plan, model: AutoencoderKL) -> None:
        super().__init__(plan, model, lambda pool, batch: stream(plan.seed, plan.batch, pool, batch))
        self.noise = torch.Generator(plan.device)

    def backward(self, batch: torch.Tensor) -> tuple[float, int]:
        images = batch.to(self.plan.device)
        self.noise.manual_seed(self.plan.seed * 10**6 + self.counters.step)
        with torch.autocast(self.plan.device, torch.bfloat16, enabled=self.bfloat16):
            loss = self.loss(images)
        loss.backward()
        return float(loss.detach()), len(batch)

    def loss(self, images: torch.Tensor) -> torch.Tensor:
        """The scalar loss of images: number x 3 x side x side, -1 to 1."""
        raise NotImplementedError


class EncoderTrainer(Trainer):
    """The encoder, trained to predict `target_latents`, with the variance of the decoder's noise."""

    def loss(self, images: torch.Tensor) -> torch.Tensor:
        posterior, targets = self.model.encode(images).latent_dist, target_latents(images)
        spread = 2 * (LATENT_NOISE * targets.std()).log()
        return (
            10 * (posterior.mean.float() - targets).pow(2).mean()
            + 0.01 * (posterior.logvar.float() - spread).pow(2).mean()
        )


class DecoderTrainer(Trainer):
    """The decoder, trained to reconstruct pictures from the frozen encoder's latents."""

    def __init__(self, plan: Plan, model: AutoencoderKL) -> None:
        for part in (model.encoder, model.quant_conv):
            part.requires_grad_(False)
        super().__init__(plan, model)

    def loss(self, images: torch.Tensor) -> torch.Tensor:
        latents = encode(self.model, images)
        noise = torch.randn(latents.shape, generator=self.noise, device=latents.device)
        return reconstruction_loss(
            self.model.decode(latents + LATENT_NOISE * latents.std() * noise).sample.float(), images
        )


def target_latents(images: torch.Tensor) -> torch.Tensor:
    """The encoder's targets: number x 4 x side/CELL x side/CELL, from number x 3 x side x side.

    Channels are the mean red, green and blue, -1 to 1, and the outlines, from 0.
    """
    colors = avg_pool2d(images, CELL)
    deviation = (images - interpolate(colors, scale_factor=CELL)).abs().mean(1, keepdim=True)
    return torch.cat([colors, OUTLINE_GAIN * avg_pool2d(deviation, CELL)], 1)


def reconstruction_loss(output: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """The L1 and L2 distances of the pixels plus EDGE_WEIGHT times the L1 distance of the edges."""
    difference = output - images
    edge_loss = (edges(output) - edges(images)).abs().mean()
    return difference.abs().mean() + difference.pow(2).mean() + EDGE_WEIGHT * edge_loss


def edges(images: torch.Tensor) -> torch.Tensor:
    """The differences of horizontal and of vertical neighbours, flattened."""
    across = images[..., 1:] - images[..., :-1]
    down = images[..., 1:, :] - images[..., :-1, :]
    return torch.cat([across.flatten(), down.flatten()])


@torch.no_grad()
def encode(model: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """The latents' means, unscaled: number x 4 x 16 x 16, from number x 3 x 64 x 64."""
    return model.encode(images).latent_dist.mean


@torch.no_grad()
def set_scale(model: AutoencoderKL, seed: int) -> None:
    """Set config.scaling_factor so that scaled latents have a standard deviation of 1 (Rombach et al. 2022)."""
    sample = [pixels for _, pixels in pictures.drawn(f"scale {seed}", 256)]
    latents = encode(model, torch.from_numpy(pictures.stacked(sample)))
    model.register_to_config(scaling_factor=round(1 / float(latents.std()), 4))

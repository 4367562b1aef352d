"""The autoencoder between pictures and latents, and its training in two lessons. Knows no captions.

64 x 64 pixels become 16 x 16 places of 4 numbers. The encoder is told which: the mean colour of a place, and how much
its pixels differ from that, which is where outlines are. The decoder learns to draw the picture from them, by the
pixels' distance and their edges'. Latents that an autoencoder finds for itself hold a shape in faint ripples round its
outline, far below the noise at which a diffusion model decides on it (training/README.md has the pictures' numbers).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL
from torch.nn.functional import avg_pool2d, interpolate

from training import loop
from training.image import drawing, pictures

EDGES, NOISE = 0.5, 0.08
"""The weight of the edges, and how much noise the decoder must bear, as a part of the latents' deviation."""
OUTLINE, PLACE = 6.0, 4
"""Makes outlines vary about as much as colours do; a place has PLACE x PLACE pixels."""
POOL = 512


@dataclass(frozen=True)
class Plan(loop.Plan):
    """As every plan, with the autoencoder's own shape and length."""

    minutes: float = 3
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


class Trainer(loop.Trainer[torch.Tensor]):
    """A part of the autoencoder in training, over drawn scenes."""

    model: AutoencoderKL

    def __init__(self, plan: Plan, model: AutoencoderKL) -> None:
        super().__init__(plan, model, lambda pool, batch: stream(plan.seed, plan.batch, pool, batch))
        self.noise = torch.Generator(plan.device)

    def backward(self, batch: torch.Tensor) -> tuple[float, int]:
        images = batch.to(self.plan.device)
        self.noise.manual_seed(self.plan.seed * 10**6 + self.place.step)
        with torch.autocast(self.plan.device, torch.bfloat16, enabled=self.half):
            loss = self.loss(images)
        loss.backward()
        return float(loss.detach()), len(batch)

    def loss(self, images: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError


class EncoderTrainer(Trainer):
    """The encoder learns what latents are; their spread is that of the noise which the decoder bears."""

    def loss(self, images: torch.Tensor) -> torch.Tensor:
        found, wanted = self.model.encode(images).latent_dist, latents_of(images)
        spread = 2 * (NOISE * wanted.std()).log()
        return 10 * (found.mean.float() - wanted).pow(2).mean() + 0.01 * (found.logvar.float() - spread).pow(2).mean()


class DecoderTrainer(Trainer):
    """The decoder learns to draw from the encoder's latents, which stay as they are."""

    def __init__(self, plan: Plan, model: AutoencoderKL) -> None:
        for part in (model.encoder, model.quant_conv):
            part.requires_grad_(False)
        super().__init__(plan, model)

    def loss(self, images: torch.Tensor) -> torch.Tensor:
        latents = encoded(self.model, images)
        noise = torch.randn(latents.shape, generator=self.noise, device=latents.device)
        return distance(self.model.decode(latents + NOISE * latents.std() * noise).sample.float(), images)


def latents_of(images: torch.Tensor) -> torch.Tensor:
    """What latents shall be (number x 4 x places): red, green and blue from -1 to 1, and the outlines, from 0."""
    colors = avg_pool2d(images, PLACE)
    apart = (images - interpolate(colors, scale_factor=PLACE)).abs().mean(1, keepdim=True)
    return torch.cat([colors, OUTLINE * avg_pool2d(apart, PLACE)], 1)


def distance(made: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Of the pixels, and of the edges."""
    apart = made - images
    sharp = (edges(made) - edges(images)).abs().mean()
    return apart.abs().mean() + apart.pow(2).mean() + EDGES * sharp


def edges(images: torch.Tensor) -> torch.Tensor:
    """Differences of neighbours, across and down, flat."""
    across = images[..., 1:] - images[..., :-1]
    down = images[..., 1:, :] - images[..., :-1, :]
    return torch.cat([across.flatten(), down.flatten()])


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

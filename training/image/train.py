"""Train tiny-image and write it to models/tiny-image. Knows latents and captions; pixels are the autoencoder's.

    python -m training.image.train --preset cpu              # about two hours on one core
    python -m training.image.train --preset cpu --resume     # go on after an interruption

Four parts, each with its own checkpoint in the run's folder: the autoencoder's encoder and its decoder
(autoencoder.py), the text encoder's pretraining (text.py), and the diffusion model here, trained together with the text
encoder. It predicts velocity (Salimans & Ho 2022) under a zero-terminal-SNR schedule (Lin et al. 2024): Stable
Diffusion's own leaves a signal in the last step, which on so small a latent decides the background. One caption in ten
is empty, for classifier-free guidance (Ho & Salimans 2022).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTextModel, CLIPTokenizer

from training import loop
from training.image import autoencoder, captions, export, pictures, text, vocabulary
from training.text.phrasing import chance

EMPTY_CAPTIONS, EMA_DECAY = 0.1, 0.999
TIMES_CENTER, TIMES_SPREAD = 0.6, 0.15
"""Center and deviation of the sampled times, as fractions of the schedule: there shapes are decided."""
ENCODE_BATCH = 64
Step = tuple[torch.Tensor, torch.Tensor]
"""Scaled latents (pictures x 4 x height x width) and token ids (pictures x LENGTH)."""


@dataclass(frozen=True)
class Plan(loop.Plan):
    """A plan with the diffusion model's shape, and the plans of the parts before it."""

    minutes: float = 82
    learning_rate: float = 8e-4
    weight_decay: float = 0.01
    channels: tuple[int, ...] = (64, 128)
    batch: int = 32
    scenes: int = 60_000
    merges: int = 700
    encoder_plan: autoencoder.Plan = field(default_factory=autoencoder.Plan)
    decoder_plan: autoencoder.Plan = field(default_factory=partial(autoencoder.Plan, minutes=30))
    text_plan: text.Plan = field(default_factory=text.Plan)


PRESETS = {
    "cpu": Plan(),
    "gpu": Plan(
        minutes=25,
        channels=(96, 192),
        batch=128,
        device="cuda",
        encoder_plan=autoencoder.Plan(minutes=5, batch=64, device="cuda"),
        text_plan=text.Plan(minutes=1, device="cuda"),
    ),
}


def new_schedule() -> DDIMScheduler:
    """Stable Diffusion's schedule, rescaled to zero terminal SNR (Lin et al. 2024)."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        rescale_betas_zero_snr=True,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


def new_unet(plan: Plan, side: int) -> UNet2DConditionModel:
    """A UNet with cross-attention from the second level on, where the latent is small. A pooled caption embedding,
    added to the time embedding, reaches every level (diffusers' "text" embedding, Saharia et al. 2022)."""
    torch.manual_seed(plan.seed)
    levels = len(plan.channels)
    unet = UNet2DConditionModel(
        sample_size=side,
        block_out_channels=plan.channels,
        layers_per_block=1,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * (levels - 1)),
        up_block_types=(*["CrossAttnUpBlock2D"] * (levels - 1), "UpBlock2D"),
        cross_attention_dim=plan.text_plan.width,
        attention_head_dim=4,
        norm_num_groups=16,
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
    )
    if plan.device == "cpu":  # torch's fused attention is slow backwards here: 49 pictures/s with it, 59 without
        unet.set_attn_processor(AttnProcessor())
    return unet


class Painter(torch.nn.Module):
    """The text encoder and the diffusion model: from noisy latents, times and token ids to velocities."""

    def __init__(self, encoder: CLIPTextModel, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.encoder, self.unet = encoder, unet

    def forward(self, noisy: torch.Tensor, times: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Velocities: pictures x 4 x height x width, like `noisy`; times (pictures,), tokens pictures x LENGTH."""
        states = self.encoder(tokens).last_hidden_state  # (pictures, LENGTH, width)
        return self.unet(noisy, times, states).sample


def stream(
    latents: torch.Tensor, tokenizer: CLIPTokenizer, plan: Plan, pool: int, batch: int
) -> Iterator[tuple[int, int, Step]]:
    """Endless (pool, index, step): latents in a new order each pool, with new captions, from a given batch on."""
    scenes = [scene for scene, _ in pictures.scenes(seed_of(plan), len(latents))]
    while True:
        order = torch.randperm(len(latents), generator=torch.Generator().manual_seed(1000 * plan.seed + pool))
        for index in range(batch, len(order) // plan.batch):
            rng = random.Random(f"captions {plan.seed} {pool} {index}")
            chosen = order[index * plan.batch : (index + 1) * plan.batch]
            texts = [
                "" if chance(rng, EMPTY_CAPTIONS) else captions.caption(scenes[i], rng).text for i in chosen.tolist()
            ]
            yield pool, index, (latents[chosen].float(), text.ids(tokenizer, texts))
        pool, batch = pool + 1, 0


def seed_of(plan: Plan) -> str:
    return f"scenes {plan.seed}"


class Trainer(loop.AveragedTrainer[Step]):
    """tiny-image's diffusion model and text encoder in training; ``average`` is exported."""

    def __init__(self, plan: Plan, painter: Painter, latents: torch.Tensor, tokenizer: CLIPTokenizer) -> None:
        super().__init__(plan, painter.to(plan.device), partial(stream, latents, tokenizer, plan), EMA_DECAY)
        self.schedule = new_schedule()
        self.noise = torch.Generator(plan.device)

    def backward(self, batch: Step) -> tuple[float, int]:
        latents, tokens = (part.to(self.plan.device) for part in batch)
        self.noise.manual_seed(self.plan.seed * 10**6 + self.counters.step)
        noise = torch.randn(latents.shape, generator=self.noise, device=latents.device)
        times = self._times(len(latents))
        noisy = self.schedule.add_noise(latents, noise, times)
        with torch.autocast(self.plan.device, torch.bfloat16, enabled=self.bfloat16):
            velocity = self.model(noisy, times, tokens)
        loss = (velocity.float() - self.schedule.get_velocity(latents, noise, times)).pow(2).mean()
        loss.backward()
        return float(loss.detach()), len(latents)

    def _times(self, number: int) -> torch.Tensor:
        """Half of them spread evenly, half round where shapes are decided; each half with one common offset, which
        varies less from batch to batch than times by their own lot."""
        steps = self.schedule.config.num_train_timesteps
        halves = (number // 2, number - number // 2)
        offsets = torch.rand(2, generator=self.noise, device=self.plan.device)
        even, round_middle = (
            (torch.arange(half, device=self.plan.device) + offset) / half
            for half, offset in zip(halves, offsets, strict=True)
        )
        decided = TIMES_CENTER + TIMES_SPREAD * torch.special.ndtri(round_middle.clamp(1e-4, 1 - 1e-4))
        return (torch.cat([even, decided]) * steps).long().clamp(0, steps - 1)


@torch.no_grad()
def latents_for(run: Path, plan: Plan, vae: AutoencoderKL) -> torch.Tensor:
    """The scaled latents of the plan's scenes: scenes x 4 x height x width, float16; drawn and encoded once."""
    file = run / "latents.pt"
    if not file.exists():
        latents, batch = [], []
        for _, pixels in pictures.drawn(seed_of(plan), plan.scenes):
            batch.append(pixels)
            if len(batch) == ENCODE_BATCH:
                latents.append(_encoded(vae, batch))
                batch.clear()
        torch.save(torch.cat([*latents, *([_encoded(vae, batch)] if batch else [])]), file)
    return torch.load(file, weights_only=True)


def _encoded(vae: AutoencoderKL, batch: list[pictures.Pixels]) -> torch.Tensor:
    images = torch.from_numpy(pictures.stacked(batch))
    return (autoencoder.encode(vae, images) * vae.config.scaling_factor).half()


def run_tokenizer(run: Path, plan: Plan) -> CLIPTokenizer:
    """The run's tokenizer, trained once: changed captions would give other tokens for the same words."""
    folder = run / "tokenizer"
    if not (folder / "tokenizer_config.json").exists():
        vocabulary.trained(plan.seed, plan.merges).save_pretrained(folder)
    return CLIPTokenizer.from_pretrained(folder)


def trained_vae(run: Path, plan: Plan, resume: bool, save_every: float) -> AutoencoderKL:
    """The run's autoencoder with its encoder trained, once."""
    folder = run / "vae"
    if not (folder / "config.json").exists():
        trainer = autoencoder.EncoderTrainer(plan.encoder_plan, autoencoder.new_model(plan.encoder_plan))
        loop.train_part(trainer, run, "autoencoder.pt", resume, save_every)
        vae = trainer.model.eval().cpu()
        autoencoder.set_scale(vae, plan.seed)
        vae.save_pretrained(folder)
    return AutoencoderKL.from_pretrained(folder).eval()


def trained_decoder(run: Path, plan: Plan, vae: AutoencoderKL, resume: bool, save_every: float) -> AutoencoderKL:
    """The run's autoencoder with its decoder trained too, once."""
    folder = run / "decoder"
    if not (folder / "config.json").exists():
        trainer = autoencoder.DecoderTrainer(plan.decoder_plan, vae.train().to(plan.device))
        loop.train_part(trainer, run, "decoder.pt", resume, save_every)
        trainer.model.eval().cpu().save_pretrained(folder)
    return AutoencoderKL.from_pretrained(folder).eval()


def pretrained_text_encoder(
    run: Path, plan: Plan, tokenizer: CLIPTokenizer, resume: bool, save_every: float
) -> CLIPTextModel:
    """The run's text encoder, pretrained once."""
    folder = run / "text_encoder"
    if not (folder / "config.json").exists():
        trainer = text.trainer(plan.text_plan, tokenizer)
        loop.train_part(trainer, run, "text.pt", resume, save_every)
        trainer.model.encoder.cpu().save_pretrained(folder)
    return CLIPTextModel.from_pretrained(folder)


def prepared(run: Path, plan: Plan, resume: bool, save_every: float) -> tuple[Trainer, AutoencoderKL, CLIPTokenizer]:
    """The trainer of the last part, after those before it."""
    tokenizer = run_tokenizer(run, plan)
    vae = trained_vae(run, plan, resume, save_every)
    encoder = pretrained_text_encoder(run, plan, tokenizer, resume, save_every)
    latents = latents_for(run, plan, vae)
    vae = trained_decoder(run, plan, vae, resume, save_every)
    return Trainer(plan, Painter(encoder, new_unet(plan, latents.shape[-1])), latents, tokenizer), vae, tokenizer


def main() -> None:
    options = loop.parser("tiny-image", PRESETS).parse_args()
    plan = loop.prepared(options, PRESETS)
    trainer, vae, tokenizer = prepared(options.run, plan, options.resume, options.save_every)
    loop.train_part(trainer, options.run, "checkpoint.pt", options.resume, options.save_every)
    painter = trainer.average.module.cpu()
    parts = export.pipeline(vae, painter.encoder, painter.unet, tokenizer, trainer.schedule)
    export.write(parts, options.out, vars(trainer.counters))


if __name__ == "__main__":
    main()

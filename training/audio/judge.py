"""The judge: a small classifier that reads a sound's properties (sound.Sound) from its spectrogram.

It is trained on synthesised sounds alone, degraded as generated ones are: most pass a codec like the model's, with
other codebooks. Knows no captions and nothing of the model that it judges.

    python -m training.audio.judge          # some minutes; writes training/audio/judge.safetensors
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training import judging, loop
from training.audio import clips, codec, sound
from training.audio.sound import Sound
from training.audio.synthesis import FRAME, RATE

FILE = Path(__file__).with_name("judge.safetensors")
READS: Mapping[str, tuple[str, ...]] = {
    "content": sound.CONTENTS,
    "instrument": (*sound.INSTRUMENTS, *sound.DRUMS),
    "direction": sound.DIRECTIONS,
    "chord": sound.CHORDS,
    "speed": sound.SPEEDS,
    "register": sound.REGISTERS,
    "loudness": sound.LOUDNESSES,
    "name": sound.NAMES,
}
"""The properties of a Sound that are read, each with its values."""
BANDS, WINDOW, LOWEST, HIGHEST, FLOOR = 96, 1024, 55.0, 3900.0, 1e-4
SCALE, OFFSET = 3.0, 1.5
LEAST = float(np.log(FLOOR)) / SCALE + OFFSET
Step = tuple[torch.Tensor, torch.Tensor]
"""Spectrograms (number x BANDS x frames), and targets (number x rows of READS, -1 where there is no label)."""


@dataclass(frozen=True)
class Plan(loop.Plan):
    """A plan with the number of different sounds, and of those in a step."""

    minutes: float = 6
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    sounds: int = 6000
    batch: int = 48
    codec_plan: codec.Plan = field(default_factory=partial(codec.Plan, books=6, sounds=300, seed=77))


@cache
def _bands() -> torch.Tensor:
    """A filter bank, BANDS x (WINDOW / 2 + 1): triangles at equal frequency ratios (16 an octave)."""
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 2)
    frequencies = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    low, middle, high = (edges[i : i + BANDS, None] for i in range(3))
    up, down = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    weights = np.clip(np.minimum(up, down), 0, None)
    nearest_bin = np.abs(frequencies - middle).argmin(1)
    weights[np.arange(BANDS), nearest_bin] += 0.2  # so that no band falls between two bins
    return torch.from_numpy(weights).float()


def image(samples: torch.Tensor) -> torch.Tensor:
    """Scaled log-magnitude spectrograms: number x BANDS x frames, from number x samples."""
    window = torch.hann_window(WINDOW)
    spectra = torch.stft(samples, WINDOW, FRAME, window=window, return_complex=True).abs()[..., :-1]
    return (_bands() @ spectra / (window.sum() / 2) + FLOOR).log() / SCALE + OFFSET


class Judge(nn.Module):
    """Five convolutions of stride 2, then one linear head for all rows of READS."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise((1, 16, 32, 48, 64, 64)):
            layers += [nn.Conv2d(before, after, 5 if before == 1 else 3, 2, 2 if before == 1 else 1)]
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
        self.hear = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 9, 160), nn.ReLU(), nn.Dropout(0.1))
        self.read = nn.Linear(160, sum(map(len, READS.values())))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits: number x all values of READS, from number x BANDS x frames."""
        return self.read(self.hear(images[:, None]))

    @torch.no_grad()
    def readings(self, samples: torch.Tensor) -> list[dict[str, str]]:
        """The likeliest value of each row, for each sound (number x samples)."""
        return judging.readings(self.eval()(image(samples)), READS)


def labels(target: Sound) -> dict[str, str]:
    """The labels of a sound: its properties that are not empty."""
    return {name: getattr(target, name) for name in READS if getattr(target, name)}


def stream(plan: Plan, pool: int, batch: int) -> Iterator[tuple[int, int, Step]]:
    """Endless (pool, index, step) of degraded spectrograms with their targets, from a given batch on."""
    images, targets = _training_set(plan)
    while True:
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(1000 * plan.seed + pool))
        for index in range(batch, len(order) // plan.batch):
            chosen = order[index * plan.batch : (index + 1) * plan.batch]
            rng = torch.Generator().manual_seed(10**6 * pool + index)
            levels, labels = level_shifted(images[chosen].float(), targets[chosen], rng)
            yield pool, index, (degraded(levels, rng), labels)
        pool, batch = pool + 1, 0


def _training_set(plan: Plan) -> Step:
    """All spectrograms of a plan in float16, and their targets; two of three after a codec with 4 to 6 codebooks."""
    images, targets = [], []
    coarse = codec.fit(plan.codec_plan)
    for index, (source, samples) in enumerate(clips.rendered(f"judge {plan.seed}", plan.sounds)):
        sounds = torch.from_numpy(samples)[None]
        if index % 3:
            books = plan.codec_plan.books - index % 4 % 3
            sounds = codec.decode_fast(coarse, codec.encode(coarse, sounds)[:, :books])
        images.append(image(sounds)[0].half())
        targets.append(judging.targets(labels(source), READS))
    return torch.stack(images), torch.tensor(targets)


def degraded(images: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Spectrograms (number x BANDS x frames) with random tilt, ripple, smearing in time, and signal-dependent noise."""
    number, bands, frames = images.shape
    level = 0.25 * torch.rand(number, 1, 1, generator=rng) ** 2
    sizes = ((images - OFFSET) * SCALE).exp()
    noise = -torch.rand(number, bands, frames, generator=rng).clamp(min=1e-6).log()
    spectra = (sizes + level * sizes.mean(1, keepdim=True) * noise).log() / SCALE + OFFSET
    smeared = nn.functional.avg_pool1d(spectra, 3, 1, 1, count_include_pad=False)
    tilt = 0.08 * torch.randn(number, 1, 1, generator=rng) * torch.linspace(-1, 1, bands)[:, None]
    ripple = 0.05 * torch.randn(number, bands, 1, generator=rng)
    spectra = spectra + (smeared - spectra) * 0.7 * torch.rand(number, 1, 1, generator=rng) + tilt + ripple
    floor = torch.rand(number, 1, 1, generator=rng) * 1.0 - 1.5
    return torch.maximum(spectra, floor) + 0.05 * torch.randn(images.shape, generator=rng)


def level_shifted(images: torch.Tensor, targets: torch.Tensor, rng: torch.Generator) -> Step:
    """Half of the spectrograms at a random level and without the loudness label, so that no other property depends on
    the level."""
    shifted = torch.rand(len(images), generator=rng) < 0.5
    gain = (torch.rand(len(images), generator=rng) * 0.9 - 0.6) * shifted
    labels = targets.clone()
    labels[shifted, list(READS).index("loudness")] = -1
    return (images + gain[:, None, None]).clamp(min=LEAST), labels


class Trainer(loop.Trainer[Step]):
    """The judge in training."""

    def __init__(self, plan: Plan) -> None:
        torch.manual_seed(plan.seed)
        super().__init__(plan, Judge().to(plan.device), partial(stream, plan))

    def backward(self, batch: Step) -> tuple[float, int]:
        images, targets = (part.to(self.plan.device) for part in batch)
        loss = judging.loss(self.model.train()(images), targets, READS)
        loss.backward()
        return float(loss.detach()), len(images)


def load() -> Judge:
    """The judge with the weights beside this file."""
    return judging.load(Judge(), FILE)


def agreement(judge: Judge, sounds: Sequence[Sound], samples: torch.Tensor) -> dict[str, tuple[int, int]]:
    """(correct readings, labels) for each row; `samples` are number x samples."""
    return judging.agreement(zip(map(labels, sounds), judge.readings(samples), strict=True))


def held_out(number: int) -> tuple[list[Sound], torch.Tensor]:
    """Synthesised held-out sounds, with their samples: number x samples, float32."""
    pairs = list(clips.rendered("judged", number, sound.for_evaluation))
    return [sound_ for sound_, _ in pairs], torch.from_numpy(np.stack([samples for _, samples in pairs]))


def main() -> None:
    presets = {"cpu": Plan(), "gpu": Plan(minutes=2, batch=256, device="cuda")}
    options: argparse.Namespace = loop.parser("tiny-audio", presets).parse_args()
    plan = loop.prepared(options, presets)
    trainer = Trainer(plan)
    if options.resume:
        trainer.restore(options.run / "judge.pt")
    loop.train(trainer, options.run, options.save_every, "judge.pt")
    judging.save(trainer.model, FILE)
    for name, (hits, number) in agreement(load(), *held_out(500)).items():
        print(f"{name} {hits / number:.1%} of {number}")


if __name__ == "__main__":
    main()

"""The judge: a small network that reads from a sound what the synthesiser would have been told. It knows no captions
and nothing of the model that it judges: it learns on synthesised sounds alone, made a little worse, as generated ones
are: most of them went through a codec like the model's, with other codebooks.

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
"""What is read, and what it can be: the properties of a Sound."""
BANDS, WINDOW, LOWEST, HIGHEST, FLOOR = 96, 1024, 55.0, 3900.0, 1e-4
SCALE, OFFSET = 3.0, 1.5
LEAST = float(np.log(FLOOR)) / SCALE + OFFSET
Step = tuple[torch.Tensor, torch.Tensor]
"""Images (number x BANDS x frames), and the place of each label in READS, -1 where there is none."""


@dataclass(frozen=True)
class Plan(loop.Plan):
    """As every plan, with the number of different sounds, and of those in a step."""

    minutes: float = 6
    rate: float = 2e-3
    decay: float = 0.02
    sounds: int = 6000
    batch: int = 48
    coarse: codec.Plan = field(default_factory=partial(codec.Plan, books=6, sounds=300, seed=77))


@cache
def _bands() -> torch.Tensor:
    """Triangles over the spectrum, as wide as the steps between them, which are equal ratios (16 an octave)."""
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 2)
    places = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    low, middle, high = (edges[i : i + BANDS, None] for i in range(3))
    up, down = (places - low) / (middle - low), (high - places) / (high - middle)
    found = np.clip(np.minimum(up, down), 0, None)
    nearest = np.abs(places - middle).argmin(1)
    found[np.arange(BANDS), nearest] += 0.2  # so that no band falls between two places
    return torch.from_numpy(found).float()


def image(samples: torch.Tensor) -> torch.Tensor:
    """Sounds (number x samples) as pictures (number x BANDS x frames): logarithms of the bands' magnitudes."""
    shape = torch.hann_window(WINDOW)
    spectra = torch.stft(samples, WINDOW, FRAME, window=shape, return_complex=True).abs()[..., :-1]
    return (_bands() @ spectra / (shape.sum() / 2) + FLOOR).log() / SCALE + OFFSET


class Judge(nn.Module):
    """Five halvings, then one reading for each row of READS."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise((1, 16, 32, 48, 64, 64)):
            layers += [nn.Conv2d(before, after, 5 if before == 1 else 3, 2, 2 if before == 1 else 1)]
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
        self.hear = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 9, 160), nn.ReLU(), nn.Dropout(0.1))
        self.read = nn.Linear(160, sum(map(len, READS.values())))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Scores, the rows of READS one after the other."""
        return self.read(self.hear(images[:, None]))

    @torch.no_grad()
    def readings(self, samples: torch.Tensor) -> list[dict[str, str]]:
        """The likeliest value of each row, for each sound (number x samples)."""
        return judging.readings(self.eval()(image(samples)), READS)


def labels(heard: Sound) -> dict[str, str]:
    """What there is to read in a sound."""
    return {name: getattr(heard, name) for name in READS if getattr(heard, name)}


def stream(plan: Plan, pool: int, batch: int) -> Iterator[tuple[int, int, Step]]:
    """Worsened images of sounds with their labels, from a place on."""
    images, targets = _lesson(plan)
    while True:
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(1000 * plan.seed + pool))
        for index in range(batch, len(order) // plan.batch):
            chosen = order[index * plan.batch : (index + 1) * plan.batch]
            rng = torch.Generator().manual_seed(10**6 * pool + index)
            heard, asked = leveled(images[chosen].float(), targets[chosen], rng)
            yield pool, index, (worsened(heard, rng), asked)
        pool, batch = pool + 1, 0


def _lesson(plan: Plan) -> Step:
    """All sounds of a plan, in 16 bits; two of three as some codec gives them back, at one of three qualities."""
    images, targets = [], []
    coarse = codec.fitted(plan.coarse)
    for index, (heard, samples) in enumerate(clips.rendered(f"judge {plan.seed}", plan.sounds)):
        sounds = torch.from_numpy(samples)[None]
        if index % 3:
            books = plan.coarse.books - index % 4 % 3
            sounds = codec.sounded(coarse, codec.encoded(coarse, sounds)[:, :books])
        images.append(image(sounds)[0].half())
        targets.append(judging.targets(labels(heard), READS))
    return torch.stack(images), torch.tensor(targets)


def worsened(images: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """With other balances of low and high, smeared in time, and under noise that comes and goes with the sound."""
    number, bands, frames = images.shape
    level = 0.25 * torch.rand(number, 1, 1, generator=rng) ** 2
    sizes = ((images - OFFSET) * SCALE).exp()
    noise = -torch.rand(number, bands, frames, generator=rng).clamp(min=1e-6).log()
    found = (sizes + level * sizes.mean(1, keepdim=True) * noise).log() / SCALE + OFFSET
    smeared = nn.functional.avg_pool1d(found, 3, 1, 1, count_include_pad=False)
    tilt = 0.08 * torch.randn(number, 1, 1, generator=rng) * torch.linspace(-1, 1, bands)[:, None]
    ripple = 0.05 * torch.randn(number, bands, 1, generator=rng)
    found = found + (smeared - found) * 0.7 * torch.rand(number, 1, 1, generator=rng) + tilt + ripple
    floor = torch.rand(number, 1, 1, generator=rng) * 1.0 - 1.5
    return torch.maximum(found, floor) + 0.05 * torch.randn(images.shape, generator=rng)


def leveled(images: torch.Tensor, targets: torch.Tensor, rng: torch.Generator) -> Step:
    """Half of them at any level, so that only the loudness is read from it; of these it is not asked for."""
    moved = torch.rand(len(images), generator=rng) < 0.5
    gain = (torch.rand(len(images), generator=rng) * 0.9 - 0.6) * moved
    asked = targets.clone()
    asked[moved, list(READS).index("loudness")] = -1
    return (images + gain[:, None, None]).clamp(min=LEAST), asked


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
    """The judge that is kept beside this file."""
    return judging.load(Judge(), FILE)


def agreement(found: Judge, heard: Sequence[Sound], samples: torch.Tensor) -> dict[str, tuple[int, int]]:
    """For each row, how many of the sounds (number x samples) are read as what they are, and of how many."""
    return judging.agreement(zip(map(labels, heard), found.readings(samples), strict=True))


def held_out(number: int) -> tuple[list[Sound], torch.Tensor]:
    """Synthesised sounds of the held-out side, with their samples (number x samples)."""
    heard = list(clips.rendered("judged", number, sound.for_evaluation))
    return [one for one, _ in heard], torch.from_numpy(np.stack([samples for _, samples in heard]))


def main() -> None:
    presets = {"cpu": Plan(), "gpu": Plan(minutes=2, batch=256, device="cuda")}
    wanted: argparse.Namespace = loop.parser("tiny-audio", presets).parse_args()
    plan = loop.prepared(wanted, presets)
    trainer = Trainer(plan)
    if wanted.resume:
        trainer.restore(wanted.run / "judge.pt")
    loop.train(trainer, wanted.run, wanted.save_every, "judge.pt")
    judging.save(trainer.model, FILE)
    for name, (hits, number) in agreement(load(), *held_out(500)).items():
        print(f"{name} {hits / number:.1%} of {number}")


if __name__ == "__main__":
    main()

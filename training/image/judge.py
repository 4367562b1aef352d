"""The judge: a small classifier that reads a picture's properties (scene.Scene).

It is trained on drawn pictures alone, degraded as generated ones are. Knows no captions and nothing of the model that
it judges.

    python -m training.image.judge          # some minutes; writes training/image/judge.safetensors
"""

import argparse
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn

from training import judging, loop
from training.image import pictures, scene
from training.image.scene import Landscape, Scene

FILE = Path(__file__).with_name("judge.safetensors")
READS: Mapping[str, tuple[str, ...]] = {
    "kind": ("group", "pair", "landscape"),
    "shape": scene.SHAPES,
    "color": scene.COLORS,
    "number": tuple(map(str, scene.NUMBERS)),
    "size": tuple(scene.SIZES),
    "position": scene.POSITIONS,
    "background": scene.BACKGROUNDS,
    "time": scene.TIMES,
    **dict.fromkeys(scene.FEATURES, ("no", "yes")),
}
"""The properties of a Scene that are read, each with its values."""
POOL = 2048
Step = tuple[torch.Tensor, torch.Tensor]
"""Pictures (number x 3 x side x side, -1 to 1), and targets (number x rows of READS, -1 where there is no label)."""


@dataclass(frozen=True)
class Plan(loop.Plan):
    """A plan with the number of pictures in a step."""

    minutes: float = 18
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    batch: int = 64


def labels(target: Scene) -> dict[str, str]:
    """The labels of a scene."""
    if isinstance(target, Landscape):
        present = {feature: "yes" if feature in target.features else "no" for feature in scene.FEATURES}
        return {"kind": "landscape", "time": target.time, **present}
    if target.relation:
        return {"kind": "pair", "background": target.background}
    group = target.groups[0]
    group_labels = {"kind": "group", "shape": group.shape, "color": group.color, "number": str(group.number)}
    group_labels |= {"size": group.size, "background": target.background}
    return group_labels | ({"position": group.position} if group.position else {})


class Judge(nn.Module):
    """A convolution at full size, four blocks of stride 2, then one linear head for all rows of READS."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1), nn.BatchNorm2d(16), nn.ReLU()]
        for before, after in pairwise((16, 32, 64, 96, 96)):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [nn.Conv2d(after, after, 3, 1, 1), nn.BatchNorm2d(after), nn.ReLU()]
        self.see = nn.Sequential(*layers, nn.Flatten(), nn.Linear(96 * 16, 192), nn.ReLU(), nn.Dropout(0.1))
        self.read = nn.Linear(192, sum(map(len, READS.values())))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits: number x all values of READS, from number x 3 x 64 x 64."""
        return self.read(self.see(images))

    @torch.no_grad()
    def readings(self, images: torch.Tensor) -> list[dict[str, str]]:
        """The likeliest value of each row, for each picture (number x 3 x 64 x 64)."""
        return judging.readings(self.eval()(images), READS)


def stream(seed: int, size: int, pool: int, batch: int) -> Iterator[tuple[int, int, Step]]:
    """Endless (pool, index, step) of degraded pictures with their targets, from a given batch on."""
    while True:
        pairs = list(pictures.drawn(f"judge {seed} {pool}", POOL))
        targets = torch.tensor([judging.targets(labels(target), READS) for target, _ in pairs])
        for index in range(batch, POOL // size):
            part = slice(index * size, (index + 1) * size)
            images = torch.from_numpy(pictures.stacked([pixels for _, pixels in pairs[part]]))
            yield pool, index, (degraded(images, random.Random(f"{seed} {pool} {index}")), targets[part])
        pool, batch = pool + 1, 0


def degraded(images: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """Images (number x 3 x side x side) with random blur, tint and noise."""
    torch.manual_seed(rng.randrange(2**31))
    blurred = nn.functional.avg_pool2d(nn.functional.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)
    part = torch.rand(len(images), 1, 1, 1)
    tint = 0.06 * torch.randn(len(images), 3, 1, 1)
    noise = rng.uniform(0, 0.12) * torch.randn(images.shape)
    return (images + (blurred - images) * part + tint + noise).clamp(-1, 1)


class Trainer(loop.Trainer[Step]):
    """The judge in training."""

    def __init__(self, plan: Plan) -> None:
        torch.manual_seed(plan.seed)
        super().__init__(plan, Judge().to(plan.device), partial(stream, plan.seed, plan.batch))

    def backward(self, batch: Step) -> tuple[float, int]:
        images, targets = (part.to(self.plan.device) for part in batch)
        loss = judging.loss(self.model.train()(images), targets, READS)
        loss.backward()
        return float(loss.detach()), len(images)


def load() -> Judge:
    """The judge with the weights beside this file."""
    return judging.load(Judge(), FILE)


def accuracy(judge: Judge, number: int) -> dict[str, tuple[int, int]]:
    """(correct readings, labels) for each row, over `number` drawn held-out pictures."""
    pairs = list(pictures.drawn("judged", number, scene.for_evaluation))
    readings = judge.readings(torch.from_numpy(pictures.stacked([pixels for _, pixels in pairs])))
    return judging.agreement(zip((labels(target) for target, _ in pairs), readings, strict=True))


def main() -> None:
    presets = {"cpu": Plan(), "gpu": Plan(minutes=3, batch=256, device="cuda")}
    options: argparse.Namespace = loop.parser("tiny-image", presets).parse_args()
    plan = loop.prepared(options, presets)
    trainer = Trainer(plan)
    if options.resume:
        trainer.restore(options.run / "judge.pt")
    loop.train(trainer, options.run, options.save_every, "judge.pt")
    judging.save(trainer.model, FILE)
    for name, (hits, number) in accuracy(load(), 1000).items():
        print(f"{name} {hits / number:.1%} of {number}")


if __name__ == "__main__":
    main()

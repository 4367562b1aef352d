"""The optimiser loop that all models share: schedule, steps, checkpoints, log. Knows no task, no shape and no loss.

A run lives in its folder: checkpoint.pt (weights, optimiser, place in the stream), log.txt, and whatever else a model's
training keeps there. A run that was interrupted and resumed ends with the same weights as one that was not, if its
length is given in steps.
"""

import argparse
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

ROOT = Path(__file__).parents[1]
WARMUP_STEPS, DECAY_FROM, LAST_RATE = 150, 0.6, 0.02
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Plan:
    """The length of a training (``steps`` if given, else ``minutes``) and how its optimiser goes."""

    minutes: float
    rate: float = 1.5e-3
    decay: float = 0.05
    steps: int | None = None
    seed: int = 1
    device: str = "cpu"


AnyPlan = TypeVar("AnyPlan", bound=Plan)


@dataclass
class Place:
    """How far a training is: optimiser steps, seconds, tokens or pictures seen, the next batch of the stream."""

    step: int = 0
    seconds: float = 0.0
    seen: int = 0
    pool: int = 0
    batch: int = 0


def new_optimizer(plan: Plan, model: torch.nn.Module) -> torch.optim.AdamW:
    """Weight decay on matrices only."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": plan.decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=plan.rate, betas=(0.9, 0.98), fused=True)


def half_precision(device: str) -> bool:
    """Whether bfloat16 products are quick here. On a CPU without them they are many times slower than float32."""
    return device != "cpu" or bool(torch.cpu._is_avx512_bf16_supported())


def done(plan: Plan, place: Place) -> float:
    """The part of the training that lies behind, 0 to 1 and more."""
    return place.step / plan.steps if plan.steps else place.seconds / (60 * plan.minutes)


def rate(plan: Plan, place: Place) -> float:
    """Warm up, stay, then fall in a line (Hu et al. 2024, MiniCPM: warmup-stable-decay)."""
    warm = min(1.0, (place.step + 1) / WARMUP_STEPS)
    left = min(1.0, (1 - done(plan, place)) / (1 - DECAY_FROM))
    return plan.rate * warm * max(LAST_RATE, left)


class Trainer(ABC, Generic[Batch]):
    """A model in training: ``run`` makes steps, ``save`` and ``restore`` keep them.

    ``stream(pool, batch)`` yields (pool, index in it, batch) from that place on, the same ones each time.
    """

    def __init__(
        self, plan: Plan, model: torch.nn.Module, stream: Callable[[int, int], Iterator[tuple[int, int, Batch]]]
    ) -> None:
        self.plan, self.model, self.stream = plan, model, stream
        self.optimizer = new_optimizer(plan, model)
        self.place = Place()
        self.half = half_precision(plan.device)

    @abstractmethod
    def backward(self, batch: Batch) -> tuple[float, int]:
        """Add a batch's gradients; returns its mean loss and how many tokens or pictures it holds."""

    def run(self, until_step: int | None = None) -> Iterator[float]:
        """Yield the loss of each step, until the plan is done or ``until_step`` steps are made."""
        place, plan = self.place, self.plan
        for pool, index, batch in self.stream(place.pool, place.batch):
            if done(plan, place) >= 1 or place.step == until_step:
                return
            began = time.monotonic()
            loss, seen = self.step(batch)
            place.step, place.pool, place.batch, place.seen = place.step + 1, pool, index + 1, place.seen + seen
            place.seconds += time.monotonic() - began
            yield loss

    def step(self, batch: Batch) -> tuple[float, int]:
        """One optimiser step; what ``backward`` returned."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.plan, self.place)
        found = self.backward(batch)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return found

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "place": vars(self.place),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.place = Place(**state["place"])

    def save(self, file: Path) -> None:
        torch.save(self.state(), file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)

    def restore(self, file: Path) -> None:
        self.load_state(torch.load(file, map_location=self.plan.device, weights_only=True))


class AveragedTrainer(Trainer[Batch]):
    """Keeps an exponential moving average of the weights beside them: ``average`` is what is kept of the model."""

    def __init__(
        self,
        plan: Plan,
        model: torch.nn.Module,
        stream: Callable[[int, int], Iterator[tuple[int, int, Batch]]],
        decay: float,
    ) -> None:
        super().__init__(plan, model, stream)
        self.average = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(decay))

    def step(self, batch: Batch) -> tuple[float, int]:
        found = super().step(batch)
        self.average.update_parameters(self.model)
        return found

    def state(self) -> dict[str, Any]:
        return super().state() | {"average": self.average.state_dict()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        super().load_state(state)
        self.average.load_state_dict(state["average"])


def train_part(trainer: Trainer[Any], run: Path, checkpoint: str, resume: bool, save_every: float) -> None:
    """Train one of several parts of a run, from its own checkpoint on where that is there and wanted."""
    if resume and (run / checkpoint).exists():
        trainer.restore(run / checkpoint)
    train(trainer, run, save_every, checkpoint)


def train(trainer: Trainer[Any], run: Path, save_every: float, checkpoint: str = "checkpoint.pt") -> None:
    """Make all steps; log every 50, save every ``save_every`` minutes and at the end."""
    saved, losses = time.monotonic(), []
    for loss in trainer.run():
        losses.append(loss)
        if trainer.place.step % 50 == 0:
            log(run, trainer, sum(losses) / len(losses))
            losses.clear()
        if time.monotonic() - saved > 60 * save_every:
            trainer.save(run / checkpoint)
            saved = time.monotonic()
    trainer.save(run / checkpoint)


def log(run: Path, trainer: Trainer[Any], loss: float) -> None:
    place = trainer.place
    line = (
        f"{time.strftime('%H:%M:%S')} step {place.step} {done(trainer.plan, place):.1%} loss {loss:.4f} "
        f"seen {place.seen / 1e6:.3f}M {place.seen / place.seconds:.0f}/s rate {rate(trainer.plan, place):.2e}"
    )
    print(line, flush=True)
    with (run / "log.txt").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def parser(name: str, presets: Mapping[str, Plan]) -> argparse.ArgumentParser:
    """The options that every training has."""
    found = argparse.ArgumentParser(description=f"Train {name} and write it to models/{name}.")
    found.add_argument("--preset", choices=presets, default="cpu")
    found.add_argument("--minutes", type=float, help="length of the training (default: the preset's)")
    found.add_argument("--steps", type=int, help="length in steps instead of minutes")
    found.add_argument("--run", type=Path, default=ROOT / f"training/runs/{name}")
    found.add_argument("--out", type=Path, default=ROOT / f"models/{name}")
    found.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")
    found.add_argument("--threads", type=int, help="CPU threads (default: all)")
    found.add_argument("--save-every", type=float, default=4, help="minutes between checkpoints")
    return found


def prepared(wanted: argparse.Namespace, presets: Mapping[str, AnyPlan]) -> AnyPlan:
    """The plan that the options ask for, with the threads set and the run's folder made."""
    plan = presets[wanted.preset]
    if wanted.threads:
        torch.set_num_threads(wanted.threads)
    wanted.run.mkdir(parents=True, exist_ok=True)
    return replace(plan, minutes=wanted.minutes or plan.minutes, steps=wanted.steps)

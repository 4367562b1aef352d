"""The training loop that all models share: learning rate, steps, checkpoints, log. Knows no task, no shape and no loss.

A run's folder holds checkpoint.pt (weights, optimiser, position in the stream), log.txt, and the files of the model's
own training. A resumed run ends with the same weights as an uninterrupted one, if its length is given in steps.
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
WARMUP_STEPS, DECAY_START, FINAL_FACTOR = 150, 0.6, 0.02
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Plan:
    """The length of a training (``steps`` if given, else ``minutes``) and its optimiser's hyperparameters."""

    minutes: float
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    steps: int | None = None
    seed: int = 1
    device: str = "cpu"


AnyPlan = TypeVar("AnyPlan", bound=Plan)


@dataclass
class Counters:
    """Progress of a training: optimiser steps, seconds, tokens or samples seen, and the next batch of the stream.

    Stored in checkpoints under the key "place", and in a model's training.json.
    """

    step: int = 0
    seconds: float = 0.0
    seen: int = 0
    pool: int = 0
    batch: int = 0


def new_optimizer(plan: Plan, model: torch.nn.Module) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019), with weight decay on matrices only."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": plan.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.98), fused=True)


def bfloat16_is_fast(device: str) -> bool:
    """Whether the device multiplies in bfloat16 natively; emulated on a CPU it is many times slower than float32."""
    return device != "cpu" or bool(torch.cpu._is_avx512_bf16_supported())


def fraction_done(plan: Plan, counters: Counters) -> float:
    """The finished fraction of the training, from 0; at least 1 when it is done."""
    return counters.step / plan.steps if plan.steps else counters.seconds / (60 * plan.minutes)


def learning_rate(plan: Plan, counters: Counters) -> float:
    """The warmup-stable-decay schedule, with a linear decay (Hu et al. 2024, MiniCPM)."""
    warm = min(1.0, (counters.step + 1) / WARMUP_STEPS)
    left = min(1.0, (1 - fraction_done(plan, counters)) / (1 - DECAY_START))
    return plan.learning_rate * warm * max(FINAL_FACTOR, left)


class Trainer(ABC, Generic[Batch]):
    """A model in training: ``run`` makes steps, ``save`` and ``restore`` write and read checkpoints.

    ``stream(pool, batch)`` yields (pool, index in it, batch) from that batch on, and is deterministic.
    """

    def __init__(
        self, plan: Plan, model: torch.nn.Module, stream: Callable[[int, int], Iterator[tuple[int, int, Batch]]]
    ) -> None:
        self.plan, self.model, self.stream = plan, model, stream
        self.optimizer = new_optimizer(plan, model)
        self.counters = Counters()
        self.bfloat16 = bfloat16_is_fast(plan.device)

    @abstractmethod
    def backward(self, batch: Batch) -> tuple[float, int]:
        """Accumulate a batch's gradients; returns (mean loss, count of tokens or samples)."""

    def run(self, until_step: int | None = None) -> Iterator[float]:
        """Yield the loss of each step, until the plan's end or ``until_step`` steps."""
        counters, plan = self.counters, self.plan
        for pool, index, batch in self.stream(counters.pool, counters.batch):
            if fraction_done(plan, counters) >= 1 or counters.step == until_step:
                return
            start = time.monotonic()
            loss, seen = self.step(batch)
            counters.step, counters.seen = counters.step + 1, counters.seen + seen
            counters.pool, counters.batch = pool, index + 1
            counters.seconds += time.monotonic() - start
            yield loss

    def step(self, batch: Batch) -> tuple[float, int]:
        """One optimiser step with gradients clipped to norm 1; returns the result of ``backward``."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.plan, self.counters)
        result = self.backward(batch)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return result

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "place": vars(self.counters),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.counters = Counters(**state["place"])

    def save(self, file: Path) -> None:
        """Write a checkpoint, replacing an older one atomically."""
        torch.save(self.state(), file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)

    def restore(self, file: Path) -> None:
        self.load_state(torch.load(file, map_location=self.plan.device, weights_only=True))


class AveragedTrainer(Trainer[Batch]):
    """A trainer with an exponential moving average (EMA) of the weights: ``average`` is the model that is exported."""

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
        result = super().step(batch)
        self.average.update_parameters(self.model)
        return result

    def state(self) -> dict[str, Any]:
        return super().state() | {"average": self.average.state_dict()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        super().load_state(state)
        self.average.load_state_dict(state["average"])


def train_part(trainer: Trainer[Any], run: Path, checkpoint: str, resume: bool, save_every: float) -> None:
    """Train one of several parts of a run; with ``resume``, from its own checkpoint if there is one."""
    if resume and (run / checkpoint).exists():
        trainer.restore(run / checkpoint)
    train(trainer, run, save_every, checkpoint)


def train(trainer: Trainer[Any], run: Path, save_every: float, checkpoint: str = "checkpoint.pt") -> None:
    """Make all steps; log every 50, save every ``save_every`` minutes and at the end."""
    saved, losses = time.monotonic(), []
    for loss in trainer.run():
        losses.append(loss)
        if trainer.counters.step % 50 == 0:
            log(run, trainer, sum(losses) / len(losses))
            losses.clear()
        if time.monotonic() - saved > 60 * save_every:
            trainer.save(run / checkpoint)
            saved = time.monotonic()
    trainer.save(run / checkpoint)


def log(run: Path, trainer: Trainer[Any], loss: float) -> None:
    counters = trainer.counters
    line = (
        f"{time.strftime('%H:%M:%S')} step {counters.step} {fraction_done(trainer.plan, counters):.1%} loss {loss:.4f} "
        f"seen {counters.seen / 1e6:.3f}M {counters.seen / counters.seconds:.0f}/s "
        f"rate {learning_rate(trainer.plan, counters):.2e}"
    )
    print(line, flush=True)
    with (run / "log.txt").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def parser(name: str, presets: Mapping[str, Plan]) -> argparse.ArgumentParser:
    """The command-line options that every training has."""
    options = argparse.ArgumentParser(description=f"Train {name} and write it to models/{name}.")
    options.add_argument("--preset", choices=presets, default="cpu")
    options.add_argument("--minutes", type=float, help="length of the training (default: the preset's)")
    options.add_argument("--steps", type=int, help="length in steps instead of minutes")
    options.add_argument("--run", type=Path, default=ROOT / f"training/runs/{name}")
    options.add_argument("--out", type=Path, default=ROOT / f"models/{name}")
    options.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")
    options.add_argument("--threads", type=int, help="CPU threads (default: all)")
    options.add_argument("--save-every", type=float, default=4, help="minutes between checkpoints")
    return options


def prepared(options: argparse.Namespace, presets: Mapping[str, AnyPlan]) -> AnyPlan:
    """The plan that the options select. Sets the threads and makes the run's folder."""
    plan = presets[options.preset]
    if options.threads:
        torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    return replace(plan, minutes=options.minutes or plan.minutes, steps=options.steps)

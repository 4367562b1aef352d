"""The optimiser loop that the language models share: schedule, steps, checkpoints, log. Knows no task and no shape.

A run lives in its folder: tokenizer.json, checkpoint.pt (model, optimiser, place in the stream) and log.txt. A run that
was interrupted and resumed ends with the same weights as one that was not, if its length is given in steps.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch
from transformers import PreTrainedModel

from training.text.corpus import Row, padded, weight

ROOT = Path(__file__).parents[1]
WARMUP_STEPS, DECAY_FROM, LAST_RATE = 150, 0.6, 0.02
Step = tuple[int, int, list[list[Row]]]


@dataclass(frozen=True)
class Plan:
    """The shape of a model and the length of its training: ``steps`` if given, else ``minutes``.

    A step takes ``parts`` batches of ``tokens`` tokens: a batch holds rows of one length, so mostly of one family,
    and steps that saw only one family at a time made the model forget the others.
    """

    width: int
    heads: int
    vocabulary: int
    minutes: float
    layers: int = 4
    context: int = 512
    tokens: int = 1536
    parts: int = 2
    rate: float = 1.5e-3
    decay: float = 0.05
    steps: int | None = None
    seed: int = 1
    device: str = "cpu"


AnyPlan = TypeVar("AnyPlan", bound=Plan)


@dataclass
class Place:
    """How far a training is: optimiser steps, seconds and tokens trained, the next batch of the stream."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
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


def loss_of(model: PreTrainedModel, batch: list[Row], device: str, half: bool) -> torch.Tensor:
    """Summed cross-entropy of the next token, by weight; only places with a weight reach the output layer."""
    ids, weights = (torch.from_numpy(array).to(device) for array in padded(batch, 0))
    keep = weights[:, 1:].flatten().nonzero().squeeze(1)
    with torch.autocast(device, torch.bfloat16, enabled=half):
        hidden = model.transformer(input_ids=ids[:, :-1], use_cache=False)[0]
        logits = model.lm_head(hidden.flatten(0, 1)[keep])
    losses = torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:].flatten()[keep], reduction="none")
    return (losses * weights[:, 1:].flatten()[keep]).sum()


class Trainer:
    """A model in training: ``run`` makes steps, ``save`` and ``restore`` keep them.

    ``stream(pool, batch)`` yields (pool, index in it, batches of a step) from that place on, the same ones each time.
    """

    def __init__(self, plan: Plan, model: PreTrainedModel, stream: Callable[[int, int], Iterator[Step]]) -> None:
        self.plan, self.model, self.stream = plan, model, stream
        self.optimizer = new_optimizer(plan, model)
        self.place = Place()
        self.half = half_precision(plan.device)

    def run(self, until_step: int | None = None) -> Iterator[float]:
        """Yield the loss of each step, until the plan is done or ``until_step`` steps are made."""
        place, plan = self.place, self.plan
        for pool, index, batches in self.stream(place.pool, place.batch):
            if done(plan, place) >= 1 or place.step == until_step:
                return
            began = time.monotonic()
            loss = self.step(batches)
            place.step, place.pool, place.batch = place.step + 1, pool, index + 1
            place.tokens += sum(len(row.ids) for batch in batches for row in batch)
            place.seconds += time.monotonic() - began
            yield loss

    def step(self, batches: list[list[Row]]) -> float:
        """One optimiser step over several batches; returns the mean loss by weight."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.plan, self.place)
        whole, total = sum(map(weight, batches)), 0.0
        for batch in batches:
            loss = loss_of(self.model, batch, self.plan.device, self.half) / whole
            loss.backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return total

    def save(self, file: Path) -> None:
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "place": vars(self.place)}
        torch.save(state, file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)

    def restore(self, file: Path) -> None:
        state = torch.load(file, map_location=self.plan.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.place = Place(**state["place"])


def train(trainer: Trainer, run: Path, save_every: float) -> None:
    """Make all steps; log every 50, save every ``save_every`` minutes and at the end."""
    saved, losses = time.monotonic(), []
    for loss in trainer.run():
        losses.append(loss)
        if trainer.place.step % 50 == 0:
            log(run, trainer, sum(losses) / len(losses))
            losses.clear()
        if time.monotonic() - saved > 60 * save_every:
            trainer.save(run / "checkpoint.pt")
            saved = time.monotonic()
    trainer.save(run / "checkpoint.pt")


def log(run: Path, trainer: Trainer, loss: float) -> None:
    place = trainer.place
    line = (
        f"{time.strftime('%H:%M:%S')} step {place.step} {done(trainer.plan, place):.1%} loss {loss:.4f} "
        f"tokens {place.tokens / 1e6:.2f}M {place.tokens / place.seconds:.0f}/s rate {rate(trainer.plan, place):.2e}"
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

"""What the judges of pictures and of sounds have in common. Knows neither: a table of rows says what is read.

A judge's scores are those of all rows, one row's values after the other's; a target is the place of a label among its
row's values, -1 where there is none.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file, save_file

Reads = Mapping[str, tuple[str, ...]]
"""What is read, and what it can be."""
AnyJudge = TypeVar("AnyJudge", bound=torch.nn.Module)


def parts(scores: torch.Tensor, reads: Reads) -> tuple[torch.Tensor, ...]:
    """The scores (number x all values) of each row."""
    return scores.split([len(values) for values in reads.values()], dim=1)


def readings(scores: torch.Tensor, reads: Reads) -> list[dict[str, str]]:
    """The likeliest value of each row, for each picture or sound."""
    columns = [
        [values[i] for i in part.argmax(1).tolist()]
        for values, part in zip(reads.values(), parts(scores, reads), strict=True)
    ]
    return [dict(zip(reads, row, strict=True)) for row in zip(*columns, strict=True)]


def targets(labels: Mapping[str, str], reads: Reads) -> list[int]:
    return [values.index(labels[name]) if name in labels else -1 for name, values in reads.items()]


def loss(scores: torch.Tensor, wanted: torch.Tensor, reads: Reads) -> torch.Tensor:
    """The sum over rows of the mean cross-entropy; a row without labels counts nothing."""
    losses = [
        torch.nn.functional.cross_entropy(part, wanted[:, i], ignore_index=-1)
        for i, part in enumerate(parts(scores, reads))
        if (wanted[:, i] >= 0).any()
    ]
    return torch.stack(losses).sum()


def agreement(pairs: Iterable[tuple[Mapping[str, str], Mapping[str, str]]]) -> dict[str, tuple[int, int]]:
    """For each row, how many of its labels are read right, and of how many. Pairs are (labels, reading)."""
    right: dict[str, list[bool]] = {}
    for labels, reading in pairs:
        for name, value in labels.items():
            right.setdefault(name, []).append(reading[name] == value)
    return {name: (sum(row), len(row)) for name, row in right.items()}


def save(judge: torch.nn.Module, file: Path) -> None:
    """In float16, without counters."""
    state = judge.cpu().state_dict()
    save_file({name: value.half() for name, value in state.items() if value.is_floating_point()}, file)
    file.chmod(0o644)


def load(judge: AnyJudge, file: Path) -> AnyJudge:
    """The kept weights, ready to read."""
    judge.load_state_dict({name: value.float() for name, value in load_file(file).items()}, strict=False)
    return judge.eval()

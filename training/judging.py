"""The common part of the image and audio judges, which are classifiers with several heads. Knows neither modality.

A row is one attribute with its values. A judge's scores are the logits of all rows, concatenated; a target is the index
of a label among its row's values, -1 where there is none.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file, save_file

Reads = Mapping[str, tuple[str, ...]]
"""The attributes that a judge reads, each with its possible values."""
AnyJudge = TypeVar("AnyJudge", bound=torch.nn.Module)


def split_rows(scores: torch.Tensor, reads: Reads) -> tuple[torch.Tensor, ...]:
    """Each row's logits.

    Args:
        scores: samples x all values.

    Returns:
        One tensor a row, samples x the row's values.
    """
    return scores.split([len(values) for values in reads.values()], dim=1)


def readings(scores: torch.Tensor, reads: Reads) -> list[dict[str, str]]:
    """The likeliest value of each row, for each sample. `scores` are samples x all values."""
    columns = [
        [values[i] for i in part.argmax(1).tolist()]
        for values, part in zip(reads.values(), split_rows(scores, reads), strict=True)
    ]
    return [dict(zip(reads, row, strict=True)) for row in zip(*columns, strict=True)]


def targets(labels: Mapping[str, str], reads: Reads) -> list[int]:
    """The label's index in each row; -1 for a row without a label."""
    return [values.index(labels[name]) if name in labels else -1 for name, values in reads.items()]


def loss(scores: torch.Tensor, labels: torch.Tensor, reads: Reads) -> torch.Tensor:
    """The sum over rows of the mean cross-entropy; rows without labels are left out.

    Args:
        scores: samples x all values, float32.
        labels: samples x rows, int64, -1 where there is no label.
    """
    losses = [
        torch.nn.functional.cross_entropy(part, labels[:, i], ignore_index=-1)
        for i, part in enumerate(split_rows(scores, reads))
        if (labels[:, i] >= 0).any()
    ]
    return torch.stack(losses).sum()


def agreement(pairs: Iterable[tuple[Mapping[str, str], Mapping[str, str]]]) -> dict[str, tuple[int, int]]:
    """(correct readings, labels) for each row. Pairs are (labels, reading)."""
    right: dict[str, list[bool]] = {}
    for labels, reading in pairs:
        for name, value in labels.items():
            right.setdefault(name, []).append(reading[name] == value)
    return {name: (sum(row), len(row)) for name, row in right.items()}


def save(judge: torch.nn.Module, file: Path) -> None:
    """Write the weights in float16, without the batch norms' integer counters."""
    state = judge.cpu().state_dict()
    save_file({name: value.half() for name, value in state.items() if value.is_floating_point()}, file)
    file.chmod(0o644)


def load(judge: AnyJudge, file: Path) -> AnyJudge:
    """The judge with the file's weights in float32, in evaluation mode."""
    judge.load_state_dict({name: value.float() for name, value in load_file(file).items()}, strict=False)
    return judge.eval()

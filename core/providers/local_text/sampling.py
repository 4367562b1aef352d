"""How the next token is chosen: one row of logits in, one token out, for many rows at once.

Every row has its own temperature, filters and random numbers, so what it draws does not depend on its neighbours. Knows
nothing of models, text or batches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import torch

from core.catalog import TEXT_PARAMETERS, checked
from core.providers.local.gumbel_noise import GumbelNoise
from core.types import Parameter, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """The parameters of one row, checked. The defaults change nothing: plain sampling from the model."""

    max_new_tokens: int = 64
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()


def read(parameters: Mapping[str, Value], controls: Sequence[Parameter]) -> Sampling:
    """Check a request's parameters against the bounds in `controls`; what is missing or None takes its default there.

    Names that no local model has are left alone: a grid may carry another model's parameters.

    Raises:
        InvalidInput: a value has the wrong type, is not finite or is out of bounds; the message says so.
    """
    rows = {row.name: row for row in controls}
    values: dict[str, Value] = {}
    for name in (field.name for field in fields(Sampling)):
        value = parameters.get(name)
        if value is None and name in rows:
            value = rows[name].default
        if value is not None:
            values[name] = checked(rows.get(name) or _PLAIN[name], value)
    return Sampling(**values)  # type: ignore[arg-type]


_PLAIN = {row.name: row for row in TEXT_PARAMETERS}


def penalise(logits: torch.Tensor, seen: torch.Tensor, penalty: float) -> torch.Tensor:
    """Make tokens that were used less likely (penalty > 1), as in CTRL (Keskar et al. 2019), section 4.1.

    `logits` and the boolean `seen` are (vocabulary,).
    """
    return torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)


def choose(logits: torch.Tensor, rows: Sequence[Sampling], noises: Sequence[GumbelNoise]) -> list[int]:
    """One token for every row of `logits` (rows, vocabulary), penalties already applied.

    Temperature, top-k, top-p and min-p act in this order, as in transformers; then the Gumbel noise draws, exactly.
    Temperature 0 takes the likeliest token. Tokens exactly as likely as the last one kept are kept too, so no filter
    depends on the order of a sort.
    """
    tokens: list[int] = logits.argmax(-1).tolist()  # (rows,)
    warm = [i for i, row in enumerate(rows) if row.temperature > 0]
    if warm:
        settings = [rows[i] for i in warm]
        temperatures = torch.tensor([[row.temperature] for row in settings], device=logits.device)  # (warm rows, 1)
        scores = logits[warm] / temperatures  # (warm rows, vocabulary), float32
        scores = scores.masked_fill(scores < _cutoffs(scores, settings), -math.inf)
        noise = torch.stack([noises[i].draw(logits.shape[-1]) for i in warm]).to(logits.device)  # float64
        drawn = (scores + noise).argmax(-1)  # (warm rows,)
        for i, token in zip(warm, drawn.tolist(), strict=True):
            tokens[i] = token
    return tokens


def _cutoffs(scores: torch.Tensor, rows: Sequence[Sampling]) -> torch.Tensor:
    """(rows, 1): the smallest of a row's `scores` (rows, vocabulary) that it keeps."""
    cutoffs = torch.full((len(rows), 1), -math.inf, device=scores.device)
    # Rows with a top-k need only their k best sorted; only a top-p without one pays for a sort of the vocabulary.
    short = [i for i, row in enumerate(rows) if 0 < row.top_k < scores.shape[-1]]
    full = [i for i, row in enumerate(rows) if i not in short and row.top_p < 1]
    for group, width in ((short, max((rows[i].top_k for i in short), default=0)), (full, scores.shape[-1])):
        if group:
            best = scores[group].topk(width).values  # (group, width), descending
            cutoffs[group] = _nucleus(best, [rows[i] for i in group])
    floor = torch.tensor([[math.log(row.min_p) if row.min_p > 0 else -math.inf] for row in rows], device=scores.device)
    return torch.maximum(cutoffs, scores.amax(-1, keepdim=True) + floor)


def _nucleus(best: torch.Tensor, rows: Sequence[Sampling]) -> torch.Tensor:
    """(rows, 1): the last of the sorted scores `best` (rows, width) within a row's top-k and, of those, its top-p."""
    width = best.shape[-1]
    limits = torch.tensor([[row.top_k if 0 < row.top_k < width else width] for row in rows], device=best.device)
    shares = torch.tensor([[row.top_p] for row in rows], device=best.device, dtype=torch.float64)  # (rows, 1)
    # A running sum in float64 gives each prefix the same value however wide the neighbours' top-k makes this table.
    mass = (best - best[:, :1]).double().exp().cumsum(-1)  # (rows, width)
    total = mass.gather(-1, limits - 1)  # (rows, 1)
    before = mass.roll(1, -1)  # (rows, width): the mass of the likelier ones
    before[:, 0] = -1  # the likeliest token is always kept
    kept = (before < shares * total) & (torch.arange(width, device=best.device) < limits)  # (rows, width), bool
    return best.gather(-1, kept.sum(-1, keepdim=True) - 1)

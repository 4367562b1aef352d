"""What the language models' training has in common: the shape of a plan, and the loss. Knows no task.

A step takes several batches of rows: a batch holds rows of one length, so mostly of one family, and steps that saw only
one family at a time made the model forget the others.
"""

from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from training import loop
from training.text.corpus import Row, padded, weight

Batches = list[list[Row]]


@dataclass(frozen=True)
class Plan(loop.Plan):
    """As every plan, with the shape of the model and of a step: ``parts`` batches of ``tokens`` tokens."""

    minutes: float = 60
    width: int = 192
    heads: int = 6
    vocabulary: int = 3072
    layers: int = 4
    context: int = 512
    tokens: int = 1536
    parts: int = 2


class Trainer(loop.Trainer[Batches]):
    """A causal language model in training."""

    model: PreTrainedModel

    def backward(self, batch: Batches) -> tuple[float, int]:
        """The loss is the mean by weight over all parts of the step."""
        whole, total = sum(map(weight, batch)), 0.0
        for part in batch:
            loss = loss_of(self.model, part, self.plan.device, self.half) / whole
            loss.backward()
            total += float(loss.detach())
        return total, sum(len(row.ids) for part in batch for row in part)


def loss_of(model: PreTrainedModel, batch: list[Row], device: str, half: bool) -> torch.Tensor:
    """Summed cross-entropy of the next token, by weight; only places with a weight reach the output layer."""
    ids, weights = (torch.from_numpy(array).to(device) for array in padded(batch, 0))
    keep = weights[:, 1:].flatten().nonzero().squeeze(1)
    with torch.autocast(device, torch.bfloat16, enabled=half):
        hidden = model.transformer(input_ids=ids[:, :-1], use_cache=False)[0]
        logits = model.lm_head(hidden.flatten(0, 1)[keep])
    losses = torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:].flatten()[keep], reduction="none")
    return (losses * weights[:, 1:].flatten()[keep]).sum()

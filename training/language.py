"""The common part of the language models' training: the plan's shape and the loss. Knows no task.

A step takes several batches. A batch holds rows of similar length, so mostly of one family, and with one family a step
the model forgot the others.
"""

from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from training import loop
from training.text.corpus import Row, padded, weight

Batches = list[list[Row]]


@dataclass(frozen=True)
class Plan(loop.Plan):
    """A plan with the shape of the model and of a step: ``parts`` batches of at most ``tokens`` tokens."""

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
        """Accumulate the gradients of the weighted mean loss over all parts of the step."""
        total_weight, total = sum(map(weight, batch)), 0.0
        for part in batch:
            loss = summed_loss(self.model, part, self.plan.device, self.bfloat16) / total_weight
            loss.backward()
            total += float(loss.detach())
        return total, sum(len(row.ids) for part in batch for row in part)


def summed_loss(model: PreTrainedModel, batch: list[Row], device: str, bfloat16: bool) -> torch.Tensor:
    """The weighted sum of the next token's cross-entropy. Only positions with a weight reach the output layer."""
    ids, weights = (torch.from_numpy(array).to(device) for array in padded(batch, 0))  # both (rows, positions)
    keep = weights[:, 1:].flatten().nonzero().squeeze(1)  # (kept,): flat indices of weighted targets
    with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
        hidden = model.transformer(input_ids=ids[:, :-1], use_cache=False)[0]  # (rows, positions - 1, width)
        logits = model.lm_head(hidden.flatten(0, 1)[keep])  # (kept, vocabulary)
    losses = torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:].flatten()[keep], reduction="none")  # (kept,)
    return (losses * weights[:, 1:].flatten()[keep]).sum()

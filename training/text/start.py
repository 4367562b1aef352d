"""The first weights: positions as waves, and heads that begin as copiers. Knows the GPT-2 shape, not the data.

Copying ("after this word came that word") takes two layers of attention: one brings to each token the token before it,
the next looks for the place whose token before was the present one (Olsson et al. 2022, In-context Learning and
Induction Heads). From random weights a small model on a mixture of tasks finds this late, and labels, records and sums
all wait for it. So two heads of each of the first two layers begin that way, in the spirit of Trockman and Kolter 2023
(Mimetic Initialization): one pair for the last token and one for the last but one, as words have a space between them.
Everything stays free to change.
"""

import math

import torch
from transformers import GPT2LMHeadModel

TOKEN = 0.08  # spread of the token embeddings
WAVES, SIZE = 32, 0.1  # pairs of sine and cosine, in the first places of the embedding; the rest of it is the token's
FASTEST, SLOWEST = 2.5, 0.01  # radians a token
BACK, BRING, MATCH, COPY = 2.0, 0.35, 2.5, 0.8  # strengths: attend to the token before, carry it, find it, say it


def frequencies() -> torch.Tensor:
    return torch.logspace(math.log10(FASTEST), math.log10(SLOWEST), WAVES)


def waves(places: int, width: int) -> torch.Tensor:
    """Position embeddings (after Vaswani et al. 2017), places x width."""
    angles = torch.arange(places)[:, None] * frequencies()
    found = torch.zeros(places, width)
    found[:, : 2 * WAVES] = SIZE * torch.cat([angles.sin(), angles.cos()], dim=1)
    return found


def before(offset: int, size: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(query, key), width x size: the query is the key's wave turned back by ``offset`` tokens."""
    pairs, place = torch.arange(size // 2), 2 * torch.arange(size // 2)
    turn = frequencies()[pairs] * offset
    query, key = torch.zeros(width, size), torch.zeros(width, size)
    query[pairs, place], query[pairs + WAVES, place] = turn.cos(), -turn.sin()
    query[pairs, place + 1], query[pairs + WAVES, place + 1] = turn.sin(), turn.cos()
    key[pairs, place] = key[pairs + WAVES, place + 1] = 1
    return BACK * query, BACK * key


def rooms(width: int, size: int) -> list[torch.Tensor]:
    """Orthogonal subspaces of the token's part of the embedding, each width x size."""
    free = width - 2 * WAVES
    basis, _ = torch.linalg.qr(torch.randn(free, free))
    whole = torch.cat([torch.zeros(2 * WAVES, free), basis])
    return list(whole.split(size, dim=1))


def write(model: GPT2LMHeadModel) -> None:
    """Set the positions, and two heads of each of the first two layers where the model is large enough for it."""
    width, size = model.config.n_embd, model.config.n_embd // model.config.n_head
    if model.config.n_layer < 2 or width - 2 * WAVES < 4 * size:
        return
    model.transformer.wpe.weight.data.copy_(waves(model.config.n_positions, width))
    tokens = model.transformer.wte.weight.data
    tokens *= TOKEN / tokens.std()
    tokens[:, : 2 * WAVES] *= 0.1
    first, second, *_ = (block.attn for block in model.transformer.h)
    room = rooms(width, size)
    own, last, last_but_one = room[0], room[2], room[3]
    set_head(first, 0, *before(1, size, width), BRING * own, BRING * last)
    set_head(first, 1, *before(2, size, width), BRING * own, BRING * last_but_one)
    set_head(second, 0, MATCH * own, MATCH * last, COPY * room[0], COPY * room[0])
    set_head(second, 1, MATCH * last, MATCH * last_but_one, COPY * room[1], COPY * room[1])


def set_head(
    attention: torch.nn.Module,
    head: int,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    out: torch.Tensor,
) -> None:
    """Each matrix is width x size; ``out`` is written transposed."""
    width, size = query.shape
    columns = slice(head * size, (head + 1) * size)
    joint = attention.c_attn.weight.data
    joint[:, :width][:, columns], joint[:, width : 2 * width][:, columns] = query, key
    joint[:, 2 * width :][:, columns] = value
    attention.c_proj.weight.data[columns] = out.T

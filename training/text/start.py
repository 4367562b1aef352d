"""Weight initialisation: sinusoidal positions, and induction heads. Knows the GPT-2 shape, not the data.

Copying takes two layers of attention: the first carries to each token the one before it, the second attends to the
position whose previous token equals the current one (Olsson et al. 2022, In-context Learning and Induction Heads). From
random weights a small model on a mixture of tasks learns this late, and labels, records and sums depend on it. So two
heads of each of the first two layers are initialised to it, like Trockman and Kolter 2023 (Mimetic Initialization): one
pair for the last token and one for the last but one, because a space separates words. All weights are trained.
"""

import math

import torch
from transformers import GPT2LMHeadModel

TOKEN_STD = 0.08  # standard deviation of the token embeddings
FREQUENCIES, WAVE_AMPLITUDE = (
    32,
    0.1,
)  # sine-cosine pairs, in the first 2 * FREQUENCIES dimensions of the embedding; the others are the token's
FASTEST, SLOWEST = 2.5, 0.01  # radians per token
BACK, BRING, MATCH, COPY = 2.0, 0.35, 2.5, 0.8  # gains: attend to the previous token, carry it, match it, copy it


def frequencies() -> torch.Tensor:
    """(FREQUENCIES,), radians per token, log-spaced."""
    return torch.logspace(math.log10(FASTEST), math.log10(SLOWEST), FREQUENCIES)


def waves(positions: int, width: int) -> torch.Tensor:
    """Sinusoidal position embeddings (Vaswani et al. 2017): positions x width."""
    angles = torch.arange(positions)[:, None] * frequencies()  # (positions, FREQUENCIES)
    embeddings = torch.zeros(positions, width)
    embeddings[:, : 2 * FREQUENCIES] = WAVE_AMPLITUDE * torch.cat([angles.sin(), angles.cos()], dim=1)
    return embeddings


def previous_token_head(offset: int, size: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(query, key), both width x size: the query rotates the key's wave back by ``offset`` tokens."""
    pairs, even = torch.arange(size // 2), 2 * torch.arange(size // 2)
    turn = frequencies()[pairs] * offset
    query, key = torch.zeros(width, size), torch.zeros(width, size)
    query[pairs, even], query[pairs + FREQUENCIES, even] = turn.cos(), -turn.sin()
    query[pairs, even + 1], query[pairs + FREQUENCIES, even + 1] = turn.sin(), turn.cos()
    key[pairs, even] = key[pairs + FREQUENCIES, even + 1] = 1
    return BACK * query, BACK * key


def subspaces(width: int, size: int) -> list[torch.Tensor]:
    """Orthonormal bases of subspaces of the token's dimensions, each width x size."""
    free = width - 2 * FREQUENCIES
    basis, _ = torch.linalg.qr(torch.randn(free, free))
    whole = torch.cat([torch.zeros(2 * FREQUENCIES, free), basis])
    return list(whole.split(size, dim=1))


def write(model: GPT2LMHeadModel) -> None:
    """Set the position embeddings and two heads of each of the first two layers. Leaves a smaller model unchanged."""
    width, size = model.config.n_embd, model.config.n_embd // model.config.n_head
    if model.config.n_layer < 2 or width - 2 * FREQUENCIES < 4 * size:
        return
    model.transformer.wpe.weight.data.copy_(waves(model.config.n_positions, width))
    tokens = model.transformer.wte.weight.data
    tokens *= TOKEN_STD / tokens.std()
    tokens[:, : 2 * FREQUENCIES] *= 0.1
    first, second, *_ = (block.attn for block in model.transformer.h)
    subspace = subspaces(width, size)
    own, last, last_but_one = subspace[0], subspace[2], subspace[3]
    set_head(first, 0, *previous_token_head(1, size, width), BRING * own, BRING * last)
    set_head(first, 1, *previous_token_head(2, size, width), BRING * own, BRING * last_but_one)
    set_head(second, 0, MATCH * own, MATCH * last, COPY * subspace[0], COPY * subspace[0])
    set_head(second, 1, MATCH * last, MATCH * last_but_one, COPY * subspace[1], COPY * subspace[1])


def set_head(
    attention: torch.nn.Module,
    head: int,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    out: torch.Tensor,
) -> None:
    """Set one attention head. Each matrix is width x size; ``out`` is written transposed."""
    width, size = query.shape
    columns = slice(head * size, (head + 1) * size)
    joint = attention.c_attn.weight.data
    joint[:, :width][:, columns], joint[:, width : 2 * width][:, columns] = query, key
    joint[:, 2 * width :][:, columns] = value
    attention.c_proj.weight.data[columns] = out.T

"""The codec between samples and codes: an EnCodec whose layers are a lapped cosine transform. Knows no captions.

250 samples (31 ms) become one frame. Each strided convolution is a modified discrete cosine transform (Princen &
Bradley 1987), whose window is twice its step as in EnCodec: first into 25 bands, then each band over ten of its values.
The transposed convolutions are its inverse. What varies most of the 250 coefficients goes to the codebooks, which are
learnt (codebooks.py). Signals pass the activations so small that these are nearly straight there, and the LSTMs add
nothing.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from transformers import EncodecConfig, EncodecModel

from training.audio import clips, codebooks
from training.audio.synthesis import FRAME, RATE

BANDS, LATER = 25, 10
STEPS = (BANDS, 1, 1, LATER)
"""Of the strided convolutions. An EnCodec doubles its channels with each: two that pass on what they get make room."""
SMALL, AT_ONCE = 0.01, 16
"""What a signal is multiplied by before the activations; sounds to decode at once."""
SOFTEST, COUNT = 0.05, 1.7
"""A frame counts by one over its size, plus the one, to the power of the other."""


@dataclass(frozen=True)
class Plan:
    """The codec's shape, and how many ``sounds`` it is fitted to."""

    filters: int = 16
    width: int = 128
    books: int = 7
    codes: int = 512
    sounds: int = 900
    seed: int = 1


def new_model(plan: Plan) -> EncodecModel:
    """With random weights."""
    torch.manual_seed(plan.seed)
    bits = plan.books * (plan.codes.bit_length() - 1) * math.ceil(RATE / FRAME)
    config = EncodecConfig(
        sampling_rate=RATE,
        upsampling_ratios=list(reversed(STEPS)),
        num_filters=plan.filters,
        kernel_size=1,
        last_kernel_size=1,
        num_residual_layers=0,
        num_lstm_layers=1,
        hidden_size=plan.width,
        codebook_size=plan.codes,
        codebook_dim=plan.width,
        target_bandwidths=[bits / 1000],
        use_causal_conv=False,
    )
    return EncodecModel(config).eval()


def fitted(plan: Plan) -> EncodecModel:
    """The transform, the coefficients that vary most, and codebooks for them."""
    model = new_model(plan)
    write_transform(model)
    sounds = np.stack([samples for _, samples in clips.rendered(f"codec {plan.seed}", plan.sounds)])
    frames = coefficients(torch.from_numpy(sounds)).transpose(1, 2).flatten(0, 1)
    weights = (frames.norm(dim=1) + SOFTEST) ** -COUNT
    _, _, directions = torch.linalg.svd((frames * weights[:, None]).T @ frames)
    kept = directions[: plan.width]
    write_directions(model, kept)
    codebooks.fill(model, frames @ kept.T, weights, plan.seed)
    return model


def cosines(size: int) -> torch.Tensor:
    """The transform's rows (size x 2 size), of length 1, under a window of half a sine."""
    n, k = np.arange(2 * size), np.arange(size)[:, None]
    rows = np.cos(np.pi / size * (n + 0.5 + size / 2) * (k + 0.5)) * np.sin(np.pi * (n + 0.5) / (2 * size))
    return torch.from_numpy(rows * np.sqrt(2 / size)).float()


def write_transform(model: EncodecModel) -> None:
    """Into all layers but those next to the codebooks."""
    first, *down = (layer.conv for layer in model.encoder.layers[: 2 * len(STEPS) + 1 : 2])
    *up, last = (layer.conv for layer in model.decoder.layers[3 : 2 * len(STEPS) + 4 : 2])
    samples = torch.zeros_like(first.weight)
    samples[0, 0, 0] = 1
    _write(first, samples * SMALL)
    _write(last, samples.transpose(0, 1) / SMALL)
    for into, out, step in zip(down, reversed(up), STEPS, strict=True):
        weight = torch.zeros_like(into.weight)
        if step == 1:
            weight[range(BANDS), range(BANDS), 1] = 1
        elif step == BANDS:
            weight[:BANDS, 0] = cosines(BANDS)
        else:
            for band in range(BANDS):
                weight[band * LATER : (band + 1) * LATER, band] = cosines(LATER)
        _write(into, weight)
        _write(out, weight)
    for part in (model.encoder, model.decoder):
        for parameter in next(layer for layer in part.layers if hasattr(layer, "lstm")).parameters():
            parameter.data.zero_()


def write_directions(model: EncodecModel, directions: torch.Tensor) -> None:
    """Into the layers next to the codebooks: which sums of coefficients (width x FRAME) are kept."""
    into, out = model.encoder.layers[-1].conv, model.decoder.layers[0].conv
    weights = torch.zeros_like(into.weight)
    weights[:, :FRAME, 0] = directions
    _write(into, weights / SMALL)
    _write(out, weights.transpose(0, 1) * SMALL)


def _write(layer: nn.Module, weight: torch.Tensor) -> None:
    """As a direction and a length (weight normalisation); the direction of nothing is any."""
    normed = layer.parametrizations.weight
    length = weight.flatten(1).norm(dim=1).view(normed.original0.shape)
    with torch.no_grad():
        normed.original0.copy_(length)
        normed.original1.copy_(torch.where(length > 0, weight / length.clamp(min=1e-12), torch.ones_like(weight)))
        layer.bias.zero_()


def coefficients(sounds: torch.Tensor) -> torch.Tensor:
    """Of the transform (sounds x FRAME x frames), from sounds x samples: what the encoder's layers say, without those
    of their channels that are empty. Many times as quick."""
    bands = _convolved(sounds[:, None], cosines(BANDS)[:, None], BANDS, 1)
    return _convolved(bands, cosines(LATER).repeat(BANDS, 1)[:, None], LATER, BANDS)


def _convolved(values: torch.Tensor, weight: torch.Tensor, step: int, groups: int) -> torch.Tensor:
    padded = nn.functional.pad(values, (step - step // 2, step // 2), mode="reflect")
    return nn.functional.conv1d(padded, weight, stride=step, groups=groups)


@torch.no_grad()
def encoded(model: EncodecModel, sounds: torch.Tensor) -> torch.Tensor:
    """Codes (sounds x codebooks x frames) of sounds x samples."""
    into = model.encoder.layers[-1].conv.weight[:, :FRAME, 0] * SMALL
    return model.quantizer.encode(into @ coefficients(sounds)).transpose(0, 1)


@torch.no_grad()
def sounded(model: EncodecModel, codes: torch.Tensor) -> torch.Tensor:
    """As `decoded`, without the decoder's empty channels: many times as quick. The last codebooks may be missing."""
    out = model.decoder.layers[0].conv.weight[:FRAME, :, 0] / SMALL
    bands = _restored(
        out @ model.quantizer.decode(codes.transpose(0, 1)), cosines(LATER).repeat(BANDS, 1), LATER, BANDS
    )
    return _restored(bands, cosines(BANDS), BANDS, 1)[:, 0]


def _restored(values: torch.Tensor, rows: torch.Tensor, step: int, groups: int) -> torch.Tensor:
    found = nn.functional.conv_transpose1d(values, rows[:, None], stride=step, groups=groups)
    return found[..., step - step // 2 : found.shape[-1] - step // 2]


@torch.no_grad()
def decoded(model: EncodecModel, codes: torch.Tensor) -> torch.Tensor:
    """Sounds x samples."""
    return torch.cat([model.decode(part[None], [None]).audio_values[:, 0] for part in codes.split(AT_ONCE)])


def spectrum(sounds: torch.Tensor, window: int) -> torch.Tensor:
    """Magnitudes (sounds x places x windows), of which a sine's highest is its amplitude."""
    shape = torch.hann_window(window)
    found = torch.stft(sounds, window, window // 4, window=shape, return_complex=True)
    return found.abs() / (shape.sum() / 2)

"""The codec between samples and codes: an EnCodec whose weights are a lapped cosine transform. Knows no captions.

250 samples (31 ms) become one frame. Each strided convolution is a modified discrete cosine transform (MDCT; Princen &
Bradley 1987) with a window of twice its stride, as in EnCodec: first into 25 bands, then each band over ten values. The
transposed convolutions are its inverse. The principal directions of the 250 coefficients go to the codebooks, which are
fitted (codebooks.py). Signals are scaled down so that the activations (ELU) are nearly linear, and the LSTMs add zero.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from transformers import EncodecConfig, EncodecModel

from training.audio import clips, codebooks
from training.audio.synthesis import FRAME, RATE

BANDS, SUBBANDS = 25, 10
STRIDES = (BANDS, 1, 1, SUBBANDS)
"""Strides of the convolutions. An EnCodec doubles its channels with each; two of stride 1 only add channels."""
INPUT_SCALE, DECODE_BATCH = 0.01, 16
"""The factor on signals before the activations; the batch size of `decode`."""
WEIGHT_FLOOR, WEIGHT_POWER = 0.05, 1.7
"""A frame's weight is (norm + WEIGHT_FLOOR) ** -WEIGHT_POWER."""


@dataclass(frozen=True)
class Plan:
    """The codec's shape, and the number of ``sounds`` that it is fitted to."""

    filters: int = 16
    width: int = 128
    books: int = 7
    codes: int = 512
    sounds: int = 900
    seed: int = 1


def new_model(plan: Plan) -> EncodecModel:
    """An EnCodec of the plan's shape with random weights."""
    torch.manual_seed(plan.seed)
    bits = plan.books * (plan.codes.bit_length() - 1) * math.ceil(RATE / FRAME)
    config = EncodecConfig(
        sampling_rate=RATE,
        upsampling_ratios=list(reversed(STRIDES)),
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


def fit(plan: Plan) -> EncodecModel:
    """A codec with the transform, the principal directions of its coefficients, and codebooks for them."""
    model = new_model(plan)
    write_transform(model)
    sounds = np.stack(
        [samples for _, samples in clips.rendered(f"codec {plan.seed}", plan.sounds)]
    )  # (sounds, samples)
    frames = coefficients(torch.from_numpy(sounds)).transpose(1, 2).flatten(0, 1)  # (all frames, FRAME)
    weights = (frames.norm(dim=1) + WEIGHT_FLOOR) ** -WEIGHT_POWER  # (all frames,)
    _, _, directions = torch.linalg.svd((frames * weights[:, None]).T @ frames)
    kept = directions[: plan.width]  # (width, FRAME)
    write_directions(model, kept)
    codebooks.fill(model, frames @ kept.T, weights, plan.seed)
    return model


def mdct_rows(size: int) -> torch.Tensor:
    """The MDCT's orthonormal rows under a sine window (Princen & Bradley 1987): size x 2 size, float32."""
    n, k = np.arange(2 * size), np.arange(size)[:, None]
    rows = np.cos(np.pi / size * (n + 0.5 + size / 2) * (k + 0.5)) * np.sin(np.pi * (n + 0.5) / (2 * size))
    return torch.from_numpy(rows * np.sqrt(2 / size)).float()


def write_transform(model: EncodecModel) -> None:
    """Set all layers but those next to the codebooks to the transform and its inverse; zero the LSTMs."""
    first, *down = (layer.conv for layer in model.encoder.layers[: 2 * len(STRIDES) + 1 : 2])
    *up, last = (layer.conv for layer in model.decoder.layers[3 : 2 * len(STRIDES) + 4 : 2])
    samples = torch.zeros_like(first.weight)
    samples[0, 0, 0] = 1
    _write(first, samples * INPUT_SCALE)
    _write(last, samples.transpose(0, 1) / INPUT_SCALE)
    for into, out, step in zip(down, reversed(up), STRIDES, strict=True):
        weight = torch.zeros_like(into.weight)
        if step == 1:
            weight[range(BANDS), range(BANDS), 1] = 1
        elif step == BANDS:
            weight[:BANDS, 0] = mdct_rows(BANDS)
        else:
            for band in range(BANDS):
                weight[band * SUBBANDS : (band + 1) * SUBBANDS, band] = mdct_rows(SUBBANDS)
        _write(into, weight)
        _write(out, weight)
    for part in (model.encoder, model.decoder):
        for parameter in next(layer for layer in part.layers if hasattr(layer, "lstm")).parameters():
            parameter.data.zero_()


def write_directions(model: EncodecModel, directions: torch.Tensor) -> None:
    """Set the layers next to the codebooks to a projection and its transpose; `directions` are width x FRAME."""
    into, out = model.encoder.layers[-1].conv, model.decoder.layers[0].conv
    weights = torch.zeros_like(into.weight)
    weights[:, :FRAME, 0] = directions
    _write(into, weights / INPUT_SCALE)
    _write(out, weights.transpose(0, 1) * INPUT_SCALE)


def _write(layer: nn.Module, weight: torch.Tensor) -> None:
    """Set a weight-normalised layer (Salimans & Kingma 2016) to `weight`; a zero row gets any direction."""
    normed = layer.parametrizations.weight
    length = weight.flatten(1).norm(dim=1).view(normed.original0.shape)
    with torch.no_grad():
        normed.original0.copy_(length)
        normed.original1.copy_(torch.where(length > 0, weight / length.clamp(min=1e-12), torch.ones_like(weight)))
        layer.bias.zero_()


def coefficients(sounds: torch.Tensor) -> torch.Tensor:
    """The transform's coefficients: sounds x FRAME x frames, from sounds x samples.

    The same numbers as the encoder's layers, without their empty channels, many times faster.
    """
    bands = _forward_mdct(sounds[:, None], mdct_rows(BANDS)[:, None], BANDS, 1)
    return _forward_mdct(bands, mdct_rows(SUBBANDS).repeat(BANDS, 1)[:, None], SUBBANDS, BANDS)


def _forward_mdct(values: torch.Tensor, weight: torch.Tensor, step: int, groups: int) -> torch.Tensor:
    padded = nn.functional.pad(values, (step - step // 2, step // 2), mode="reflect")
    return nn.functional.conv1d(padded, weight, stride=step, groups=groups)


@torch.no_grad()
def encode(model: EncodecModel, sounds: torch.Tensor) -> torch.Tensor:
    """Codes: sounds x codebooks x frames, int64, from sounds x samples."""
    into = model.encoder.layers[-1].conv.weight[:, :FRAME, 0] * INPUT_SCALE
    return model.quantizer.encode(into @ coefficients(sounds)).transpose(0, 1)


@torch.no_grad()
def decode_fast(model: EncodecModel, codes: torch.Tensor) -> torch.Tensor:
    """Sounds x samples from sounds x codebooks x frames, as `decode`, without the decoder's empty channels: many times
    faster. The last codebooks may be missing."""
    out = model.decoder.layers[0].conv.weight[:FRAME, :, 0] / INPUT_SCALE
    bands = _inverse_mdct(
        out @ model.quantizer.decode(codes.transpose(0, 1)), mdct_rows(SUBBANDS).repeat(BANDS, 1), SUBBANDS, BANDS
    )
    return _inverse_mdct(bands, mdct_rows(BANDS), BANDS, 1)[:, 0]


def _inverse_mdct(values: torch.Tensor, rows: torch.Tensor, step: int, groups: int) -> torch.Tensor:
    output = nn.functional.conv_transpose1d(values, rows[:, None], stride=step, groups=groups)
    return output[..., step - step // 2 : output.shape[-1] - step // 2]


@torch.no_grad()
def decode(model: EncodecModel, codes: torch.Tensor) -> torch.Tensor:
    """Sounds x samples, from sounds x codebooks x frames, by the model's own decoder."""
    return torch.cat([model.decode(part[None], [None]).audio_values[:, 0] for part in codes.split(DECODE_BATCH)])


def spectrum(sounds: torch.Tensor, window_size: int) -> torch.Tensor:
    """Magnitudes: sounds x bins x windows; a sine's peak is its amplitude. `window_size` is in samples."""
    window_values = torch.hann_window(window_size)
    stft = torch.stft(sounds, window_size, window_size // 4, window=window_values, return_complex=True)
    return stft.abs() / (window_values.sum() / 2)

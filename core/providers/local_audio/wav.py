"""Samples as a WAV file: 16-bit PCM, mono. Knows nothing of models."""

from __future__ import annotations

import io
import wave

import torch

PEAK = 32_767
"""The loudest value of a 16-bit sample."""


def written(samples: torch.Tensor, rate: int) -> bytes:
    """(samples,) numbers from -1 to 1 as a file of `rate` samples a second; what lies outside is cut off."""
    whole = (samples.float().cpu().clamp(-1, 1) * PEAK).round().to(torch.int16)
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(whole.numpy().astype("<i2").tobytes())
    return made.getvalue()

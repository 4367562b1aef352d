"""Samples as a WAV file: 16-bit PCM, mono. Knows nothing of models."""

from __future__ import annotations

import io
import wave

import torch

PEAK = 32_767
"""The loudest value of a 16-bit sample."""


def encode(samples: torch.Tensor, sampling_rate: int) -> bytes:
    """(samples,) numbers from -1 to 1 as a file of `sampling_rate` samples a second; what lies outside is cut off."""
    whole = (samples.float().cpu().clamp(-1, 1) * PEAK).round().to(torch.int16)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)  # bytes
        writer.setframerate(sampling_rate)
        writer.writeframes(whole.numpy().astype("<i2").tobytes())
    return file.getvalue()

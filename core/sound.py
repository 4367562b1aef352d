"""A WAV file as numbers: its samples, their outline, and its spectrogram.

Knows nothing of models or pages. Only 16-bit PCM is read, which is what Diptych's own models write.
"""

from __future__ import annotations

import io
import wave
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput

Numbers: TypeAlias = npt.NDArray[np.float32]
WINDOW, LOWEST_DB = 1024, -80.0
"""Samples of one window of the spectrogram; decibels below the loudest, from which on all is silence."""


def samples(file: bytes) -> tuple[Numbers, int]:
    """(samples from -1 to 1, samples a second) of a WAV file; the channels' mean where there are several.

    Raises:
        InvalidInput: it is no WAV file with 16-bit samples.
    """
    try:
        with wave.open(io.BytesIO(file)) as opened:
            if opened.getsampwidth() != 2:
                raise InvalidInput("Only WAV files with 16-bit samples are read.")
            channels, rate = opened.getnchannels(), opened.getframerate()
            interleaved = np.frombuffer(opened.readframes(opened.getnframes()), dtype="<i2")
    except (wave.Error, EOFError):
        raise InvalidInput("This is not a WAV file that can be read.") from None
    frames = interleaved[: len(interleaved) // channels * channels].reshape(-1, channels)  # (samples, channels), int16
    return (frames.mean(axis=1) / 32768).astype(np.float32), rate


def seconds(file: bytes) -> float:
    """How long a WAV file plays; raises as `samples`."""
    waveform, rate = samples(file)
    return len(waveform) / rate


def outline(waveform: Numbers, parts: int = 400) -> tuple[Numbers, Numbers]:
    """(lowest, highest) sample of each of at most `parts` equal stretches of a (samples,) wave form."""
    cuts = np.array_split(waveform, min(parts, max(1, len(waveform)))) if len(waveform) else []
    low, high = [part.min() for part in cuts], [part.max() for part in cuts]
    return np.array(low, dtype=np.float32), np.array(high, dtype=np.float32)


def spectrogram(waveform: Numbers, rate: int, columns: int = 90, rows: int = 48) -> tuple[Numbers, Numbers, Numbers]:
    """(seconds of each column, hertz of each row's lower edge, decibels below the loudest: rows x columns).

    Short-time Fourier transform with a Hann window; the rows are spread evenly over the logarithm of pitch from 60 Hz
    up, as an ear hears it.
    """
    window = min(WINDOW, max(16, len(waveform)))  # samples
    padded = np.pad(waveform, (0, max(0, window - len(waveform))))
    starts = np.linspace(0, len(padded) - window, columns).astype(int)  # (columns,)
    windows = np.stack([padded[start : start + window] for start in starts]) * np.hanning(window)  # (columns, window)
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2  # (columns, window // 2 + 1)
    edges = np.geomspace(min(60.0, rate / 8), rate / 2, rows + 1)  # hertz
    bins = np.clip(np.round(edges * window / rate).astype(int), 0, power.shape[1] - 1)
    bands = np.stack(
        [power[:, low : max(high, low + 1)].max(axis=1) for low, high in pairwise(bins)]
    )  # (rows, columns)
    loudest = bands.max() or 1.0
    decibels = 10 * np.log10(np.maximum(bands / loudest, 10 ** (LOWEST_DB / 10)))
    times = starts / rate
    return times.astype(np.float32), edges[:-1].astype(np.float32), decibels.astype(np.float32)

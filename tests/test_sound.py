"""A WAV file as numbers: samples, outline and spectrogram."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from core import sound
from core.errors import InvalidInput
from tests.support.fakes import tone


def test_a_tone_is_read_as_it_was_written() -> None:
    found, rate = sound.samples(tone(440, 0.5, 8000))
    assert (len(found), rate) == (4000, 8000)
    assert 0.45 < float(np.abs(found).max()) <= 0.5
    assert sound.seconds(tone(440, 0.5, 8000)) == 0.5


def test_the_outline_holds_every_peak() -> None:
    found, _ = sound.samples(tone(100, 1.0, 8000))
    low, high = sound.outline(found, 50)
    assert len(low) == len(high) == 50
    assert low.min() == found.min()
    assert high.max() == found.max()
    assert (low <= high).all()
    assert [len(part) for part in sound.outline(np.zeros(0, np.float32))] == [0, 0]


@pytest.mark.parametrize("pitch", [220, 880, 2500])
def test_the_spectrogram_is_loudest_at_the_pitch(pitch: int) -> None:
    found, rate = sound.samples(tone(pitch, 1.0, 16000))
    times, hertz, decibels = sound.spectrogram(found, rate)
    assert decibels.shape == (len(hertz), len(times))
    assert decibels.max() == 0
    assert decibels.min() >= sound.LOWEST_DB
    loudest = int(decibels.mean(axis=1).argmax())
    assert hertz[loudest] / 1.15 <= pitch <= hertz[min(loudest + 1, len(hertz) - 1)] * 1.15


@pytest.mark.parametrize("count", [0, 1, 100])
def test_a_very_short_sound_has_a_spectrogram_too(count: int) -> None:
    times, hertz, decibels = sound.spectrogram(np.zeros(count, np.float32), 16000)
    assert decibels.shape == (len(hertz), len(times))
    assert np.isfinite(decibels).all()


def test_two_channels_become_their_mean() -> None:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.array([[16384, 0], [0, -16384]], dtype="<i2").tobytes())
    assert sound.samples(made.getvalue())[0].tolist() == [0.25, -0.25]


@pytest.mark.parametrize(
    "file", [b"", b"RIFF", b"\x89PNG\r\n\x1a\n", tone(440, 0.1, 8000)[:30], b"RIFF" + b"\xff" * 60]
)
def test_what_is_no_wav_file_is_refused_in_a_sentence(file: bytes) -> None:
    with pytest.raises(InvalidInput, match="WAV"):
        sound.samples(file)


def test_other_sample_widths_are_refused() -> None:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(b"\x80\x90")
    with pytest.raises(InvalidInput, match="16-bit"):
        sound.samples(made.getvalue())

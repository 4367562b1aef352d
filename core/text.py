"""Quantities for a person: bytes and seconds. Knows nothing else."""

from __future__ import annotations


def in_words(count: int) -> str:
    """Bytes in decimal units, as file sizes are given: 2.6 GB, 548 MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def duration(seconds: float) -> str:
    """Seconds, roughly: 40 s, 6 min or 1.5 h."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

"""What an answer took, in words: time, tokens, speed and money."""

from __future__ import annotations

from core.experiment.estimate import throughput_in_words
from core.text import money
from core.types import Output


def footer(output: Output, unit: str = "tokens") -> str:
    """Time, tokens (or what else the model's output is counted in), speed and cost of one answer."""
    count = f"{output.output_tokens} {unit}"
    if unit != "tokens":
        speed = (
            f" · {throughput_in_words(output.output_tokens, output.seconds, unit)}"
            if output.seconds * output.output_tokens
            else ""
        )
        return f"{output.seconds:.1f} s · {count}{speed}"
    speed = f" · {output.output_tokens / output.seconds:.0f} tok/s" if output.seconds > 0 else ""
    thought = f" ({output.thought_tokens} of them thinking)" if output.thought_tokens else ""
    return f"{output.seconds:.2f} s · {count}{thought}{speed}{_price(output)}"


def _price(output: Output) -> str:
    """The cost of a remote model's answer, or that it is not known; nothing for one made here."""
    return f" · {money(output.cost)}" if "host" in output.provenance else ""

"""How much quicker a batch is than the same requests one by one, on the built-in model.

    python -m benchmarks.batching [--tokens 48] [--rounds 3]

Batch sizes take turns within each round, so that a slow moment of the machine hits all of them; medians are printed.
"""

from __future__ import annotations

import argparse
import statistics
import time

from core import device
from core.catalog import spec
from core.providers import Model, open_model
from core.settings import settings
from core.types import Finished, Message, Request

SIZES = (1, 4, 8, 16)
REQUESTS = 16


def requests(tokens: int) -> list[Request]:
    """Prompts of the same length that never end by themselves before the limit matters."""
    parameters = {"max_new_tokens": tokens, "temperature": 1.0, "top_k": 0, "top_p": 1.0}
    prompt = (Message("user", "Tell me a story about a fox."),)
    return [Request(messages=prompt, parameters=parameters, seed=seed) for seed in range(REQUESTS)]


def speed(model: Model, asked: list[Request], size: int) -> float:
    """Generated tokens per second when `asked` is answered in batches of `size`."""
    began, tokens = time.perf_counter(), 0
    for first in range(0, len(asked), size):
        for event in model.generate(asked[first : first + size], lambda index: False):
            if isinstance(event, Finished):
                tokens += event.output.output_tokens
    return tokens / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    model = open_model(spec("tiny-text"), settings())
    asked = requests(wanted.tokens)
    speed(model, asked[:2], 2)
    rounds = [{size: speed(model, asked, size) for size in SIZES} for _ in range(wanted.rounds)]
    print(f"{REQUESTS} answers of up to {wanted.tokens} tokens on {device.choose(settings()).reason}\n")
    print("| batch | tokens/s | ratio to one by one |\n|---|---|---|")
    for size in SIZES:
        ratio = statistics.median(one[size] / one[1] for one in rounds)
        print(f"| {size} | {statistics.median(one[size] for one in rounds):.0f} | {ratio:.1f} |")
    model.close()


if __name__ == "__main__":
    main()

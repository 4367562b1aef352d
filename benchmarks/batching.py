"""Throughput of the built-in model by batch size, against the same requests one by one.

    python -m benchmarks.batching [--tokens 48] [--rounds 3]

Every round measures every batch size, so that a slow moment of the machine affects all of them. Prints medians.
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


def make_requests(tokens: int) -> list[Request]:
    """REQUESTS requests with one prompt and different seeds, each of at most `tokens` tokens."""
    parameters = {"max_new_tokens": tokens, "temperature": 1.0, "top_k": 0, "top_p": 1.0}
    prompt = (Message("user", "Tell me a story about a fox."),)
    return [Request(messages=prompt, parameters=parameters, seed=seed) for seed in range(REQUESTS)]


def throughput(model: Model, requests: list[Request], size: int) -> float:
    """Generated tokens per second when the requests are answered in batches of `size`."""
    start, tokens = time.perf_counter(), 0
    for first in range(0, len(requests), size):
        for event in model.generate(requests[first : first + size], lambda index: False):
            if isinstance(event, Finished):
                tokens += event.output.output_tokens
    return tokens / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    model = open_model(spec("tiny-text"), settings())
    requests = make_requests(options.tokens)
    throughput(model, requests[:2], 2)  # warm-up
    rounds = [{size: throughput(model, requests, size) for size in SIZES} for _ in range(options.rounds)]
    print(f"{REQUESTS} answers of up to {options.tokens} tokens on {device.choose(settings()).reason}\n")
    print("| batch | tokens/s | ratio to one by one |\n|---|---|---|")
    for size in SIZES:
        ratio = statistics.median(by_size[size] / by_size[1] for by_size in rounds)
        print(f"| {size} | {statistics.median(by_size[size] for by_size in rounds):.0f} | {ratio:.1f} |")
    model.close()


if __name__ == "__main__":
    main()

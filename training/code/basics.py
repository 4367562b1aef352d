"""Well-known small functions, each with several names, wordings and bodies. The split is by function, name, wording."""

import random
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from training.code.task import Task, argument_name

FILE = Path(__file__).with_suffix(".toml")


@cache
def functions() -> list[dict[str, Any]]:
    """Each has ``names``, ``arguments`` (with alternatives), ``words``, ``bodies`` and ``checks`` (literal text)."""
    entries: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["function"]
    return entries


def make(rng: random.Random) -> Task:
    function = rng.choice(functions())
    name, words = rng.choice(function["names"]), rng.choice([*function["words"], *function.get("orders", ())])
    arguments = [argument_name(rng, names.split("/")) for names in function["arguments"]]
    if len({*arguments, name}) <= len(arguments):
        return make(rng)
    body = rng.choice(function["bodies"]).replace("@name", name)
    phrase = words
    for index, argument in enumerate(arguments):
        body, phrase = body.replace(f"@{index}", argument), phrase.replace(f"@{index}", argument)
    checks = tuple((tuple(given), expected) for given, expected in map(literal, function["checks"]))
    key = f"basic {function['names'][0]} / {name} / {words}"
    mood = "order" if words in function.get("orders", ()) else function.get("mood", "value")
    hints = (*function["hints"],)
    lines = tuple(body.strip("\n").split("\n"))
    return Task((key,), name, tuple(arguments), hints, phrase, lines, checks, mood)


def literal(text: str) -> tuple[list[Any], Any]:
    """ "3, 4 -> 7" as ([3, 4], 7)."""
    import ast

    given, expected = text.split(" -> ")
    return list(ast.literal_eval(f"({given},)")), ast.literal_eval(expected)

"""Sources of items: a list, a range, the digits of a number, the words of a text, a file. Knows no skill."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

WORDS = [
    "apple",
    "Banana",
    "cat",
    "dog",
    "level",
    "river",
    "STONE",
    "tree",
    "Anna",
    "42",
    "7",
    "cloud",
    "noon",
    "Paris",
    "red",
    "green",
    "blue",
    "kayak",
    "sun",
    "moon",
    "Tokyo",
    "a",
    "be",
    "2024",
    "otter",
]
TEXTS = ("Hello World 42", "the quick brown Fox", "aAbB 12", "Level up, Anna", "no vowels hr3", "banana", "A b C")
FEW, MANY = (2, 3, 5), (2, 3, 4, 5, 7, 10)


@dataclass(frozen=True)
class Source:
    """``nouns`` name the items and ``of`` says where they are ("in a list"); ``code`` and ``lead`` get them.

    {a} is the argument's name and {x} the item's. ``given`` draws an argument, ``items`` tells its items.
    """

    kind: str
    nouns: tuple[str, ...]
    of: tuple[str, ...]
    names: tuple[str, ...]
    hint: str
    item: tuple[str, ...]
    code: str
    given: Callable[[random.Random], Any]
    items: Callable[[Any], Iterable[Any]]
    lead: tuple[str, ...] = ()
    test: str = ""
    convert: str = ""
    reads_file: bool = False
    weight: float = 1.0


def numbers(rng: random.Random) -> list[int]:
    return [rng.randint(-12, 20) for _ in range(rng.choice((0, 4, 5, 6, 8)))]


def words(rng: random.Random) -> list[str]:
    return [rng.choice(WORDS) for _ in range(rng.choice((0, 4, 5, 7)))]


def text(rng: random.Random) -> str:
    return rng.choice((*TEXTS, ""))


X, N, W, C = (
    ("x", "n", "number", "value", "num"),
    ("i", "n", "number"),
    ("word", "w", "s", "item"),
    ("c", "char", "ch", "letter"),
)
LIST_NAMES = ("numbers", "nums", "values", "xs", "items", "data", "integers", "lst", "elements", "arr", "scores")

NUMBER_SOURCES = (
    Source(
        "number",
        ("numbers", "values", "elements", "integers"),
        ("in a list", "in {a}", "of a list", "in the list", ""),
        LIST_NAMES,
        "list[int]",
        X,
        "{a}",
        numbers,
        list,
        weight=8,
    ),
    Source(
        "number",
        ("numbers", "integers"),
        ("from 1 to {a}", "from 1 up to {a}", "between 1 and {a}"),
        ("n", "limit", "m", "end", "count"),
        "int",
        N,
        "range(1, {a} + 1)",
        lambda rng: rng.randint(0, 15),
        lambda n: [i + 1 for i in range(n)],
        weight=2,
    ),
    Source(
        "number",
        ("numbers", "integers"),
        ("below {a}", "from 0 to {a} - 1"),
        ("n", "limit", "m", "stop"),
        "int",
        N,
        "range({a})",
        lambda rng: rng.randint(0, 15),
        lambda n: [i for i in range(100) if i < n],
        weight=1,
    ),
    Source(
        "number",
        ("digits",),
        ("of {a}", "of a number", "of an integer"),
        ("n", "number", "num", "value"),
        "int",
        ("d", "digit"),
        "map(int, str({a}))",
        lambda rng: rng.randint(0, 99999),
        lambda n: [ord(c) - 48 for c in str(n)],
        weight=1.5,
    ),
    Source(
        "number",
        ("divisors", "factors"),
        ("of {a}", "of a number"),
        ("n", "number", "num"),
        "int",
        ("d", "i"),
        "range(1, {a} + 1)",
        lambda rng: rng.randint(1, 60),
        lambda n: [d for d in range(1, 99) if n / d == int(n / d)],
        test="{a} % {x} == 0",
        weight=1.5,
    ),
    Source(
        "number",
        ("values",),
        ("of a dictionary", "of {a}", "in a dictionary"),
        ("d", "mapping", "data", "table", "counts"),
        "dict[str, int]",
        ("value", "v", "x"),
        "{a}.values()",
        lambda rng: dict(zip("abcdefgh", numbers(rng), strict=False)),
        lambda d: [d[k] for k in d],
        weight=1.5,
    ),
    Source(
        "number",
        ("numbers", "values"),
        ("in a list of lists", "in a matrix", "in all rows of {a}"),
        ("matrix", "rows", "grid", "table"),
        "list[list[int]]",
        X,
        "values",
        lambda rng: [numbers(rng), numbers(rng)],
        lambda m: [x for row in m for x in row],
        lead=("values = [value for row in {a} for value in row]",),
        weight=0.8,
    ),
    Source(
        "number",
        ("numbers", "integers"),
        ("in a file, one on each line", "in the file {a}, one on each line"),
        ("path", "filename", "file_name"),
        "str",
        X,
        "numbers",
        lambda rng: "".join(f"{n}\n" for n in numbers(rng)),
        lambda t: [int(p) for p in t.split()],
        lead=("with open({a}) as file:", "    numbers = [int(line) for line in file]"),
        reads_file=True,
        weight=1,
    ),
)

WORD_SOURCES = (
    Source(
        "word",
        ("words", "strings", "names"),
        ("in a list", "in {a}", "of a list", ""),
        ("words", "strings", "names", "items", "texts", "tokens"),
        "list[str]",
        W,
        "{a}",
        words,
        list,
        weight=4,
    ),
    Source(
        "word",
        ("words",),
        ("of a text", "of {a}", "in a string", "in a sentence"),
        ("text", "sentence", "s", "string", "line"),
        "str",
        W,
        "{a}.split()",
        lambda rng: " ".join(words(rng)),
        lambda t: [w for w in t.split(" ") if w],
        weight=3,
    ),
    Source(
        "word",
        ("lines",),
        ("of a text", "of {a}", "in a string"),
        ("text", "content", "string"),
        "str",
        ("line",),
        "{a}.splitlines()",
        lambda rng: "\n".join(words(rng)),
        lambda t: [w for w in t.split("\n") if w],
        weight=1,
    ),
    Source(
        "word",
        ("keys",),
        ("of a dictionary", "of {a}"),
        ("d", "mapping", "data", "table"),
        "dict[str, int]",
        ("key", "k", "name"),
        "{a}",
        lambda rng: {w: n for n, w in enumerate(words(rng))},
        lambda d: [k for k, _ in d.items()],
        weight=1,
    ),
    Source(
        "word",
        ("lines",),
        ("of a file", "in the file {a}", "of the file at {a}"),
        ("path", "filename", "file_name"),
        "str",
        ("line",),
        "lines",
        lambda rng: "".join(f"{w}\n" for w in words(rng)),
        lambda t: t.split(),
        lead=("with open({a}) as file:", "    lines = file.read().splitlines()"),
        reads_file=True,
        weight=1.5,
    ),
    Source(
        "word",
        ("words",),
        ("in a file", "of the file {a}"),
        ("path", "filename", "file_name"),
        "str",
        W,
        "words",
        lambda rng: " ".join(words(rng)),
        lambda t: t.split(),
        lead=("with open({a}) as file:", "    words = file.read().split()"),
        reads_file=True,
        weight=1,
    ),
)

CHARACTER_SOURCES = (
    Source(
        "character",
        ("characters",),
        ("of a string", "in a string", "of {a}", "in {a}", "of a text", "in a word"),
        ("text", "s", "string", "word", "sentence", "line"),
        "str",
        C,
        "{a}",
        text,
        list,
    ),
)

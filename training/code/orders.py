"""Sorting, grouping and counting by a key. The split is by kind, key, order and limit."""

import random
from collections import defaultdict
from operator import itemgetter
from typing import Any

from training.code.sources import numbers, words
from training.code.task import ANY_NAMES, Check, Task, argument_name

WORD_KEYS = {
    "length": ("length", "len({x})", len),
    "last letter": ("last letter", "{x}[-1]", lambda w: w[len(w) - 1]),
    "first letter": ("first letter", "{x}[0]", lambda w: w[:1]),
    "lower": ("lower case form", "{x}.lower()", lambda w: "".join(c.lower() for c in w)),
    "reverse": ("reverse", "{x}[::-1]", lambda w: "".join(reversed(w))),
    "vowels": ("number of vowels", 'sum({x}.count(v) for v in "aeiou")', lambda w: len([c for c in w if c in "aeiou"])),
}
NUMBER_KEYS = {
    "absolute": ("absolute value", "abs({x})", lambda n: max(n, -n)),
    "last digit": ("last digit", "abs({x}) % 10", lambda n: int(str(n)[-1])),
    "square": ("square", "{x} ** 2", lambda n: n * n),
    "negative": ("negative", "-{x}", lambda n: 0 - n),
    "parity": ("remainder by 2", "{x} % 2", lambda n: n & 1),
    "remainder": ("remainder by 3", "{x} % 3", lambda n: n - n // 3 * 3),
}
PAIR_KEYS = {
    "first": ("first item", "{x}[0]", lambda p: next(iter(p))),
    "second": ("second item", "{x}[1]", lambda p: p[-1]),
    "sum": ("sum", "sum({x})", lambda p: p[0] + p[1]),
    "product": ("product", "{x}[0] * {x}[1]", lambda p: p[1] * p[0]),
    "difference": ("difference", "{x}[0] - {x}[1]", lambda p: -p[1] + p[0]),
    "largest": ("largest item", "max({x})", lambda p: sorted(p)[1]),
}
RECORD_KEYS = {
    field: (f'"{field}"', f'{{x}}["{field}"]', itemgetter(field))
    for field in ("name", "age", "score", "price", "size", "year")
}


def pairs(rng: random.Random) -> list[tuple[int, int]]:
    return [(rng.randint(0, 9), rng.randint(0, 9)) for _ in range(rng.choice((0, 3, 5)))]


def records(rng: random.Random) -> list[dict[str, int]]:
    return [{field: rng.randint(1, 30) for field in RECORD_KEYS} for _ in range(rng.choice((0, 2, 4)))]


KINDS: dict[str, tuple[Any, ...]] = {
    "words": (WORD_KEYS, words, ("words", "strings", "names", "texts"), ("w", "word", "s"), "list[str]"),
    "numbers": (NUMBER_KEYS, numbers, ("numbers", "values", "nums", "xs"), ("n", "x", "number"), "list[int]"),
    "pairs": (PAIR_KEYS, pairs, ("pairs", "tuples", "points"), ("p", "pair"), "list[tuple]"),
    "records": (RECORD_KEYS, records, ("records", "rows", "people", "dictionaries"), ("r", "row", "d"), "list[dict]"),
}


def drawn(rng: random.Random) -> tuple[str, str, Any, str, str, str]:
    """(kind, key's name, key, argument, item, hint)."""
    kind = rng.choice(list(KINDS))
    keys, _, names, items, hint = KINDS[kind]
    named = rng.choice(list(keys))
    return kind, named, keys[named], argument_name(rng, names), rng.choice(items), hint


def listed(rng: random.Random, kind: str, act: Any, extra: tuple[int, ...] = ()) -> tuple[Check, ...]:
    given = [KINDS[kind][1](rng) for _ in range(5)]
    return tuple(((v, *extra), act(v)) for v in given)


def by_key(rng: random.Random) -> Task:
    """All items, or the first few, or the first one, in ascending or descending order of a key."""
    kind, named, (words_of, code, key), a, x, hint = drawn(rng)
    down, limit = rng.random() < 0.5, rng.choice(("all", "k", "number", "inplace"))
    k = rng.choice((1, 2, 3))
    code = "len" if code == "len({x})" and rng.random() < 0.5 else f"lambda {x}: " + code.format(x=x)
    direction = rng.choice(("in descending order of", "from largest to smallest")) if down else "by"
    order = (
        f"sorted by {words_of}"
        if not down
        else rng.choice((f"sorted by {words_of} in descending order", f"in descending order of {words_of}"))
    )
    call = f"sorted({a}, key={code}" + (", reverse=True)" if down else ")")
    act = lambda v: sorted(v, key=key, reverse=down)  # noqa: E731
    arguments, hints, extra, mood = (a,), (hint, hint), (), "value"
    body, phrase = (f"return {call}",), f"the {a} {order}"
    if limit == "k":
        arguments, hints, extra = (a, "k"), (hint, "int", hint), (k,)
        body, phrase, whole = (
            (f"return {call}[:k]",),
            f"the k {a} with the {'largest' if down else 'smallest'} {words_of}",
            act,
        )
        act = lambda v: whole(v)[:k]  # noqa: E731
    elif limit == "number":
        body, phrase, whole = (f"return {call}[:{k}]",), f"the first {k} of the {a} {order}", act
        act = lambda v: whole(v)[:k]  # noqa: E731
    elif limit == "inplace":
        mood, phrase = "order", f"sort the {a} by {words_of}" + (" in descending order" if down else "")
        if rng.random() < 0.3:
            body = (
                f"result = list({a})",
                f"result.sort(key={code}" + (", reverse=True)" if down else ")"),
                "return result",
            )
    del direction
    name = rng.choice((f"sort_{a}", f"sort_by_{named.replace(' ', '_')}", f"sorted_{a}", *ANY_NAMES))
    keys = (f"order {kind} {named} {down} {limit}",)
    return Task(keys, name, arguments, hints, phrase, body, listed(rng, kind, act, extra), mood, telling=False)


def extreme(rng: random.Random) -> Task:
    kind, named, (words_of, code, key), a, x, hint = drawn(rng)
    most = rng.random() < 0.5
    code = "len" if code == "len({x})" and rng.random() < 0.5 else f"lambda {x}: " + code.format(x=x)
    phrase = f"the one of the {a} with the {'largest' if most else 'smallest'} {words_of}, or None if there are none"
    body = (f"return {'max' if most else 'min'}({a}, key={code}, default=None)",)
    act = lambda v: sorted(v, key=key, reverse=most)[0] if v else None  # noqa: E731
    name = rng.choice((f"{'largest' if most else 'smallest'}_by_{named.replace(' ', '_')}", *ANY_NAMES))
    keys = (f"extreme {kind} {named} {most}",)
    return Task(keys, name, (a,), (hint, "object"), phrase, body, listed(rng, kind, act), telling=False)


def grouped(rng: random.Random) -> Task:
    """A dictionary from keys to lists, to counts, or to one item."""
    kind, named, (words_of, code, key), a, x, hint = drawn(rng)
    code, what = code.format(x=x), rng.choice(("group", "count", "index"))
    start = rng.choice(("groups", "result", "found"))
    if what == "group":
        phrase, mood = f"group the {a} by their {words_of}", "order"
        lines = rng.choice(
            (
                [f"    {start}.setdefault({code}, []).append({x})"],
                [
                    f"    key = {code}",
                    f"    if key not in {start}:",
                    f"        {start}[key] = []",
                    f"    {start}[key].append({x})",
                ],
            )
        )
    elif what == "count":
        phrase, mood = f"how many {a} there are with each {words_of}, as a dictionary", "value"
        lines = [f"    key = {code}", f"    {start}[key] = {start}.get(key, 0) + 1"]
    else:
        phrase, mood = f"a dictionary from the {words_of} of each of the {a} to the last with it", "value"
        lines = [f"    {start}[{code}] = {x}"]

    def act(items: list[Any]) -> dict[Any, Any]:
        groups = defaultdict(list)
        for item in items:
            groups[key(item)].append(item)
        return {k: v if what == "group" else len(v) if what == "count" else v[-1] for k, v in groups.items()}

    body = (f"{start} = {{}}", f"for {x} in {a}:", *lines, f"return {start}")
    name = rng.choice((f"{what}_by_{named.replace(' ', '_')}", f"{what}_{a}", *ANY_NAMES))
    return Task(
        (f"{what} {kind} {named}",),
        name,
        (a,),
        (hint, "dict"),
        phrase,
        body,
        listed(rng, kind, act),
        mood,
        telling=False,
    )


def make(rng: random.Random) -> Task:
    return rng.choice((by_key, by_key, extreme, grouped, grouped))(rng)

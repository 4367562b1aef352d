"""Recursive functions over a list, a number, a text. Shares filters and maps, and so the split, with pipelines.py."""

import random

from training.code import skills
from training.code.pipelines import LETTERS
from training.code.reductions import product
from training.code.skills import of_characters, of_numbers
from training.code.sources import MANY, numbers, text
from training.code.task import Check, Task, argument_name

LIST_NAMES = ("numbers", "values", "xs", "items", "nums", "lst", "data")
FUNCTIONS = ("total", "recursive", "rec", "go", "visit", "fold", "compute", "solve", "f", "helper")
REDUCTIONS = {
    "sum": (("the sum of {}", "the total of {}"), "0", "{m} + {rest}", lambda v: sum(v)),
    "product": (("the product of {}",), "1", "{m} * {rest}", product),
    "list": (("a list of {}", "{}"), "[]", "[{m}] + {rest}", lambda v: list(v)),
    "count": (("the number of {}",), "0", "1 + {rest}", lambda v: len(v)),
}


def over_list(rng: random.Random) -> Task:
    """The pipelines' combinations of filter, map and reduction over a list of numbers, written recursively."""
    reduction = rng.choice(list(REDUCTIONS))
    kept = rng.choice(of_numbers.FILTERS)
    mapped = rng.choice(of_numbers.MAPS[:-1]) if reduction != "count" else skills.SAME_NUMBER
    words, empty, step, act = REDUCTIONS[reduction]
    a, name, k, j = argument_name(rng, LIST_NAMES), rng.choice(FUNCTIONS), rng.choice(MANY), rng.choice(MANY)
    item = f"{a}[0]"
    test, value = (rng.choice(s.code).replace("{x}", item) for s in (kept, mapped))
    test, value, rest = test.replace("{k}", str(k)), value.replace("{k}", str(j)), f"{name}({a}[1:])"
    value = f"({value})" if reduction == "product" and value != item else value
    here = "return " + step.format(m=value, rest=rest)
    body = [f"if not {a}:", f"    return {empty}"]
    body += [f"if {test}:", f"    {here}", f"return {rest}"] if test else [here]
    items = rng.choice(kept.words).replace("{k}", str(k)).format(rng.choice(("numbers", "values", "elements")))
    whole = rng.choice(mapped.words).replace("{k}", str(j))
    items = whole.format(items if whole.startswith("the ") and " of " not in whole else "the " + items)
    phrase = rng.choice(words).format(items) + rng.choice((" in a list", " in {a}", "")).format(a=a)
    phrase += rng.choice((", recursively", " recursively", ", using recursion"))
    lists = [numbers(rng) for _ in range(5)]
    checks = [((v,), act([mapped.act(x, j) for x in v if kept.act(x, k)])) for v in lists]
    key = f"number {kept.slug} {mapped.slug} {reduction}"
    hint = "list" if reduction == "list" else "int"
    return Task((key,), name, (a,), ("list[int]", hint), phrase, tuple(body), tuple(checks), telling=False)


def over_number(rng: random.Random) -> Task:
    """Sums and products of f(i) for i from n down to 1."""
    reduction = rng.choice(("sum", "product"))
    mapped = rng.choice([m for m in of_numbers.MAPS[:-1] if m.slug not in ("last_digits",)])
    words, empty, step, _ = REDUCTIONS[reduction]
    a, name, j = (
        rng.choice(("n", "m", "number", "limit")),
        rng.choice((*FUNCTIONS, f"{reduction}_to")),
        rng.choice(MANY),
    )
    value = rng.choice(mapped.code).replace("{x}", a).replace("{k}", str(j))
    value = f"({value})" if reduction == "product" and value != a else value
    body = (f"if {a} <= 0:", f"    return {empty}", "return " + step.format(m=value, rest=f"{name}({a} - 1)"))
    items = rng.choice((f"numbers from 1 to {a}", f"integers from 1 to {a}"))
    whole = rng.choice(mapped.words).replace("{k}", str(j))
    phrase = rng.choice(words).format(
        whole.format(items if whole.startswith("the ") and " of " not in whole else "the " + items)
    )
    phrase += rng.choice((", recursively", " recursively", ", using recursion"))
    checks: list[Check] = []
    for n in (0, 1, 2, 3, 5):
        values = [mapped.act(x, j) for x in range(n, 0, -1)]
        checks.append(((n,), sum(values) if reduction == "sum" else product(values)))
    key = f"number  {mapped.slug} {reduction}"
    return Task((key,), name, (a,), ("int", "int"), phrase, body, tuple(checks), telling=False)


def over_text(rng: random.Random) -> Task:
    """Characters of a text, kept and changed one by one."""
    kept, mapped = rng.choice(of_characters.FILTERS), rng.choice(of_characters.MAPS[:-1])
    a, name, letter = argument_name(rng, ("text", "s", "string", "word")), rng.choice(FUNCTIONS), rng.choice(LETTERS)
    item, rest = f"{a}[0]", f"{name}({a}[1:])"
    test = rng.choice(kept.code).replace("{x}", item).replace("{c}", f'"{letter}"')
    value = rng.choice(mapped.code).replace("{x}", item)
    body = [f"if not {a}:", '    return ""']
    body += [f"if {test}:", f"    return {value} + {rest}", f"return {rest}"] if test else [f"return {value} + {rest}"]
    items = rng.choice(kept.words).replace("{c}", f'"{letter}"').format("characters")
    whole = rng.choice(mapped.words)
    items = whole.format(items if whole.startswith("the ") and " of " not in whole else "the " + items)
    phrase = rng.choice(("a string of {}", "{} as one string")).format(items) + rng.choice((" of a string", f" in {a}"))
    phrase += rng.choice((", recursively", " recursively", ", using recursion"))
    texts = [text(rng) for _ in range(5)]
    checks = [((t,), "".join(mapped.act(x, None) for x in t if kept.act(x, letter))) for t in texts]
    key = f"character {kept.slug} {mapped.slug} string"
    return Task((key,), name, (a,), ("str", "str"), phrase, tuple(body), tuple(checks), telling=False)


def make(rng: random.Random) -> Task:
    return rng.choice((over_list, over_list, over_number, over_text))(rng)

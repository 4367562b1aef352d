"""Arithmetic over two to three arguments: "the sum of a and b, multiplied by c". The split is by the two operations."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from training.code.task import ANY_NAMES, UNUSUAL, Check, Task, unusual_name


@dataclass(frozen=True)
class Operation:
    """``words`` hold {a} and {b}; ``after`` extends a result ("minus {b}"); ``bracket``: the code needs parentheses."""

    slug: str
    words: tuple[str, ...]
    after: str
    code: tuple[str, ...]
    act: Callable[[int, int], float]
    bracket: bool = True


OPERATIONS = (
    Operation("sum", ("the sum of {a} and {b}", "{a} plus {b}"), "plus {b}", ("{a} + {b}",), lambda a, b: sum((a, b))),
    Operation(
        "difference",
        ("the difference of {a} and {b}", "{a} minus {b}", "the difference between {a} and {b}"),
        "minus {b}",
        ("{a} - {b}",),
        lambda a, b: a + -b,
    ),
    Operation(
        "product",
        ("the product of {a} and {b}", "{a} times {b}"),
        "multiplied by {b}",
        ("{a} * {b}",),
        lambda a, b: -a * -b,
    ),
    Operation(
        "quotient",
        ("{a} divided by {b}", "the quotient of {a} and {b}"),
        "divided by {b}",
        ("{a} / {b}",),
        lambda a, b: a.__truediv__(b),
    ),
    Operation(
        "remainder",
        ("the remainder of {a} divided by {b}", "{a} modulo {b}"),
        "modulo {b}",
        ("{a} % {b}",),
        lambda a, b: divmod(a, b)[1],
    ),
    Operation(
        "power",
        ("{a} to the power of {b}", "{a} raised to {b}"),
        "raised to {b}",
        ("{a} ** {b}", "pow({a}, {b})"),
        lambda a, b: pow(a, b),
    ),
    Operation(
        "larger",
        ("the larger of {a} and {b}", "the maximum of {a} and {b}"),
        "or {b}, whichever is larger",
        ("max({a}, {b})",),
        lambda a, b: sorted((a, b))[1],
        False,
    ),
    Operation(
        "smaller",
        ("the smaller of {a} and {b}", "the minimum of {a} and {b}"),
        "or {b}, whichever is smaller",
        ("min({a}, {b})",),
        lambda a, b: sorted((a, b))[0],
        False,
    ),
    Operation(
        "distance",
        ("the absolute difference of {a} and {b}", "the distance between {a} and {b}"),
        "",
        ("abs({a} - {b})",),
        lambda a, b: max(a, b) - min(a, b),
        False,
    ),
    Operation(
        "mean",
        ("the average of {a} and {b}", "the mean of {a} and {b}"),
        "",
        ("({a} + {b}) / 2",),
        lambda a, b: a / 2 + b / 2,
    ),
)
NAMES = (("a", "b", "c"), ("x", "y", "z"), ("first", "second", "third"), ("m", "n", "k"), ("left", "right", "other"))


def make(rng: random.Random) -> Task:
    """One operation, or two of which the second takes the first one's result."""
    first = rng.choice(OPERATIONS)
    second = rng.choice([o for o in OPERATIONS if o.after]) if rng.random() < 0.75 else None
    a, b, c = rng.choice(NAMES)
    if rng.random() < UNUSUAL:
        a, b, c = rng.choice(
            [names for names in ([unusual_name(rng) for _ in range(3)] for _ in range(9)) if len(set(names)) == 3]
        )
    code, text = rng.choice(first.code).format(a=a, b=b), rng.choice(first.words).format(a=a, b=b)
    constant = rng.choice((2, 3, 4, 5, 10))
    last = c if rng.random() < 0.7 else str(constant)
    if second:
        inner = f"({code})" if first.bracket and second.bracket and not code.startswith("pow") else code
        code, text = rng.choice(second.code).format(a=inner, b=last), f"{text}, {second.after.format(b=last)}"
    takes_third = second is not None and last == c
    arguments = (a, b, c) if takes_third else (a, b)
    body = (f"return {code}",)
    if second and rng.random() < 0.2:
        inner = rng.choice(first.code).format(a=a, b=b)
        body = (f"result = {inner}", "return " + rng.choice(second.code).format(a="result", b=last))
    checks: list[Check] = []
    while len(checks) < 5:
        values = rng.randint(1, 9), rng.randint(1, 4), rng.randint(1, 4)
        result = first.act(values[0], values[1])
        if second:
            result = second.act(result, values[2] if takes_third else constant)  # type: ignore[arg-type]
        checks.append((values[: len(arguments)], result))
    name = rng.choice((*ANY_NAMES, first.slug if not second else f"{first.slug}_{second.slug}"))
    return Task(
        (f"formula {first.slug} {second.slug if second else ''}",),
        name if name not in arguments else "compute",
        arguments,
        ("float",) * (len(arguments) + 1),
        text,
        body,
        tuple(checks),
        telling=second is None and name == first.slug,
    )

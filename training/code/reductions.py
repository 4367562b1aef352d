"""Reductions of many items: a list, a sum, a set, the longest, a tally. Knows no source, no filter and no map."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reduction:
    """``words`` hold {0} for the mapped items; ``short`` is one expression over {g} (a generator's inside);
    ``start`` and ``each`` make the loop, {m} being the mapped item; ``act`` computes the expected result."""

    slug: str
    words: tuple[str, ...]
    short: tuple[str, ...]
    start: tuple[str, ...]
    each: tuple[str, ...]
    end: str
    hint: str
    act: Callable[[list[Any]], Any]
    takes: tuple[str, ...] = ("number", "word", "character")
    bare: bool = True
    mapped: bool = True


NUMBER, TEXT = ("number",), ("word", "character")
REDUCTIONS = (
    Reduction(
        "list",
        ("a list of {0}", "{0}", "the list of {0}"),
        ("[{g}]",),
        ("result = []", "found = []"),
        ("{r}.append({m})",),
        "{r}",
        "list",
        list,
        bare=False,
    ),
    Reduction(
        "sum",
        ("the sum of {0}", "the total of {0}"),
        ("sum({g})",),
        ("total = 0", "result = 0"),
        ("{r} += {m}",),
        "{r}",
        "int",
        lambda v: sum(v, 0),
        NUMBER,
    ),
    Reduction(
        "product",
        ("the product of {0}",),
        (),
        ("product = 1", "result = 1"),
        ("{r} *= {m}",),
        "{r}",
        "int",
        lambda v: 1 if not v else v[0] * product(v[1:]),
        NUMBER,
    ),
    Reduction(
        "count",
        ("the number of {0}", "how many {0} there are"),
        ("sum(1 for {x} in {s} if {f})", "len([{g}])"),
        ("count = 0", "total = 0", "result = 0"),
        ("{r} += 1",),
        "{r}",
        "int",
        len,
        bare=False,
        mapped=False,
    ),
    Reduction(
        "largest",
        ("the largest of {0}, or None if there are none", "the maximum of {0}, or None if there are none"),
        ("max(({g}), default=None)",),
        ("largest = None", "best = None"),
        ("if {r} is None or {m} > {r}:", "    {r} = {m}"),
        "{r}",
        "int | None",
        lambda v: sorted(v)[-1] if v else None,
        NUMBER,
    ),
    Reduction(
        "smallest",
        ("the smallest of {0}, or None if there are none", "the minimum of {0}, or None if there are none"),
        ("min(({g}), default=None)",),
        ("smallest = None", "best = None"),
        ("if {r} is None or {m} < {r}:", "    {r} = {m}"),
        "{r}",
        "int | None",
        lambda v: sorted(v)[0] if v else None,
        NUMBER,
    ),
    Reduction(
        "average",
        ("the average of {0}, or 0 if there are none", "the mean of {0}, or 0 if there are none"),
        (),
        ("values = []", "found = []"),
        ("{r}.append({m})",),
        "sum({r}) / len({r}) if {r} else 0",
        "float",
        lambda v: sum(v) / len(v) if v else 0,
        NUMBER,
    ),
    Reduction(
        "set",
        ("the set of {0}", "a set of {0}"),
        ("{{{g}}}", "set({g})"),
        ("result = set()", "found = set()"),
        ("{r}.add({m})",),
        "{r}",
        "set",
        lambda v: set(v),
    ),
    Reduction(
        "sorted",
        ("{0} in ascending order", "a sorted list of {0}", "{0}, sorted"),
        ("sorted({g})",),
        ("result = []", "found = []"),
        ("{r}.append({m})",),
        "sorted({r})",
        "list",
        lambda v: sorted(v),
    ),
    Reduction(
        "descending",
        ("{0} in descending order", "{0}, sorted from largest to smallest"),
        ("sorted(({g}), reverse=True)",),
        ("result = []", "found = []"),
        ("{r}.append({m})",),
        "sorted({r}, reverse=True)",
        "list",
        lambda v: sorted(v)[::-1],
        NUMBER,
    ),
    Reduction(
        "backwards",
        ("a list of {0} in reverse order", "{0} in reverse order"),
        ("[{g}][::-1]",),
        ("result = []", "found = []"),
        ("{r}.insert(0, {m})",),
        "{r}",
        "list",
        lambda v: list(reversed(v)),
    ),
    Reduction(
        "first",
        ("the first of {0}, or None if there are none",),
        ("next(({g}), None)",),
        (),
        ("return {m}",),
        "None",
        "object",
        lambda v: v[0] if v else None,
        bare=False,
    ),
    Reduction(
        "last",
        ("the last of {0}, or None if there are none",),
        (),
        ("last = None", "result = None"),
        ("{r} = {m}",),
        "{r}",
        "object",
        lambda v: v[-1] if v else None,
        bare=False,
    ),
    Reduction(
        "tally",
        ("a dictionary that counts {0}", "how often each of {0} occurs, as a dictionary"),
        (),
        ("counts = {{}}", "result = {{}}"),
        ("{r}[{m}] = {r}.get({m}, 0) + 1",),
        "{r}",
        "dict",
        lambda v: dict(Counter(v)),
    ),
    Reduction(
        "joined",
        ("{0} joined with spaces", "{0} joined by spaces"),
        ('" ".join({g})',),
        ("parts = []", "result = []"),
        ("{r}.append({m})",),
        '" ".join({r})',
        "str",
        lambda v: str.join(" ", v),
        ("word",),
    ),
    Reduction(
        "commas",
        ("{0} joined with commas", "{0} separated by commas"),
        ('",".join({g})',),
        ("parts = []", "result = []"),
        ("{r}.append({m})",),
        '",".join({r})',
        "str",
        lambda v: str.join(",", v),
        ("word",),
    ),
    Reduction(
        "string",
        ("a string of {0}", "{0} as one string"),
        ('"".join({g})',),
        ('result = ""', 'out = ""'),
        ("{r} += {m}",),
        "{r}",
        "str",
        lambda v: str.join("", v),
        ("word", "character"),
    ),
    Reduction(
        "longest",
        ("the longest of {0}, or None if there are none",),
        ("max(({g}), key=len, default=None)",),
        ("longest = None", "best = None"),
        ("if {r} is None or len({m}) > len({r}):", "    {r} = {m}"),
        "{r}",
        "str | None",
        lambda v: sorted(v, key=lambda w: -len(w))[0] if v else None,
        ("word",),
    ),
    Reduction(
        "shortest",
        ("the shortest of {0}, or None if there are none",),
        ("min(({g}), key=len, default=None)",),
        ("shortest = None", "best = None"),
        ("if {r} is None or len({m}) < len({r}):", "    {r} = {m}"),
        "{r}",
        "str | None",
        lambda v: sorted(v, key=len)[0] if v else None,
        ("word",),
    ),
)


def product(values: Sequence[Any]) -> Any:
    return values[0] * product(values[1:]) if values else 1


WHOLE = (
    "sum{g}",
    "sorted{g}",
    "set{g}",
    "max({g}, default=None)",
    "min({g}, default=None)",
    "max({g}, key=len, default=None)",
    "min({g}, key=len, default=None)",
    "sorted({g}, reverse=True)",
)

"""Tasks of the form source, filter, map, reduction: "the sum of the squares of the even numbers in a list".

Every one is a comprehension or a loop. The key names filter, map and reduction but not the source, so that a held-out
combination was trained on with no source, in no wording and in no style.
"""

import random
from dataclasses import dataclass
from typing import Any

from training.code import skills, sources
from training.code.reductions import REDUCTIONS, WHOLE, Reduction
from training.code.skills import Filter, Map, of_characters, of_numbers, of_words
from training.code.sources import Source
from training.code.task import ANY_NAMES, INDENT, Check, Task, argument_name

LETTERS = ("a", "e", "b", "s", "t", "n", "o")


SKILLS = {
    "number": (of_numbers.FILTERS, of_numbers.MAPS, sources.NUMBER_SOURCES),
    "word": (of_words.FILTERS, of_words.MAPS, sources.WORD_SOURCES),
    "character": (of_characters.FILTERS, of_characters.MAPS, sources.CHARACTER_SOURCES),
}


@dataclass(frozen=True)
class Choice:
    """A source, a filter, a map and a reduction, with the parameters and names that fill their templates."""

    source: Source
    filter: Filter
    map: Map
    reduction: Reduction
    filter_value: Any
    map_value: Any
    argument: str
    item: str
    extra: str  # the argument that stands for the filter's or the map's parameter, or ""
    filter_takes_extra: bool

    @property
    def key(self) -> str:
        return f"{self.source.kind} {self.filter.slug} {self.map.slug} {self.reduction.slug}"

    def fill(self, template: str, value: Any, from_extra: bool) -> str:
        """A skill's template with its parameter as code."""
        shown = self.extra if from_extra else repr(value).replace("'", '"')
        return (
            template.replace("{k}", shown).replace("{c}", shown).replace("{x}", self.item).replace("{a}", self.argument)
        )

    def of_filter(self, template: str) -> str:
        return self.fill(template, self.filter_value, bool(self.extra) and self.filter_takes_extra)

    def of_map(self, template: str) -> str:
        return self.fill(template, self.map_value, bool(self.extra) and not self.filter_takes_extra)


def takes_parameter(skill: Filter | Map) -> bool:
    return any("{k}" in code or "{c}" in code for code in skill.code)


def parameter(rng: random.Random, skill: Filter | Map) -> Any:
    return rng.choice(LETTERS) if any("{c}" in code for code in skill.code) else rng.choice(sources.MANY)


def extra_name(rng: random.Random, skill: Filter | Map, taken: str) -> str:
    names = (
        ("prefix", "part", "c", "char")
        if any("{c}" in code for code in skill.code)
        else ("k", "limit", "threshold", "m", "n", "x0")
    )
    return rng.choice([name for name in names if name != taken])


def choice(rng: random.Random, kind: str) -> Choice:
    filters, maps, candidates = SKILLS[kind]
    source = rng.choices(candidates, [s.weight for s in candidates])[0]
    while True:
        kept = rng.choice(filters) if rng.random() < 0.85 else skills.EVERY
        mapped = rng.choice(maps) if rng.random() < 0.7 else maps[0]
        result = mapped.kind if mapped.kind == "number" or source.kind != "character" else "character"
        fitting = [r for r in REDUCTIONS if result in r.takes and (r.mapped or not mapped.slug)]
        reduction = rng.choice(fitting)
        if reduction.bare or kept.slug or mapped.slug:
            break
    argument = argument_name(rng, source.names)
    item = rng.choice([name for name in source.item if name != argument])
    wanting = [skill for skill in (kept, mapped) if takes_parameter(skill)]
    chosen = rng.choice(wanting) if wanting and rng.random() < 0.3 else None
    extra = extra_name(rng, chosen, argument) if chosen else ""
    if extra == item:
        extra = "limit"
    values = parameter(rng, kept), parameter(rng, mapped)
    return Choice(source, kept, mapped, reduction, *values, argument, item, extra, chosen is kept)


def phrase(rng: random.Random, c: Choice) -> str:
    """What is to be returned, in words: "the sum of the squares of the even numbers in a list"."""
    where = c.fill(rng.choice(c.source.of), None, False)
    items = f"{rng.choice(c.source.nouns)} {where}".strip()
    if c.filter.slug:
        wording = rng.choice(c.filter.words)
        noun, _, rest = items.partition(" ")
        early = wording.endswith("{0}") or rng.random() < 0.6
        items = (
            c.of_filter(wording).format(noun) + (" " + rest if rest else "")
            if early
            else c.of_filter(wording).format(items)
        )
    if c.reduction.slug == "count":
        return rng.choice(c.reduction.words).format(items)
    wording = c.of_map(rng.choice(c.map.words))
    adjective = wording.startswith("the ") and " of " not in wording
    items = wording.format(items if adjective else "the " + items)
    text = rng.choice(c.reduction.words).format(items)
    return text.replace("list of the ", "list of the " if rng.random() < 0.7 else "list of ", 1)


def condition(rng: random.Random, c: Choice) -> str:
    """What an item must satisfy, as code; "" if nothing."""
    parts = [c.fill(c.source.test, None, False), c.of_filter(rng.choice(c.filter.code))]
    return " and ".join(part for part in parts if part)


def source_code(c: Choice) -> str:
    return c.fill(c.source.code, None, False)


def comprehension(rng: random.Random, c: Choice) -> list[str]:
    test, mapped, items = condition(rng, c), c.of_map(rng.choice(c.map.code)), source_code(c)
    inside = f"{mapped} for {c.item} in {items}" + (f" if {test}" if test else "")
    short = rng.choice(c.reduction.short)
    if not test and mapped == c.item and short.replace("({g})", "{g}") in WHOLE and rng.random() < 0.9:
        return [
            "return " + short.replace("({g})", "{g}").replace("{g}", f"({items})" if short.count("(") == 1 else items)
        ]
    if c.reduction.slug == "count" and not test:
        short = "sum(1 for {x} in {s})"
    return [
        "return "
        + short.replace("{{{g}}}", "{" + inside + "}")
        .replace("{g}", inside)
        .replace("{x}", c.item)
        .replace("{s}", items)
        .replace("{f}", test)
    ]


def loop(rng: random.Random, c: Choice) -> list[str]:
    test, mapped = condition(rng, c), c.of_map(rng.choice(c.map.code))
    free = [line for line in c.reduction.start if line.split(" ")[0] not in (source_code(c), c.argument)]
    start = rng.choice(free) if free else ""
    name = start.split(" ")[0]
    local = "current" if "value" in (c.item, c.argument) else "value"
    if sum(line.count("{m}") for line in c.reduction.each) > 1 and mapped != c.item:
        each = [f"{local} = {mapped}", *(line.replace("{m}", local) for line in c.reduction.each)]
    else:
        each = [line.replace("{m}", mapped) for line in c.reduction.each]
    each = [line.replace("{r}", name) for line in each]
    if test:
        each = [f"if {test}:", *(INDENT + line for line in each)]
    start = start.replace("{{}}", "{}")
    return [
        *([start] if start else []),
        f"for {c.item} in {source_code(c)}:",
        *(INDENT + line for line in each),
        "return " + c.reduction.end.replace("{r}", name),
    ]


def body(rng: random.Random, c: Choice) -> tuple[str, ...]:
    lead = [c.fill(line, None, False) for line in c.source.lead]
    statements = comprehension(rng, c) if c.reduction.short and rng.random() < 0.65 else loop(rng, c)
    return (*lead, *statements)


def expected(c: Choice, items: list[Any], value: Any) -> Any:
    kept, mapped = (
        (value, c.map_value)
        if c.extra and c.filter_takes_extra
        else (c.filter_value, value if c.extra else c.map_value)
    )
    return c.reduction.act([c.map.act(x, mapped) for x in items if c.filter.act(x, kept)])


def checks(rng: random.Random, c: Choice) -> tuple[Check, ...]:
    pairs: list[Check] = []
    while len(pairs) < 5:
        given = c.source.given(rng)
        values = [parameter(rng, c.filter if c.filter_takes_extra else c.map)] if c.extra else []
        pairs.append(((given, *values), expected(c, list(c.source.items(given)), values[0] if values else None)))
    return tuple(pairs)


def name(rng: random.Random, c: Choice, noun: str) -> tuple[str, bool]:
    """The function's name, and whether it tells the task."""
    if rng.random() < 0.3:
        return rng.choice([n for n in ANY_NAMES if n != c.argument]), False
    parts = [c.reduction.slug, c.map.slug, c.filter.slug, noun if rng.random() < 0.7 else ""]
    if rng.random() < 0.3:
        parts = ["get", *parts]
    joint = "_of_" if rng.random() < 0.3 and c.map.slug else "_"
    listed = [p for p in parts if p and p != "list"] or ["items"]
    joined = (
        joint.join(listed) if joint == "_" else "_of_".join(["_".join(listed[:1]), "_".join(listed[1:])]).rstrip("_")
    )
    return (joined if joined not in ("sum", "set", "sorted", c.argument) else joined + "_all"), not takes_parameter(
        c.filter
    ) and not takes_parameter(c.map) and bool(noun in joined)


def make(rng: random.Random, kind: str) -> Task:
    c = choice(rng, kind)
    called, telling = name(rng, c, rng.choice(c.source.nouns))
    arguments = (c.argument, c.extra) if c.extra else (c.argument,)
    skill = c.filter if c.filter_takes_extra else c.map
    extra_hint = ("str" if any("{c}" in code for code in skill.code) else "int",) if c.extra else ()
    hints = (c.source.hint, *extra_hint, c.reduction.hint)
    return Task(
        (c.key,),
        called,
        arguments,
        hints,
        phrase(rng, c),
        body(rng, c),
        checks(rng, c),
        reads_file=c.source.reads_file,
        telling=telling,
    )


def numbers(rng: random.Random) -> Task:
    return make(rng, "number")


def words(rng: random.Random) -> Task:
    return make(rng, "word")


def characters(rng: random.Random) -> Task:
    return make(rng, "character")

"""Whether any, all or none of some items satisfy a filter. The split is by kind, filter and quantifier."""

import random

from training.code.pipelines import SKILLS, extra_name, parameter, takes_parameter
from training.code.task import ANY_NAMES, INDENT, Check, Task, argument_name

QUANTIFIERS = {
    "any": (("any of the {n} {w} {c}", "at least one of the {n} {w} {c}"), "any({t} for {x} in {s})", any, True),
    "all": (
        ("all of the {n} {w}: each {c}", "each of the {n} {w} {c}", "every one of the {n} {w} {c}"),
        "all({t} for {x} in {s})",
        all,
        False,
    ),
    "none": (
        ("none of the {n} {w} {c}", "not one of the {n} {w} {c}"),
        "not any({t} for {x} in {s})",
        lambda v: sum(v) == 0,
        True,
    ),
}


def make(rng: random.Random) -> Task:
    kind, quantifier = rng.choice(list(SKILLS)), rng.choice(list(QUANTIFIERS))
    filters, _, candidates = SKILLS[kind]
    source = rng.choices(candidates, [s.weight * (not s.test) for s in candidates])[0]
    kept = rng.choice(filters[1:])
    wordings, short, act, stops_at = QUANTIFIERS[quantifier]
    a = argument_name(rng, source.names)
    x = rng.choice([name for name in source.item if name != a])
    value = parameter(rng, kept)
    extra = extra_name(rng, kept, a) if takes_parameter(kept) and rng.random() < 0.3 else ""
    extra = "limit" if extra and extra == x else extra
    shown = extra or repr(value).replace("'", '"')
    test = rng.choice(kept.code).replace("{x}", x).replace("{k}", shown).replace("{c}", shown)
    items = source.code.replace("{a}", a)
    clause = kept.clause.replace("{k}", shown).replace("{c}", shown)
    where = rng.choice(source.of).replace("{a}", a)
    phrase = rng.choice(wordings).format(n=rng.choice(source.nouns), w=where, c=clause).replace("  ", " ")
    if rng.random() < 0.6:
        lines = ["return " + short.format(t=test, x=x, s=items)]
    else:
        wrong = f"if {test}:" if stops_at else f"if not ({test}):"
        lines = [f"for {x} in {items}:", f"{INDENT}{wrong}", f"{INDENT * 2}return {quantifier == 'any'}"]
        lines.append(f"return {quantifier != 'any'}")
    checks: list[Check] = []
    for _ in range(5):
        given, limit = source.given(rng), parameter(rng, kept) if extra else value
        result = act([kept.act(item, limit) for item in source.items(given)])
        checks.append(((given, limit) if extra else (given,), result))
    name = rng.choice((f"{quantifier}_{kept.slug}", *ANY_NAMES))
    name = name if name not in (a, extra) else "holds"
    hints = (source.hint, *(("object",) if extra else ()), "bool")
    lead = [line.replace("{a}", a) for line in source.lead]
    arguments = (a, extra) if extra else (a,)
    keys = (f"predicate {kind} {kept.slug} {quantifier}",)
    body = (*lead, *lines)
    return Task(keys, name, arguments, hints, phrase, body, tuple(checks), "whether", source.reads_file, False)

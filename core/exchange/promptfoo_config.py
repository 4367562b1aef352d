"""An experiment as a configuration of promptfoo (promptfoo.dev, 0.121), which runs it without Diptych.

What promptfoo has no word for becomes an expression in JavaScript; what has none either is listed at the file's head.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from core import catalog, prompts
from core.catalog.servers import CUSTOM, SERVERS
from core.checks import dialect
from core.checks.dialect import ParsedCheck
from core.errors import CheckError, InvalidInput
from core.exchange.yaml_writer import dumped
from core.experiment.grid import settings
from core.experiment.verdict_words import letter
from core.text import clean
from core.types import Check, Experiment, Input, Value, Variant

_SAME = frozenset(
    {
        "equals",
        "contains",
        "icontains",
        "contains-any",
        "contains-all",
        "icontains-any",
        "icontains-all",
        "starts-with",
        "regex",
        "is-json",
        "contains-json",
        "word-count",
        "levenshtein",
    }
)
"""Checks that promptfoo has under the same name."""

_WORDS = "(output.trim().match(/\\S+/g) || []).length"
EXPRESSIONS = {
    "number": "parseFloat((output.replace(/(\\d),(?=\\d{3})/g, '$1').match(/-?\\d+(\\.\\d+)?/g) || []).pop()) === %s",
    "ends-with": "output.trim().endsWith(%s)",
    "max-words": f"{_WORDS} <= %s",
    "min-words": f"{_WORDS} >= %s",
    "max-chars": "[...output.trim()].length <= %s",
    "min-chars": "[...output.trim()].length >= %s",
    "one-word": f"{_WORDS} === 1",
    "upper": "/\\p{L}/u.test(output) && output === output.toUpperCase()",
    "bullets": "(output.match(/^\\s*([-*\\u2022]|\\d+[.)])\\s/gm) || []).length === %s",
}
"""Checks of Diptych's own as expressions; %s is their argument as JSON."""

_LENGTHS = {"max_new_tokens": "max_tokens"}
_PARAMETERS = ("temperature", "top_p", "seed", "stop", "presence_penalty", "frequency_penalty")


def promptfoo_config(experiment: Experiment) -> str:
    """The experiment as YAML. Local models become promptfoo's `echo`, which repeats the prompt: set a server there."""
    left_out: list[str] = []
    config: dict[str, Any] = {
        "description": clean(experiment.title) or "An experiment of Diptych",
        "prompts": [_prompt(experiment, variant, number) for number, variant in enumerate(experiment.variants)],
        "providers": list(_providers(experiment, left_out)),
    }
    default = _assertions([check for check in experiment.checks if "{{" not in check.line], "every input", left_out)
    if default or experiment.threshold is not None:
        config["defaultTest"] = _with_threshold({"assert": default} if default else {}, experiment.threshold)
    config["tests"] = [
        _test(experiment, row, number, left_out) for number, row in enumerate(experiment.inputs, start=1)
    ]
    if experiment.samples > 1:
        config["evaluateOptions"] = {"repeat": experiment.samples}
    if experiment.images or any(message.images for message in experiment.earlier):
        left_out.append("attached images")
    if experiment.answer_prefix:
        left_out.append("the beginning of the answers, which the model continues")
    head = "".join(f"# Not taken over: {' '.join(line.split())}\n" for line in dict.fromkeys(left_out))
    return head + dumped(config)


def _prompt(experiment: Experiment, variant: Variant, number: int) -> dict[str, str]:
    """A prompt, as a chat's messages where there is more than the user's one."""
    system, user = (_template(variant, clean(text)) for text in (variant.system, variant.user))
    messages = [{"role": "system", "content": system}] if system.strip() else []
    messages += [{"role": one.role, "content": _raw(clean(one.text))} for one in experiment.earlier]
    label = f"{letter(number)} · {clean(variant.name)}"
    if not messages:
        return {"label": label, "raw": user}
    return {"label": label, "raw": json.dumps([*messages, {"role": "user", "content": user}], ensure_ascii=False)}


def _template(variant: Variant, text: str) -> str:
    return _raw(text) if variant.literal else text


def _raw(text: str) -> str:
    """Text whose braces promptfoo leaves alone."""
    if "{{" not in text and "{%" not in text and "{#" not in text:
        return text
    return "{% raw %}" + text.replace("{% endraw %}", "{% endraw %}{{ '{% endraw %}' }}{% raw %}") + "{% endraw %}"


def _providers(experiment: Experiment, left_out: list[str]) -> Iterable[dict[str, Any]]:
    """One provider per model and combination of parameter values."""
    for model in experiment.models:
        for values in settings(experiment):
            label = model + "".join(f", {name} {values[name]}" for name in experiment.axes)
            yield _provider(model, label, values, experiment.seed, left_out)


def _provider(model: str, label: str, values: Mapping[str, Value], seed: int, left_out: list[str]) -> dict[str, Any]:
    server_id, _, name = model.partition(":")
    row = catalog.find(model)
    if row is None or row.local:
        left_out.append(f"{model} runs in Diptych only: 'echo' stands for it, set a provider of yours")
        return {"id": "echo", "label": f"{label} (set a provider)"}
    config = {name: _plain(values[name]) for name in _PARAMETERS if values.get(name) not in (None, (), "")}
    config |= {theirs: values[ours] for ours, theirs in _LENGTHS.items() if values.get(ours) is not None}
    name = name.partition("#")[0]
    if server_id == "gemini":
        limits = {"maxOutputTokens": config.pop("max_tokens", None), "topP": config.pop("top_p", None)}
        config |= {name: value for name, value in limits.items() if value is not None}
        return {"id": f"google:{name}", "label": label, "config": config}
    base = (
        name.partition("@")[2] if server_id == CUSTOM else next(one.base_url for one in SERVERS if one.id == server_id)
    )
    config = {"apiBaseUrl": base, "seed": seed, **config}
    return {"id": f"openai:chat:{name.partition('@')[0]}", "label": label, "config": config}


def _test(experiment: Experiment, row: Input, number: int, left_out: list[str]) -> dict[str, Any]:
    """An input; checks that name its variables have their values here, those for every input too."""
    test: dict[str, Any] = {"vars": {name: _raw(clean(value)) for name, value in row.values.items()}}
    templates = [check for check in experiment.checks if "{{" in check.line]
    assertions = _assertions([_filled(check, row) for check in (*templates, *row.checks)], f"input {number}", left_out)
    if assertions:
        test["assert"] = assertions
    if row.group:
        test["metadata"] = {"group": row.group}
    return _with_threshold(test, row.threshold)


def _filled(check: Check, row: Input) -> Check:
    try:
        return replace(check, line=prompts.render(check.line, row.values)) if "{{" in check.line else check
    except InvalidInput:
        return check


def _with_threshold(test: dict[str, Any], threshold: float | None) -> dict[str, Any]:
    return test if threshold is None else test | {"threshold": threshold}


def _assertions(checks: Iterable[Check], where: str, left_out: list[str]) -> list[dict[str, Any]]:
    assertions = []
    for check in checks:
        if not check.line.strip():
            continue
        assertion = _assertion(check.line.strip(), left_out)
        if assertion is None:
            left_out.append(f"the check '{check.line}' of {where}")
            continue
        extras = {"metric": check.metric or None, "weight": None if check.weight == 1 else check.weight}
        extras |= {"threshold": check.threshold}
        assertions.append(assertion | {name: value for name, value in extras.items() if value is not None})
    return assertions


def _assertion(line: str, left_out: list[str]) -> dict[str, Any] | None:
    """One check as an assertion; None where promptfoo can say nothing like it."""
    try:
        check = dialect.parse(line)
        differs = dialect.notes(line) if check.name in _SAME else ()
    except CheckError:
        return None
    left_out += [f"a difference in '{line}': {sentence}" for sentence in differs]
    if check.name in _SAME:
        assertion: dict[str, Any] = {"type": f"not-{check.name}" if check.negated else check.name}
        if check.number is not None:
            assertion["threshold"] = float(check.number)
        value = _value(check)
        return assertion if value in ("", None) else assertion | {"value": value}
    expression = EXPRESSIONS.get(check.name)
    if expression is None:
        return None
    text = json.dumps(check.argument) if isinstance(check.argument, str) else str(check.argument)
    filled = expression.replace("%s", text)
    return {"type": "javascript", "value": f"!({filled})" if check.negated else filled}


def _value(check: ParsedCheck) -> object:
    """The value of an assertion that promptfoo has too."""
    match check.name, check.argument:
        case "word-count", (least, most):
            return least if least == most else {"min": least, "max": most}
        case "is-json" | "contains-json", tuple(names):
            return {"type": "object", "required": list(names)} if names else None
        case _, tuple(parts):
            return list(parts)
        case _, written:
            return str(written).strip()


def _plain(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value

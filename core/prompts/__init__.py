"""Prompt templates: which {{variables}} one has, and its text once they are filled in.

The language (core.prompts.language) is `{{ name }}`, a short list of filters, `{% if %}`, and one level of
`{% for line in name | lines %}`. A value is never read as a template. Where a template cannot be read, the error
names the characters and their place (core.prompts.problems), and `read` gives what can be read of it nevertheless.
Braces that are meant as text stand between {% raw %} and {% endraw %}; `literal` writes a text so. Knows nothing of
models or messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Template
from jinja2 import TemplateError as JinjaError

from core.errors import TemplateError
from core.prompts import problems
from core.prompts.language import ENVIRONMENT, MAX_LINES, MAX_WORK, NotAllowed, allow, names

MAX_TEMPLATE = 100_000
MAX_VALUES = 200_000
MAX_OUTPUT = 400_000
"""Limits: characters of a template, of all values together and of the result."""

__all__ = [
    "MAX_LINES",
    "MAX_OUTPUT",
    "MAX_TEMPLATE",
    "MAX_VALUES",
    "MAX_WORK",
    "Reading",
    "literal",
    "read",
    "render",
    "variables",
]


@dataclass(frozen=True, slots=True)
class Reading:
    """What can be read of a template: its variables in order of first appearance; in a sentence the first problem ("":
    none), and what may not be meant as it is read ("": nothing)."""

    variables: tuple[str, ...]
    problem: str = ""
    note: str = ""


def variables(template: str) -> tuple[str, ...]:
    """The names that a template needs, in order of first appearance.

    Raises:
        TemplateError: the template cannot be read; names the characters and where they stand.
    """
    return _compiled(template)[1]


@lru_cache(maxsize=256)
def read(template: str) -> Reading:
    """As `variables`, but what can be read is told beside what cannot."""
    try:
        return Reading(variables(template), note=problems.latex_note(template))
    except TemplateError as error:
        return Reading(problems.readable(template), str(error))


def literal(text: str) -> str:
    """A template whose text is this, whatever braces are in it; line ends become \\n, as in every template."""
    if not re.search(r"\{[{%#]", text):
        return text
    if "endraw" not in text:
        return f"{{% raw %}}{text}{{% endraw %}}"
    return re.sub(r"\{+[%#]?", lambda match: f'{{{{ "{match[0]}" }}}}' if len(match[0]) > 1 else match[0], text)


def render(template: str, values: Mapping[str, str]) -> str:
    """The template's text with its variables filled in, once: braces inside a value stay as they are.

    Every variable needs a value, if only an empty one. A trailing newline is kept.

    Raises:
        TemplateError: a variable has no value, the template cannot be read, or the result is too long.
    """
    compiled, needed = _compiled(template)
    missing = [name for name in needed if name not in values]
    if missing:
        raise TemplateError(f"No value for {_listed(missing)}.")
    used = {name: values[name] for name in needed}
    if sum(map(len, used.values())) > MAX_VALUES:
        raise TemplateError(f"The values of {_listed(needed)} have over {MAX_VALUES} characters; shorten them.")
    try:
        return _joined(compiled, used)
    except (JinjaError, TypeError, ValueError, RecursionError) as error:
        raise TemplateError(f"The template cannot be filled in: {type(error).__name__}. Simplify it.") from None


def _joined(compiled: Template, values: Mapping[str, str]) -> str:
    pieces: list[str] = []
    length = 0
    for piece in compiled.generate(values):
        pieces.append(piece)
        length += len(piece)
        if length > MAX_OUTPUT:
            raise TemplateError(f"The filled-in prompt has over {MAX_OUTPUT} characters; shorten its values.")
    return "".join(pieces)


@lru_cache(maxsize=256)
def _compiled(template: str) -> tuple[Template, tuple[str, ...]]:
    if len(template) > MAX_TEMPLATE:
        raise TemplateError(f"The template has {len(template)} characters; at most {MAX_TEMPLATE} can be filled in.")
    try:
        tree = ENVIRONMENT.parse(template)
        allow(tree)
        return ENVIRONMENT.from_string(tree), names(tree)
    except NotAllowed as error:
        where = f"Line {error.line} of the template: " if error.line else ""
        raise TemplateError(problems.first(template) or f"{where}{error} {problems.AS_TEXT}") from None
    except (JinjaError, ValueError, SyntaxError, RecursionError, MemoryError):
        raise TemplateError(
            problems.first(template) or f"The template cannot be read; simplify it. {problems.AS_TEXT}"
        ) from None


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names)

"""Prompt templates: which {{variables}} one has, and its text once they are filled in.

The language is the small safe part of Jinja2's: `{{ name }}`, a short list of filters, `{% if %}`, and one level of
`{% for line in name | lines %}`. No calls, no arithmetic, no attributes: a template cannot hang, grow without bound
or reach anything but its values, and a value is never read as a template. Knows nothing of models or messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.errors import TemplateError

MAX_TEMPLATE = 20_000
MAX_VALUES = 40_000
MAX_OUTPUT = 200_000
MAX_LINES = 100
MAX_WORK = 20
"""Limits: characters of a template, of all values together and of the result; turns of a loop; filters and
comparisons in one template. Together they keep the slowest template well under a second."""

LITERAL_BRACES = """To write two braces literally, use {{ "{{" }}."""


def variables(template: str) -> tuple[str, ...]:
    """The names that a template needs, in order of first appearance.

    Raises:
        TemplateError: the template cannot be read; names the line.
    """
    return _compiled(template)[1]


def literal(text: str) -> str:
    """A template whose text is exactly this, whatever braces are in it."""
    return re.sub(r"\{+[%#]?", lambda found: f'{{{{ "{found[0]}" }}}}' if len(found[0]) > 1 else found[0], text)


def render(template: str, values: Mapping[str, str]) -> str:
    """The template's text with its variables filled in, once: braces inside a value stay as they are.

    Every variable needs a value, if only an empty one. A trailing newline is kept.

    Raises:
        TemplateError: a variable has no value, the template cannot be read, or the result is too long.
    """
    compiled, names = _compiled(template)
    missing = [name for name in names if name not in values]
    if missing:
        raise TemplateError(f"No value for {_listed(missing)}.")
    used = {name: values[name] for name in names}
    if sum(map(len, used.values())) > MAX_VALUES:
        raise TemplateError(f"The values of {_listed(names)} have over {MAX_VALUES} characters; shorten them.")
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
        tree = _ENVIRONMENT.parse(template)
        _allowed(tree)
        return _ENVIRONMENT.from_string(tree), _names(tree)
    except TemplateSyntaxError as error:
        raise TemplateError(f"Line {error.lineno} of the template cannot be read. {LITERAL_BRACES}") from None
    except (JinjaError, ValueError, SyntaxError, RecursionError, MemoryError):
        raise TemplateError(f"The template cannot be read; simplify it. {LITERAL_BRACES}") from None


def _names(tree: nodes.Template) -> tuple[str, ...]:
    needed = meta.find_undeclared_variables(tree)
    seen = dict.fromkeys(node.name for node in tree.find_all(nodes.Name) if node.name in needed)
    return tuple(seen)


def _allowed(tree: nodes.Template) -> None:
    """Refuse whatever could run long or reach outside; the lists below are all there is."""
    work = 0
    for node in tree.find_all(nodes.Node):
        work += isinstance(node, _WORK)
        if not isinstance(node, _NODES) or _forbidden(node):
            raise TemplateError(f"Line {node.lineno} of the template: {_refusal(node)} {LITERAL_BRACES}")
    if work > MAX_WORK:
        raise TemplateError(f"The template has {work} filters and comparisons; at most {MAX_WORK} are filled in.")


def _forbidden(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Filter):
        return node.name not in _FILTERS or bool(node.args or node.kwargs)
    if isinstance(node, nodes.For):
        nested = any(True for part in node.body for _ in (part.find_all(nodes.For)))
        nested = nested or any(isinstance(part, nodes.For) for part in node.body + node.else_)
        plain = isinstance(node.target, nodes.Name) and node.test is None and not node.recursive
        return nested or not plain or not _is_lines(node.iter)
    if isinstance(node, nodes.Name):
        return node.name in _RESERVED
    if isinstance(node, nodes.Getattr):
        return not (isinstance(node.node, nodes.Name) and node.node.name == "loop" and node.attr in _LOOP)
    return False


def _is_lines(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Filter) and node.name == "lines"


def _refusal(node: nodes.Node) -> str:
    if isinstance(node, nodes.Filter):
        return (
            f"the filter '{node.name}' is not known here; use one of {', '.join(sorted(_FILTERS))}, without arguments."
        )
    if isinstance(node, nodes.For):
        return "a loop must read {% for line in name | lines %}, not inside another loop."
    if isinstance(node, nodes.Name):
        return f"'{node.name}' cannot be a variable's name; choose another."
    return "only {{ name }}, filters, if and for can be used here."


def _lines(value: str) -> list[str]:
    """The lines of a value that are not blank.

    Raises:
        TemplateError: more than MAX_LINES.
    """
    found = [line for line in value.splitlines() if line.strip()]
    if len(found) > MAX_LINES:
        raise TemplateError(f"A value has {len(found)} lines; a loop takes at most {MAX_LINES}.")
    return found


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names)


_FILTERS = {  # a loop applies a filter to the same value at every turn
    "upper": lru_cache(maxsize=32)(str.upper),
    "lower": lru_cache(maxsize=32)(str.lower),
    "capitalize": lru_cache(maxsize=32)(str.capitalize),
    "trim": str.strip,
    "length": len,
    "lines": _lines,
}
_LOOP = {"index", "index0", "first", "last", "length"}
_RESERVED = {"self", "super", "caller", "varargs", "kwargs"}
_WORK = (nodes.Filter, nodes.Compare)
_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Filter,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Getattr,
)

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, cache_size=0)
_ENVIRONMENT.globals.clear()
_ENVIRONMENT.tests.clear()
_ENVIRONMENT.filters = dict(_FILTERS)

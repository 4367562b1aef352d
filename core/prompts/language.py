"""The template language: the small safe part of Jinja2's. No calls, no arithmetic, no attributes.

A template cannot hang, grow without bound or reach anything but its values: whatever is not listed here is refused.
"""

from __future__ import annotations

from functools import lru_cache

from jinja2 import StrictUndefined, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.errors import TemplateError

MAX_LINES = 100
MAX_WORK = 20
"""Turns of a loop; filters and comparisons in one template. They keep the slowest template well under a second."""


class NotAllowed(Exception):
    """The language has no such thing; str() is a sentence, `line` where it stands (0: nowhere in particular)."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(sentence)
        self.line = line


def names(tree: nodes.Template) -> tuple[str, ...]:
    needed = meta.find_undeclared_variables(tree)
    seen = dict.fromkeys(node.name for node in tree.find_all(nodes.Name) if node.name in needed)
    return tuple(seen)


def allow(tree: nodes.Template) -> None:
    """Refuse whatever could run long or reach outside; the lists below are all there is.

    Raises:
        NotAllowed: something else is in it.
    """
    work = 0
    for node in tree.find_all(nodes.Node):
        work += isinstance(node, _WORK)
        if not isinstance(node, _NODES) or _forbidden(node):
            raise NotAllowed(_refusal(node), node.lineno)
    if work > MAX_WORK:
        raise NotAllowed(f"The template has {work} filters and comparisons; at most {MAX_WORK} are filled in.")


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
    return ONLY


def _lines(value: str) -> list[str]:
    """The lines of a value that are not blank.

    Raises:
        TemplateError: more than MAX_LINES.
    """
    lines = [line for line in value.splitlines() if line.strip()]
    if len(lines) > MAX_LINES:
        raise TemplateError(f"A value has {len(lines)} lines; a loop takes at most {MAX_LINES}.")
    return lines


ONLY = "only {{ name }}, filters, if and for can be used here."
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

ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, cache_size=0)
ENVIRONMENT.globals.clear()
ENVIRONMENT.tests.clear()
ENVIRONMENT.filters = dict(_FILTERS)

"""YAML of a stranger as plain values: nothing is executed, and a few lines cannot unfold into gigabytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput

if TYPE_CHECKING:
    from yaml.nodes import Node

MAX_NODES = 200_000
"""Values in one document, with those that aliases repeat."""

MAX_DEPTH = 100


def load(text: str) -> Any:
    """The value of a YAML document.

    Raises:
        InvalidInput: it cannot be read (the sentence says where), or unfolds into more than MAX_NODES values.
    """
    import yaml

    try:
        loader = yaml.SafeLoader(text)
    except yaml.YAMLError:
        raise InvalidInput("The file holds control characters, which YAML does not allow.") from None
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}, 0) > MAX_NODES:
            raise InvalidInput(f"The file unfolds into more than {MAX_NODES:,} values; write it without aliases.")
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidInput(f"The file is not YAML{where}: {error.problem or error.context}.") from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError, OverflowError):
        raise InvalidInput("The file is neither YAML nor JSON.") from None
    finally:
        loader.dispose()


def _size(node: Node, sizes: dict[int, int], depth: int) -> int:
    """How many values a node unfolds into. `sizes` has those of nodes seen before, -1 of those that hold this one."""
    from yaml.nodes import MappingNode, SequenceNode

    known = sizes.get(id(node))
    if known == -1 or depth > MAX_DEPTH:
        raise InvalidInput(f"The file is nested over {MAX_DEPTH} levels, or within itself; write it without aliases.")
    if known is not None:
        return known
    sizes[id(node)] = -1
    size = 1
    if isinstance(node, SequenceNode):
        size += sum(_size(child, sizes, depth + 1) for child in node.value)
    elif isinstance(node, MappingNode):
        size += sum(_size(key, sizes, depth + 1) + _size(value, sizes, depth + 1) for key, value in node.value)
    sizes[id(node)] = size
    return size

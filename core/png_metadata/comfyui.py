"""Settings of ComfyUI, which saves no settings but the graph of nodes that made an image.

A prompt is what leads, along the graph's links, to the sampler; with several samplers or texts it is not known which of
them is meant, and then that field is not read. Format: ComfyUI, execution.py: a node is `class_type` and `inputs`, and
an input is a value or a link, [number of a node, number of its output].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.errors import InvalidInput
from core.png_metadata import foreign
from core.png_metadata.settings import ImageSettings

MAX_NODES = 5_000
_TEXTS = ("text", "text_g", "text_l", "t5xxl", "clip_l", "clip_g", "prompt", "string", "value")
"""Inputs of nodes that hold a text, or a link to one."""

Node = Mapping[str, Any]


def read(table: Mapping[str, Any]) -> ImageSettings:
    """What of a graph is meant beyond doubt.

    Raises:
        InvalidInput: nothing is, or it is no graph.
    """
    graph = _Graph(table)
    candidates: dict[str, set[object]] = {
        "prompt": graph.of_samplers(lambda node: graph.texts(node, "positive")),
        "negative_prompt": graph.of_samplers(lambda node: graph.texts(node, "negative")),
        "seed": graph.of_samplers(lambda node: graph.numbers(node, ("seed", "noise_seed"), "noise")),
        "steps": graph.of_samplers(lambda node: graph.numbers(node, ("steps",), "sigmas")),
        "guidance_scale": graph.of_samplers(lambda node: graph.numbers(node, ("cfg",), "guider")),
    }
    clear = {name: next(iter(values)) for name, values in candidates.items() if len(values) == 1}
    if not clear:
        raise InvalidInput(
            "The file is ComfyUI's. It holds a workflow from which its prompt cannot be told, so nothing was read."
        )
    unclear = [name.replace("_", " ") for name, values in candidates.items() if len(values) > 1]
    notes = (
        (f"The file is ComfyUI's, and its workflow has more than one {', '.join(unclear)}: what was set here stays.",)
        if unclear
        else ()
    )
    models = graph.values("ckpt_name")
    return foreign.settings_of({**clear, "model": models.pop() if len(models) == 1 else None}, notes)


class _Graph:
    """Nodes by number. A walk visits none of them twice, so links that run in a circle end."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._nodes: dict[str, Node] = {
            str(number): node
            for number, node in list(table.items())[:MAX_NODES]
            if isinstance(node, Mapping) and isinstance(node.get("inputs"), Mapping) and "class_type" in node
        }

    def of_samplers(self, look: Callable[[Node], set[object]]) -> set[object]:
        """What `look` finds at the nodes that make an image of noise."""
        samplers = [
            node
            for node in self._nodes.values()
            if "Sampler" in str(node["class_type"]) and {"positive", "guider"} & node["inputs"].keys()
        ]
        return {value for node in samplers for value in look(node)}

    def values(self, name: str) -> set[str]:
        """The texts of all nodes' inputs of this name."""
        inputs = (node["inputs"].get(name) for node in self._nodes.values())
        return {value for value in inputs if isinstance(value, str)}

    def texts(self, sampler: Node, side: str) -> set[object]:
        """All texts that lead to a sampler's "positive" or "negative"; empty ones only where there is no other."""
        link = sampler["inputs"].get(side)
        guider = self._linked(sampler["inputs"].get("guider"))
        if guider is not None:
            link = guider["inputs"].get(side)
            if link is None and side == "positive":
                link = guider["inputs"].get("conditioning")
        texts = set(self._texts_behind(link))
        return {text for text in texts if text.strip()} or set(texts)

    def numbers(self, sampler: Node, names: tuple[str, ...], behind: str) -> set[object]:
        """The numbers in a sampler's inputs of these names, or in those of the node that is linked to `behind`."""
        other = self._linked(sampler["inputs"].get(behind))
        nodes = [sampler] if other is None else [sampler, other]
        return {
            number for node in nodes for name in names if (number := self._number(node["inputs"].get(name))) is not None
        }

    def _number(self, value: object) -> int | float | None:
        node = self._linked(value)
        if node is not None:  # a node that holds a number and nothing else to choose from
            numbers = [one for one in node["inputs"].values() if _is_number(one)]
            value = numbers[0] if len(numbers) == 1 else None
        return value if _is_number(value) else None  # type: ignore[return-value]

    def _linked(self, value: object) -> Node | None:
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int):
            return self._nodes.get(str(value[0]))
        return None

    def _texts_behind(self, link: object) -> Iterator[str]:
        waiting, seen = [link], set[str]()
        while waiting:
            link = waiting.pop()
            node = self._linked(link)
            if node is None or str(link) in seen or node["class_type"] == "ConditioningZeroOut":
                continue
            seen.add(str(link))
            inputs = node["inputs"]
            if "positive" in inputs and "negative" in inputs:  # hands both on, the positive one as its first output
                waiting.append(inputs["positive" if link[1] == 0 else "negative"])  # type: ignore[index]
                continue
            yield from (inputs[name] for name in _TEXTS if isinstance(inputs.get(name), str))
            waiting += [one for name, one in inputs.items() if name in _TEXTS or name.startswith("cond")]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

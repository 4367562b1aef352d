"""Plain values as YAML that readers of both versions, 1.1 and 1.2, take for the same: every text that one of them would
read as another value is quoted. Texts of several lines stand as lines."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.exchange.yaml_scalars import SCALARS

if TYPE_CHECKING:
    from yaml import SafeDumper

_OTHER_BREAKS = frozenset("\r\x85\u2028\u2029")
"""Line ends that YAML reads as line feeds unless they are escaped."""


def dumped(value: Any) -> str:
    """The value as a YAML document, mappings in their own order."""
    import yaml

    text: str = yaml.dump(value, Dumper=_dumper(), allow_unicode=True, sort_keys=False, width=110)
    return text


@lru_cache(maxsize=1)
def _dumper() -> type[SafeDumper]:
    import yaml

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]
        pass

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if _OTHER_BREAKS & set(value) else "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    for tag, pattern, first in SCALARS:  # beside those of 1.1
        Dumper.add_implicit_resolver(tag, pattern, first)
    return Dumper

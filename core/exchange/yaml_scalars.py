"""The plain scalars of YAML 1.2's core schema, as JavaScript's readers resolve them.

PyYAML's own are of YAML 1.1: to it `yes` is true and `1e3` a text. Knows nothing of loaders.
"""

from __future__ import annotations

import re

_TABLE = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("int", r"[-+]?(?:0b[01]+|0x[0-9a-fA-F]+|0o[0-7]+|[0-9]{1,300})", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
    ("merge", "<<", "<"),
)
SCALARS = tuple(
    (f"tag:yaml.org,2002:{kind}", re.compile(f"(?:{pattern})\\Z"), list(first)) for kind, pattern, first in _TABLE
)
"""(tag, pattern, first characters) as `add_implicit_resolver` takes them."""

"""The JSON schema that an answer must follow, as it was typed, and how a server says that it is wrong."""

from __future__ import annotations

import json
import re

from core.errors import InvalidInput
from core.types import Value

_MUST = 'The JSON schema must be a JSON object, such as {"type": "object"}'


def json_schema(text: Value) -> dict[str, object]:
    """The schema that a text holds.

    Raises:
        InvalidInput: it is not JSON, or no object.
    """
    try:
        schema = json.loads(str(text))
        json.dumps(schema, allow_nan=False)
    except (ValueError, RecursionError):
        raise InvalidInput(
            f"{_MUST}, and this is not JSON. Check its quotes, commas and braces, or empty it."
        ) from None
    if not isinstance(schema, dict):
        raise InvalidInput(f"{_MUST}: what is outermost in it must be an object. Correct or empty it.")
    return schema


def is_schema_error(message: str) -> bool:
    """Whether a server's message says that the schema itself is wrong, rather than that it takes none."""
    return bool(_WRONG.search(message))


_WRONG = re.compile(
    r"""invalid\s+(json\s*)?schema|schema\s+(error|validation|is\s+(invalid|not\s+valid))|(bad|malformed)\s+schema"""
    r"""|not\s+(a\s+)?valid\s+(json\s*)?schema|schema[^.]{0,40}\b(could|can)\s*not\s+be"""
    r"""|schema[\w.\[\]'"]*(\.|\[)['"]?\w|schema\s+(at|produces|has|contains|must)\b"""
    r"""|(unrecogni[sz]ed|unknown|unimplemented|unresolvable|unsupported)\s+(schema\s+)?(type|keyword|keys|ref)\b"""
    r"""|in\s+context\s*=|\$ref|\$defs|additionalproperties|grammar|failed\s+to\s+\w+[^.]{0,40}\bschema""",
    re.IGNORECASE,
)
"""Said by OpenAI, vLLM, llama.cpp (whose schemas become grammars), Mistral and Google of a schema with a fault."""

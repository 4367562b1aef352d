"""Whether the checks of a file can be read, within a time; those that cannot are listed with their reason."""

from __future__ import annotations

import time
from collections.abc import Mapping

from core import checks, prompts
from core.errors import CheckError, InvalidInput, TemplateError
from core.exchange.inputs.imported import LeftOut

READ_SECONDS = 10.0
"""What the checks of one file may take to be read; a pattern or schema alone may take a second."""


class CheckReader:
    """Reads check lines of one file; `left_out` collects the ones that cannot be read."""

    def __init__(self) -> None:
        self.left_out: list[LeftOut] = []
        self._until = time.monotonic() + READ_SECONDS
        self._read: dict[str, str] = {}

    def readable(self, line: str, values: Mapping[str, str], where: str) -> bool:
        """Whether a check can be read with a row's values filled in; else it is listed.

        Raises:
            InvalidInput: the checks read so far took too long.
        """
        problem = self._problem(line, values)
        if problem:
            self.left_out.append(LeftOut(where, problem))
        return not problem

    def _problem(self, line: str, values: Mapping[str, str]) -> str:
        try:
            filled = prompts.render(line, values) if "{{" in line else line
        except TemplateError as error:
            return str(error)
        if filled not in self._read:
            if time.monotonic() > self._until:
                raise InvalidInput(
                    f"The checks of this file take over {READ_SECONDS:g} s to be read. "
                    "Use fewer patterns and schemas, or a part of the file."
                )
            self._read[filled] = _problem(filled)
        return self._read[filled]


def _problem(line: str) -> str:
    try:
        checks.parse(line)
    except CheckError as error:
        return str(error)
    return ""

"""Search in any case and any normalisation of Unicode: what is stored for it, and the condition that reads it.

SQLite compares only ASCII letters without regard to case, so titles, prompts and answers are folded before they are
stored, as Unicode's compatibility caseless matching does it (The Unicode Standard, section 3.13, D146): capitals
are small letters in every script, ß is ss, a final sigma is a sigma, and a letter with an accent is the same in one
character or in two.
"""

from __future__ import annotations

import unicodedata

from sqlalchemy import ColumnElement, exists, func, or_

from core.errors import InvalidInput
from core.history.schema import CELLS, RUNS
from core.text import clean

MAX_SEARCH = 200


def folded(text: str) -> str:
    """The text as search compares it."""
    if text.isascii():
        return text.lower()
    once = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", once.casefold())


def folded_answer(text: str) -> str | None:
    """What is stored of an answer for search; None where it is ASCII, which the database folds by itself."""
    return None if text.isascii() else folded(text)


def matches(text: str) -> list[ColumnElement[bool]]:
    """The condition that a run's title, prompts or answers hold the text; none for a blank one.

    Raises:
        InvalidInput: the text is longer than MAX_SEARCH characters.
    """
    text = clean(text).strip()
    if len(text) > MAX_SEARCH:
        raise InvalidInput(f"Search for at most {MAX_SEARCH} characters.")
    if not text:
        return []
    words = folded(text)
    answers = func.coalesce(CELLS.c.folded, CELLS.c.text).icontains(words, autoescape=True)
    fields = [column.contains(words, autoescape=True) for column in (RUNS.c.folded_title, RUNS.c.prompts)]
    return [or_(*fields, exists().where(CELLS.c.run_id == RUNS.c.id, answers))]

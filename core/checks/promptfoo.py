"""Where promptfoo means otherwise: its assertions that are no checks here, and what patterns mean in JavaScript.

The names are those of promptfoo 0.121, with the short forms that its tables allow. Knows nothing of answers.
"""

from __future__ import annotations

import re

_INSTEAD = (
    (
        "agent-rubric answer-relevance classifier context-faithfulness context-recall context-relevance "
        "conversation-relevance factuality g-eval grade guardrails human llm-rubric max-score model-graded-closedqa "
        "model-graded-factuality moderation pi search-rubric select-best",
        "a check asks no model and no person; the nearest are icontains-all and regex",
    ),
    ("javascript fn eval python ruby webhook assert-set", "a check executes nothing; the nearest is regex"),
    (
        "cost latency perplexity perplexity-score finish-reason skill-used trace-error-spans trace-span-count "
        "trace-span-duration trajectory",
        "a check reads the answer alone; its seconds, tokens and cost are shown beside it",
    ),
    (
        "is-valid-function-call is-valid-openai-function-call is-valid-openai-tools-call tool-call-f1",
        "the nearest is is-json with a schema",
    ),
    ("bleu gleu meteor rouge-n similar", "the nearest is levenshtein"),
    ("is-html is-sql is-xml", "the nearest is regex"),
    ("contains-html contains-sql contains-xml", "the nearest are contains-all and regex"),
    ("is-refusal", "the nearest is icontains-any"),
)
INSTEAD = {name: sentence for names, sentence in _INSTEAD for name in names.split()}
"""Every assertion of promptfoo's that is no check here, by the part of its name before a colon, and what to do."""

JARGON = frozenset({"guardrails", "perplexity"})
"""Assertions of one word that promptfoo runs without a value, and that nobody means as an answer. Other single words
(python, human, similar) are text to compare with."""

_PATTERNS = (
    (r"\$", "`$` matches before a last line end too"),
    (r"\\[dDwWbB]", r"`\d`, `\w` and `\b` know the digits and letters of every script"),
    (r"\\[sS]", r"`\s` leaves out U+FEFF"),
    (r"(?<!\\)\.", "`.` matches all but a line feed, and a whole emoji"),
    (r"\\[1-9]", "a group that took no part matches nothing, not the empty text"),
    (r"\\[AZzhHpPKGRXLNmMQ]", r"`\A`, `\Z`, `\h`, `\p{...}` and the like have their meaning"),
    (r"\{,\d+\}", "`{,3}` is a repetition"),
    (r"\(\?(?![:=!]|<)", "`(?i)`, `(?P<name>...)` and the like have their meaning"),
    (r"[*+?}]\+", "`*+` is possessive"),
    (r"\A\s*/.*/[a-z]*\s*\Z", "slashes round the pattern are part of it"),
)


def pattern_differs(argument: str) -> str:
    """What of a pattern means another thing than in promptfoo, whose patterns are JavaScript's; "" where nothing."""
    differences = [sentence for mark, sentence in _PATTERNS if re.search(mark, argument, re.DOTALL)]
    return f"Patterns are those of Python's regex module: {'; '.join(differences)}." if differences else ""

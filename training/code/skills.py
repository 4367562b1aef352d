"""What can be done with an item: filters and maps, each as words, as code, and as a function. Knows no source.

The words and the code of a skill are two descriptions; its ``act`` is a third, written apart, which says what is right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Filter:
    """``words`` hold {0} for the items ("even {0}"), ``clause`` is said of one item, {k} is the parameter."""

    slug: str
    words: tuple[str, ...]
    clause: str
    code: tuple[str, ...]
    act: Callable[[Any, Any], bool]


@dataclass(frozen=True)
class Map:
    """``words`` hold {0} for the items ("the squares of {0}"), ``single`` is the value of one ("its square")."""

    slug: str
    words: tuple[str, ...]
    single: str
    code: tuple[str, ...]
    act: Callable[[Any, Any], Any]
    kind: str = "number"


EVERY = Filter("", ("{0}",), "", ("",), lambda x, k: True)
SAME_NUMBER = Map("", ("{0}",), "", ("{x}",), lambda x, k: x)
SAME_WORD = Map("", ("{0}",), "", ("{x}",), lambda x, k: x, "word")

NUMBER_FILTERS = (
    EVERY,
    Filter("even", ("even {0}",), "is even", ("{x} % 2 == 0",), lambda x, k: not x & 1),
    Filter("odd", ("odd {0}",), "is odd", ("{x} % 2 == 1", "{x} % 2 != 0"), lambda x, k: bool(x & 1)),
    Filter("positive", ("positive {0}",), "is positive", ("{x} > 0",), lambda x, k: max(x, 0) != 0),
    Filter("negative", ("negative {0}",), "is negative", ("{x} < 0",), lambda x, k: min(x, 0) != 0),
    Filter("nonzero", ("non-zero {0}", "nonzero {0}"), "is not zero", ("{x} != 0",), lambda x, k: bool(x)),
    Filter(
        "above",
        ("{0} greater than {k}", "{0} above {k}", "{0} larger than {k}", "{0} that are greater than {k}"),
        "is greater than {k}",
        ("{x} > {k}",),
        lambda x, k: not x <= k,
    ),
    Filter(
        "below",
        ("{0} less than {k}", "{0} below {k}", "{0} smaller than {k}", "{0} that are less than {k}"),
        "is less than {k}",
        ("{x} < {k}",),
        lambda x, k: not x >= k,
    ),
    Filter("at_least", ("{0} that are at least {k}",), "is at least {k}", ("{x} >= {k}",), lambda x, k: not x < k),
    Filter("at_most", ("{0} that are at most {k}",), "is at most {k}", ("{x} <= {k}",), lambda x, k: not x > k),
    Filter(
        "divisible",
        ("{0} divisible by {k}", "{0} that are divisible by {k}", "{0} that are multiples of {k}"),
        "is divisible by {k}",
        ("{x} % {k} == 0",),
        lambda x, k: x // k * k == x,
    ),
    Filter(
        "not_divisible",
        ("{0} not divisible by {k}", "{0} that are not divisible by {k}"),
        "is not divisible by {k}",
        ("{x} % {k} != 0",),
        lambda x, k: x // k * k != x,
    ),
    Filter(
        "other_than",
        ("{0} other than {k}", "{0} not equal to {k}"),
        "is not equal to {k}",
        ("{x} != {k}",),
        lambda x, k: x - k != 0,
    ),
)

NUMBER_MAPS = (
    SAME_NUMBER,
    Map(
        "squares",
        ("the squares of {0}", "the squared {0}"),
        "its square",
        ("{x} ** 2", "{x} * {x}"),
        lambda x, k: pow(x, 2),
    ),
    Map("cubes", ("the cubes of {0}",), "its cube", ("{x} ** 3",), lambda x, k: pow(x, 3)),
    Map("doubles", ("the doubles of {0}", "twice {0}"), "its double", ("{x} * 2", "2 * {x}"), lambda x, k: x + x),
    Map(
        "triples",
        ("the triples of {0}", "three times {0}"),
        "its triple",
        ("{x} * 3", "3 * {x}"),
        lambda x, k: x + x + x,
    ),
    Map("halves", ("the halves of {0}", "half of {0}"), "its half", ("{x} / 2",), lambda x, k: x * 0.5),
    Map("absolute", ("the absolute values of {0}",), "its absolute value", ("abs({x})",), lambda x, k: max(x, -x)),
    Map("negated", ("the negatives of {0}", "the negated {0}"), "its negative", ("-{x}",), lambda x, k: 0 - x),
    Map("increased", ("{0} plus {k}", "{0} increased by {k}"), "itself plus {k}", ("{x} + {k}",), lambda x, k: x - -k),
    Map(
        "decreased", ("{0} minus {k}", "{0} decreased by {k}"), "itself minus {k}", ("{x} - {k}",), lambda x, k: x + -k
    ),
    Map(
        "multiplied", ("{0} times {k}", "{0} multiplied by {k}"), "itself times {k}", ("{x} * {k}",), lambda x, k: x * k
    ),
    Map(
        "remainders",
        ("the remainders of {0} divided by {k}",),
        "its remainder by {k}",
        ("{x} % {k}",),
        lambda x, k: x - x // k * k,
    ),
    Map("last_digits", ("the last digits of {0}",), "its last digit", ("abs({x}) % 10",), lambda x, k: int(str(x)[-1])),
    Map("strings", ("the strings of {0}",), "its string", ("str({x})",), lambda x, k: f"{x}", "word"),
)

WORD_FILTERS = (
    EVERY,
    Filter(
        "longer",
        ("{0} longer than {k}", "{0} with more than {k} letters", "{0} longer than {k} characters"),
        "is longer than {k}",
        ("len({x}) > {k}",),
        lambda x, k: bool(x[k:]),
    ),
    Filter(
        "shorter",
        ("{0} shorter than {k}", "{0} with fewer than {k} letters", "{0} shorter than {k} characters"),
        "is shorter than {k}",
        ("len({x}) < {k}",),
        lambda x, k: not x[k - 1 :],
    ),
    Filter(
        "of_length",
        ("{0} of length {k}", "{0} with exactly {k} letters"),
        "has length {k}",
        ("len({x}) == {k}",),
        lambda x, k: x[:k] == x and bool(x[k - 1 :]),
    ),
    Filter(
        "starting",
        ("{0} starting with {c}", "{0} that start with {c}"),
        "starts with {c}",
        ("{x}.startswith({c})",),
        lambda x, c: x[: len(c)] == c,
    ),
    Filter(
        "ending",
        ("{0} ending with {c}", "{0} that end with {c}"),
        "ends with {c}",
        ("{x}.endswith({c})",),
        lambda x, c: x[len(x) - len(c) :] == c,
    ),
    Filter(
        "containing",
        ("{0} containing {c}", "{0} that contain {c}"),
        "contains {c}",
        ("{c} in {x}",),
        lambda x, c: x.find(c) >= 0,
    ),
    Filter(
        "without",
        ("{0} not containing {c}", "{0} without {c}"),
        "does not contain {c}",
        ("{c} not in {x}",),
        lambda x, c: x.find(c) < 0,
    ),
    Filter(
        "uppercase",
        ("uppercase {0}", "{0} in upper case"),
        "is in upper case",
        ("{x}.isupper()",),
        lambda x, k: x.upper() == x != x.lower(),
    ),
    Filter(
        "lowercase",
        ("lowercase {0}", "{0} in lower case"),
        "is in lower case",
        ("{x}.islower()",),
        lambda x, k: x.lower() == x != x.upper(),
    ),
    Filter(
        "palindromic",
        ("palindromes among {0}", "palindromic {0}"),
        "is a palindrome",
        ("{x} == {x}[::-1]",),
        lambda x, k: list(x) == list(reversed(x)),
    ),
    Filter(
        "numeric",
        ("{0} that are numbers", "{0} made of digits"),
        "is made of digits",
        ("{x}.isdigit()",),
        lambda x, k: bool(x) and set(x) <= set("0123456789"),
    ),
)

WORD_MAPS = (
    SAME_WORD,
    Map(
        "upper",
        ("{0} in upper case", "the uppercase {0}"),
        "its upper case",
        ("{x}.upper()",),
        lambda x, k: "".join(map(str.upper, x)),
        "word",
    ),
    Map(
        "lower",
        ("{0} in lower case", "the lowercase forms of {0}"),
        "its lower case",
        ("{x}.lower()",),
        lambda x, k: "".join(map(str.lower, x)),
        "word",
    ),
    Map(
        "capitalized",
        ("{0} capitalized", "the capitalized {0}"),
        "its capitalized form",
        ("{x}.capitalize()",),
        lambda x, k: x[:1].upper() + x[1:].lower(),
        "word",
    ),
    Map(
        "reversed",
        ("{0} reversed", "the reversed {0}"),
        "its reverse",
        ("{x}[::-1]",),
        lambda x, k: "".join(reversed(x)),
        "word",
    ),
    Map("doubled", ("{0} repeated twice",), "itself twice", ("{x} * 2", "{x} + {x}"), lambda x, k: f"{x}{x}", "word"),
    Map("first_letters", ("the first letters of {0}",), "its first letter", ("{x}[0]",), lambda x, k: x[:1], "word"),
    Map(
        "last_letters",
        ("the last letters of {0}",),
        "its last letter",
        ("{x}[-1]",),
        lambda x, k: x[len(x) - 1 :],
        "word",
    ),
    Map("lengths", ("the lengths of {0}",), "its length", ("len({x})",), lambda x, k: sum(1 for _ in x), "number"),
    Map(
        "prefixes",
        ("the first {k} letters of {0}",),
        "its first {k} letters",
        ("{x}[:{k}]",),
        lambda x, k: "".join(list(x)[:k]),
        "word",
    ),
)

CHARACTER_FILTERS = (
    EVERY,
    Filter(
        "vowels",
        ("{0} that are vowels", "vowels among {0}"),
        "is a vowel",
        ('{x}.lower() in "aeiou"', '{x} in "aeiouAEIOU"'),
        lambda x, k: x.lower() in list("aeiou"),
    ),
    Filter(
        "non_vowels",
        ("{0} that are not vowels",),
        "is not a vowel",
        ('{x}.lower() not in "aeiou"', '{x} not in "aeiouAEIOU"'),
        lambda x, k: x.lower() not in list("aeiou"),
    ),
    Filter(
        "digits",
        ("{0} that are digits", "digits among {0}"),
        "is a digit",
        ("{x}.isdigit()",),
        lambda x, k: x in list("0123456789"),
    ),
    Filter(
        "letters",
        ("{0} that are letters", "letters among {0}"),
        "is a letter",
        ("{x}.isalpha()",),
        lambda x, k: "a" <= x.lower() <= "z",
    ),
    Filter(
        "uppercase",
        ("uppercase {0}", "upper case {0}"),
        "is in upper case",
        ("{x}.isupper()",),
        lambda x, k: "A" <= x <= "Z",
    ),
    Filter(
        "lowercase",
        ("lowercase {0}", "lower case {0}"),
        "is in lower case",
        ("{x}.islower()",),
        lambda x, k: "a" <= x <= "z",
    ),
    Filter(
        "non_space",
        ("{0} other than spaces", "{0} that are not spaces"),
        "is not a space",
        ('{x} != " "', "not {x}.isspace()"),
        lambda x, k: bool(x.strip()),
    ),
    Filter(
        "spaces",
        ("{0} that are spaces", "spaces among {0}"),
        "is a space",
        ('{x} == " "', "{x}.isspace()"),
        lambda x, k: not x.strip(),
    ),
    Filter("equal", ("{0} equal to {c}",), "is equal to {c}", ("{x} == {c}",), lambda x, c: x in {c}),
    Filter(
        "other_than",
        ("{0} other than {c}", "{0} not equal to {c}"),
        "is not equal to {c}",
        ("{x} != {c}",),
        lambda x, c: x not in {c},
    ),
)

CHARACTER_MAPS = (
    SAME_WORD,
    *(skill for skill in WORD_MAPS if skill.slug in ("upper", "lower", "doubled")),
    Map(
        "swapped",
        ("{0} with swapped case",),
        "its swapped case",
        ("{x}.swapcase()",),
        lambda x, k: x.lower() if x.isupper() else x.upper(),
        "word",
    ),
    Map(
        "codes",
        ("the character codes of {0}", "the codes of {0}"),
        "its code",
        ("ord({x})",),
        lambda x, k: list(range(128))[ord(x)],
        "number",
    ),
)

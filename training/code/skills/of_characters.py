"""Filters and maps of characters: tables only."""

from training.code.skills import EVERY, SAME_WORD, Filter, Map, of_words

FILTERS = (
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

MAPS = (
    SAME_WORD,
    *(skill for skill in of_words.MAPS if skill.slug in ("upper", "lower", "doubled")),
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

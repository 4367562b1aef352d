"""Search in any case and any normalisation of Unicode."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.experiment import Input, Variant
from core.history import History
from core.history.search import folded
from core.types import State
from tests.history.conftest import ME, done, keep, made

PAIRS = [
    ("Привет, мир", "ПРИВЕТ"),
    ("ПРИВЕТ, МИР", "привет"),
    ("Über den Wolken", "über"),
    ("ÄPFEL", "äpfel"),
    ("Straße", "STRASSE"),
    ("STRASSE", "straße"),
    ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("Σίσυφος", "σίσυφοσ"),
    (unicodedata.normalize("NFD", "Un éclair"), "éclair"),
    (unicodedata.normalize("NFC", "Un éclair"), unicodedata.normalize("NFD", "ÉCLAIR")),
    ("ﬁne print", "FINE"),
    ("\uff21\uff22\uff23 123", "abc"),
    ("한국어", unicodedata.normalize("NFD", "한국어")),
    ("ISTANBUL", "istanbul"),
    ("Năm mới", "NĂM MỚI"),
    ("plain ASCII Text", "ascii tExT"),
]


@pytest.mark.parametrize(("text", "query"), PAIRS)
@pytest.mark.parametrize("where", ["title", "prompt", "value", "answer"])
def test_any_case_and_normalisation_is_found(history: History, where: str, text: str, query: str) -> None:
    keep(history, planned=made("other", title="Nothing of it"), text="nothing")
    changes = {
        "title": {"title": text},
        "prompt": {"variants": (Variant(name="A", user=f"Say {text} now"),)},
        "value": {
            "variants": (Variant(name="A", user="Say {{word}}"),),
            "inputs": (Input(values={"word": text}),),
        },
        "answer": {},
    }[where]
    keep(history, planned=made("r1", **changes), text=f"So: {text}." if where == "answer" else "23")
    assert [row.id for row in history.search(ME, query)] == ["r1"]
    assert history.count(ME, query) == 1
    assert history.count(ME, query + " and more") == 0


def test_a_renamed_run_is_found_by_its_new_title_only(history: History) -> None:
    keep(history)
    history.rename(ME, "r1", "Größe")
    assert history.count(ME, "GRÖSSE") == 1
    assert history.count(ME, "Sums") == 0


def test_an_answer_that_changes_is_found_by_what_it_says_now(history: History) -> None:
    planned = made()
    history.begin(ME, planned)
    history.finish(planned, planned.cells[0], done(planned.cells[0], "Äpfel"))
    assert history.count(ME, "äpfel") == 1
    history.finish(planned, planned.cells[0], done(planned.cells[0], "pears"))
    assert (history.count(ME, "äpfel"), history.count(ME, "PEARS")) == (0, 1)
    history.end("r1", State.DONE)


@pytest.mark.parametrize("query", ["%", "_", "ä%", "ä_", "\\", "ß%"])
def test_signs_of_the_database_are_signs_like_others(history: History, query: str) -> None:
    keep(history, text="äpfel und ßo")
    assert history.count(ME, query) == 0


@given(st.text(max_size=30))
def test_folding_forgets_case_and_normalisation(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert folded(unicodedata.normalize(form, text)) == folded(text)  # type: ignore[arg-type]
    assert folded(text.casefold()) == folded(text)
    assert folded(folded(text)) == folded(text)

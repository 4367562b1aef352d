"""How much an owner may keep."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.errors import HistoryFull
from core.experiment import EarlierMessage, Experiment, Variant, run
from core.history import History
from core.pictures import reference
from core.types import CellResult, State
from tests.history.conftest import ME, YOU, Clock, done, keep, made


@pytest.fixture
def small(url: str, clock: Clock) -> Iterator[History]:
    opened = History(url, clock=clock, max_stored_bytes=100_000)
    yield opened
    opened.close()


def test_what_is_stored_is_counted_as_it_comes(history: History) -> None:
    planned = made(samples=1)
    history.begin(ME, planned)
    empty = history.stored_bytes(ME)
    assert 0 < empty < 20_000
    cell = planned.cells[0]
    history.finish(planned, cell, done(cell, "x" * 1000, images=(b"i" * 5000,), audio=b"s" * 7000))
    full = history.stored_bytes(ME)
    assert 13_000 < full - empty < 13_500
    history.finish(planned, cell, done(cell, "x" * 1000, images=(b"i" * 5000,), audio=b"s" * 7000))
    assert history.stored_bytes(ME) == full, "the same again counts once"
    history.finish(planned, cell, done(cell, "\u044f" * 1000))
    assert history.stored_bytes(ME) - full == 1000 - 12_000, "in UTF-8"
    history.finish(planned, cell, CellResult(index=0, state=State.FAILED, error="no"))
    assert history.stored_bytes(ME) < empty + 100
    assert history.stored_bytes(YOU) == 0


def test_attached_images_count_once(history: History) -> None:
    image = b"\x89PNG\r\n\x1a\n" + b"x" * 10_000
    experiment = Experiment(
        page="chat",
        variants=(Variant(name="A", user="What is it?"), Variant(name="B", user="What is that?")),
        models=("tiny-text",),
        earlier=(EarlierMessage(role="user", text="Look", images=(reference(image),)),),
    )
    plain = run(experiment, "plain", pictures={reference(image): image})
    history.begin(ME, plain)
    assert 10_000 < history.stored_bytes(ME) < 15_000


def test_a_full_history_is_refused_with_what_to_do(small: History) -> None:
    keep(small, planned=made("large"), text="x" * 20_000)
    with pytest.raises(HistoryFull) as refused:
        small.begin(ME, made("next"))
    assert str(refused.value) == (
        "Your history holds 0 MB, and 0 MB are kept for one visitor here. Delete runs on the History page (what you "
        "want to keep can be exported there first), then try again."
    )
    assert small.count(ME) == 1
    keep(small, YOU, made("yours"))


def test_deleting_makes_room_at_once(small: History) -> None:
    keep(small, planned=made("large"), text="x" * 20_000)
    keep(small, YOU, made("yours"), text="x" * 20_000)
    small.delete(ME, ["large"])
    assert small.stored_bytes(ME) > 100_000, "it can be brought back"
    keep(small, planned=made("next"))
    assert [row.id for row in small.search(ME)] == ["next"]
    assert small.stored_bytes(ME) < 100_000
    assert small.count(YOU) == 1


def test_a_run_that_has_begun_is_kept_whole(small: History) -> None:
    planned = made("large")
    small.begin(ME, planned)
    for cell in planned.cells:
        small.finish(planned, cell, done(cell, "x" * 50_000))
    small.end("large", State.DONE)
    assert small.open(ME, "large").row.done == 8

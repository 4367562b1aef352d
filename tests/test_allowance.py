"""What a deployment gives away on its own keys: counted per visitor and for all together, in sliding windows."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from core.allowance import DAY, HOUR, TOGETHER, Allowance, Remaining
from core.engine import Engine
from core.errors import QuotaSpent
from core.experiment import Experiment, Variant, run
from core.providers import open_remote
from core.settings import DeploymentKey, Secret, Settings
from core.types import State
from tests.support import fake_openai
from tests.support.fakes import PATIENCE, Clock, Memory

KEYS = {"gemini": Secret("gemini-key"), "openai": Secret("openai-key")}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lend(allowance: Allowance, owner: str, name: str = "gemini") -> DeploymentKey:
    key = allowance.lend(owner, KEYS)[name]
    assert isinstance(key, DeploymentKey)
    return key


def refusal(ask: Callable[[], None]) -> QuotaSpent:
    with pytest.raises(QuotaSpent) as caught:
        ask()
    return caught.value


def test_lent_keys_are_the_deployments_keys(clock: Clock) -> None:
    keys = Allowance(1, 1, clock).lend("ann", KEYS)
    assert {name: key.reveal() for name, key in keys.items()} == {"gemini": "gemini-key", "openai": "openai-key"}
    assert "key" not in repr(keys).replace("gemini-key", "KEY")
    assert Allowance(1, 1, clock).lend("ann", {}) == {}


def test_requests_of_an_hour_slide(clock: Clock) -> None:
    allowance = Allowance(2, 100, clock)
    key = lend(allowance, "ann")
    key.ask()
    clock.now += 600
    key.ask()
    clock.now += 60
    spent = refusal(key.ask)
    assert spent.retry_after == HOUR - 660
    assert "2 requests an hour" in str(spent)
    assert "49 minutes" in str(spent)
    clock.now += HOUR - 660 - 0.5
    assert refusal(key.ask).retry_after == 0.5
    clock.now += 0.5
    key.ask()
    refusal(key.ask)


def test_a_refused_request_does_not_count(clock: Clock) -> None:
    allowance = Allowance(1, 100, clock)
    key = lend(allowance, "ann")
    key.ask()
    for _ in range(50):
        clock.now += 60
        refusal(key.ask)
    clock.now += 600
    key.ask()


def test_tokens_of_a_day_slide(clock: Clock) -> None:
    allowance = Allowance(1_000, 100, clock)
    key = lend(allowance, "ann")
    key.used(60)
    clock.now += HOUR
    key.used(39)
    key.ask()
    key.used(1)
    spent = refusal(key.ask)
    assert "100 tokens a day" in str(spent)
    assert "23 hours" in str(spent)
    assert spent.retry_after == DAY - HOUR
    clock.now += DAY - HOUR
    assert allowance.left("ann").tokens == 60
    key.ask()


def test_the_wait_lasts_until_enough_is_given_back(clock: Clock) -> None:
    """An answer may be longer than what was left; the first entry to leave the window is then not enough."""
    allowance = Allowance(1_000, 100, clock)
    key = lend(allowance, "ann")
    key.used(1)
    clock.now += HOUR
    key.used(500)
    assert allowance.left("ann") == Remaining(1_000, 0)
    wait = refusal(key.ask).retry_after
    assert wait == DAY
    clock.now += DAY - 1
    refusal(key.ask)
    clock.now += 1
    key.ask()


def test_the_longer_wait_is_said(clock: Clock) -> None:
    allowance = Allowance(1, 10, clock)
    key = lend(allowance, "ann")
    key.ask()
    key.used(10)
    spent = refusal(key.ask)
    assert spent.retry_after == DAY
    assert "10 tokens a day" in str(spent)


@pytest.mark.parametrize("tokens", [0, -5])
def test_no_tokens_are_no_entry(tokens: int, clock: Clock) -> None:
    allowance = Allowance(10, 100, clock)
    lend(allowance, "ann").used(tokens)
    assert allowance.left("ann") == Remaining(10, 100)


def test_all_keys_of_an_owner_count_together(clock: Clock) -> None:
    allowance = Allowance(2, 100, clock)
    lend(allowance, "ann", "gemini").ask()
    lend(allowance, "ann", "openai").ask()
    refusal(lend(allowance, "ann", "gemini").ask)
    assert allowance.left("ann") == Remaining(0, 100)


def test_owners_do_not_count_for_each_other(clock: Clock) -> None:
    allowance = Allowance(1, 100, clock)
    lend(allowance, "ann").ask()
    lend(allowance, "ann").used(100)
    assert allowance.left("bob") == Remaining(1, 100)
    lend(allowance, "bob").ask()


@pytest.mark.parametrize("owner", ["", "*", "all"])
def test_no_owner_is_everybody(owner: str, clock: Clock) -> None:
    allowance = Allowance(3, 100, clock)
    lend(allowance, owner).ask()
    lend(allowance, owner).used(7)
    assert allowance.left(owner) == Remaining(2, 93)
    assert allowance.left("another") == Remaining(3, 100)


def test_all_visitors_together_have_their_limit(clock: Clock) -> None:
    """Cookies are cheap: whoever takes a new one for every request meets the limit of all."""
    allowance = Allowance(2, 1_000, clock)
    for number in range(2 * TOGETHER):
        lend(allowance, f"visitor-{number}").ask()
        clock.now += 1
    spent = refusal(lend(allowance, "new").ask)
    assert f"all its visitors together {2 * TOGETHER} requests an hour" in str(spent)
    assert spent.retry_after == HOUR - 2 * TOGETHER
    assert allowance.left("new") == Remaining(0, 1_000)
    clock.now += HOUR - 2 * TOGETHER
    lend(allowance, "new").ask()
    refusal(lend(allowance, "newer").ask)


def test_all_visitors_together_have_their_tokens(clock: Clock) -> None:
    allowance = Allowance(100, 10, clock)
    for number in range(TOGETHER):
        lend(allowance, f"visitor-{number}").used(10)
    assert "all its visitors together 100 tokens a day" in str(refusal(lend(allowance, "new").ask))
    assert allowance.left("new") == Remaining(100, 0)


@pytest.mark.parametrize("limits", [(0, 100), (100, 0), (0, 0)])
def test_a_limit_of_nought_gives_nothing_away(limits: tuple[int, int], clock: Clock) -> None:
    allowance = Allowance(*limits, clock)
    spent = refusal(lend(allowance, "ann").ask)
    assert spent.retry_after is None
    assert str(spent) == "This deployment gives nothing away on its own keys. Use a key of your own."
    assert allowance.left("ann") == Remaining(*limits)


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (HOUR - 0.2, "in 1 s,"),
        (HOUR - 89, "in 89 s,"),
        (HOUR - 90, "in 2 minutes,"),
        (0, "in 60 minutes,"),
    ],
)
def test_the_wait_is_said_in_fit_units(ago: float, said: str, clock: Clock) -> None:
    key = lend(Allowance(1, 100, clock), "ann")
    key.ask()
    clock.now += ago
    words = str(refusal(key.ask))
    assert said in words
    assert "key of your own" in words
    assert not re.search(r"gemini|openai|ann\b", words)


def test_looking_does_not_use(clock: Clock) -> None:
    allowance = Allowance(2, 100, clock)
    for _ in range(10):
        assert allowance.left("ann") == Remaining(2, 100)


def test_owners_who_left_are_forgotten(clock: Clock) -> None:
    allowance = Allowance(1_000, 1_000, clock)
    for number in range(500):
        lend(allowance, f"asks-{number}").ask()
        lend(allowance, f"uses-{number}").used(1)
        allowance.left(f"looks-{number}")
    assert len(allowance._owners) == 1_000
    clock.now += HOUR
    lend(allowance, "late").ask()
    assert len(allowance._owners) == 501, "whose tokens still count for the day must stay"
    clock.now += DAY
    lend(allowance, "later").ask()
    assert set(allowance._owners) == {"later"}
    assert len(allowance._together.requests.entries) == 1
    assert not allowance._together.tokens.entries


def test_threads_get_exactly_what_is_given() -> None:
    allowance = Allowance(500, 10_000, lambda: 0.0)
    granted: list[int] = []
    start = threading.Barrier(4)

    def take() -> None:
        key, count = lend(allowance, "ann"), 0
        start.wait(PATIENCE)
        for _ in range(300):
            try:
                key.ask()
            except QuotaSpent:
                continue
            count += 1
            key.used(3)
        granted.append(count)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sum(granted) == 500
    assert allowance.left("ann") == Remaining(0, 10_000 - 1_500)


def test_looking_and_counting_are_one_step() -> None:
    """Two threads that ask at the same moment never look at the same time, or both would see the last request left."""
    meeting, armed, met = threading.Barrier(2), threading.Event(), threading.Event()

    def clock() -> float:
        if armed.is_set():
            with suppress(threading.BrokenBarrierError):
                meeting.wait(0.2)
                met.set()
        return 0.0

    key = lend(Allowance(10, 100, clock), "ann")
    armed.set()
    threads = [threading.Thread(target=key.ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not met.is_set()


def test_a_run_on_a_lent_key_goes_as_far_as_the_allowance_and_says_so_in_the_rest(tmp_path: Path) -> None:
    """From the plan to the server and back: two requests are given, three are asked for."""
    experiment = Experiment(
        page="playground",
        variants=(Variant(name="A", user="Hello"),),
        models=("openai:gpt-4o-mini",),
        samples=3,
        parameters={"temperature": 1.0, "max_new_tokens": 20},
    )
    with fake_openai.running() as server:
        settings = Settings(data=tmp_path, base_urls={"openai": server.url})
        lent = Allowance(2, 10_000).lend("me", {"openai": Secret("deployment-key")})
        engine = Engine(
            lambda spec, keys, report, abandoned: open_remote(spec, settings, keys),
            Memory(),
            settings,
            remote_threads=1,
        )
        try:
            engine.submit("me", run(experiment, "r"), lent)
            cells = engine.wait("r", "me", PATIENCE).cells
        finally:
            engine.close()
    assert [cell.state for cell in cells] == [State.DONE, State.DONE, State.FAILED]
    assert "2 requests an hour" in cells[2].error
    assert "use a key of your own" in cells[2].error.lower()
    assert [asked.key for asked in server.requests] == ["deployment-key"] * 2

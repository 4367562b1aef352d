"""What is loaded, what goes and what is refused, with models that are only names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

import pytest

from core import catalog
from core.device import Memory
from core.errors import HubUnreachable, ModelRefused, NeedsNewProcess
from core.repository import Report, in_words
from core.types import Event, Modality, ModelSpec, Progress, Request
from core.worker import pool as pools
from core.worker.pool import Pool

GB = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


class Fake:
    max_batch = 1

    def __init__(self, world: World, spec: ModelSpec) -> None:
        self.world, self.spec = world, spec

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[Event]:
        yield from ()

    def close(self) -> None:
        self.world.log.append(f"close {self.spec.id}")
        self.world.bytes -= self.spec.memory_bytes
        if self.spec.id == "sulks":
            raise RuntimeError("cannot close")


class World:
    """Opens fake models, and keeps the order of things and the most bytes there ever were."""

    def __init__(self, budget: int) -> None:
        self.log: list[str] = []
        self.bytes = self.peak = 0
        self.clock = Clock()
        self.pool = Pool(self.open, budget, self.clock)

    def open(self, spec: ModelSpec, report: Report) -> Fake:
        self.log.append(f"open {spec.id}")
        report(Progress(None, 1, 1, f"reading {spec.id}"))
        if spec.id == "away":
            raise HubUnreachable("not here")
        self.bytes += spec.memory_bytes
        self.peak = max(self.peak, self.bytes)
        return Fake(self, spec)


def model(name: str, gigabytes: float, revision: str = "main") -> ModelSpec:
    return ModelSpec(
        id=name,
        name=name.title(),
        modality=Modality.TEXT,
        provider="fake",
        source=name,
        summary="",
        licence="",
        parameters=(),
        memory_bytes=int(gigabytes * GB),
        revision=revision,
    )


A, B, C = model("a", 1), model("b", 1), model("c", 1.5)


def used(world: World, *specs: ModelSpec) -> None:
    for spec in specs:
        with world.pool.lease(spec):
            pass


def test_a_model_is_opened_once_and_kept() -> None:
    world = World(3 * GB)
    seen: list[Progress] = []
    with world.pool.lease(A, seen.append) as first, world.pool.lease(A) as second:
        assert first is second
    used(world, A)
    assert world.log == ["open a"]
    assert [progress.note for progress in seen] == ["reading a"]
    assert world.pool.used == 1 * GB


def test_another_revision_is_another_model() -> None:
    world = World(3 * GB)
    used(world, A, model("a", 1, "older"))
    assert world.log == ["open a", "open a"]


def test_longest_unused_goes_first_and_before_the_next_is_read() -> None:
    world = World(2 * GB)
    used(world, A, B, A, C)
    assert world.log == ["open a", "open b", "close b", "close a", "open c"]
    assert world.peak <= 2 * GB


def test_only_as_many_go_as_must() -> None:
    world = World(3 * GB)
    used(world, A, B, C)
    assert world.log == ["open a", "open b", "close a", "open c"]
    assert world.pool.models == ("b", "c")


def test_memory_is_given_back_between_close_and_open(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(1 * GB)
    monkeypatch.setattr(pools, "_give_back", lambda: world.log.append("give back"))
    used(world, A, B)
    assert world.log == ["open a", "close a", "give back", "open b"]


def test_a_model_larger_than_the_budget_is_refused_before_anything_moves() -> None:
    world = World(2_200_000_000)
    used(world, A)
    with pytest.raises(ModelRefused, match=r"Big needs 2\.6 GB, this deployment allows 2\.2 GB"):
        used(world, model("big", 2.6))
    assert world.log == ["open a"]
    assert world.pool.models == ("a",)


@pytest.mark.parametrize("budget", [2_700_000_000, 4 * GB])
def test_stable_diffusion_is_refused_with_the_numbers_where_it_does_not_fit(budget: int) -> None:
    world = World(budget)
    used(world, A)
    with pytest.raises(ModelRefused) as caught:
        used(world, catalog.spec("stable-diffusion-v1-5"))
    assert str(caught.value) == (
        f"Stable Diffusion 1.5 needs 6.5 GB, this deployment allows {in_words(budget)} for models. "
        "Choose a smaller model, or raise DIPTYCH_MEMORY_BUDGET on a larger machine."
    )
    assert world.log == ["open a"], "nothing was let go for it, and nothing read"
    used(world, catalog.spec("tiny-image"))
    assert world.pool.models == ("a", "tiny-image")


def test_a_model_in_use_never_goes() -> None:
    world = World(2 * GB)
    with world.pool.lease(A):
        used(world, B)
        with pytest.raises(ModelRefused, match=r"C needs 1\.5 GB; 1\.0 GB of the 2\.0 GB"):
            used(world, C)
        assert world.pool.models == ("a", "b"), "nothing goes for a model that will not fit anyway"
        world.pool.close()
        assert world.pool.models == ("a",)
    used(world, C)
    assert world.log == ["open a", "open b", "close b", "close a", "open c"]


def test_a_lease_ends_with_an_error_too() -> None:
    world = World(1 * GB)
    with pytest.raises(ZeroDivisionError), world.pool.lease(A):
        raise ZeroDivisionError
    used(world, B)
    assert world.log[-2:] == ["close a", "open b"]


def test_a_model_that_cannot_be_had_leaves_the_pool_as_it_was() -> None:
    world = World(2 * GB)
    with pytest.raises(HubUnreachable):
        used(world, model("away", 1))
    assert world.pool.models == ()
    used(world, A)
    assert world.pool.models == ("a",)


def test_a_model_that_fails_to_close_is_gone_all_the_same() -> None:
    world = World(1 * GB)
    used(world, model("sulks", 1), A)
    assert world.log == ["open sulks", "close sulks", "open a"]


def test_idle_models_go_after_their_time() -> None:
    world = World(3 * GB)
    used(world, A)
    world.clock.now += 500
    used(world, B)
    with world.pool.lease(B):
        world.clock.now += 150
        assert world.pool.release_idle(600) == 1
        world.clock.now += 5000
        assert world.pool.release_idle(600) == 0, "b is in use"
    assert world.pool.release_idle(600) == 0, "b was used just now"
    assert world.log == ["open a", "open b", "close a"]


# Without a budget: what is free is measured.

MB = 1_000_000


class Machine(World):
    """Has `limit` bytes, of which the server and the libraries take `others`. Models take less than the catalog says
    when they are read, and the rest while they answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, limit: int, others: int) -> None:
        super().__init__(0)
        self.limit, self.others = limit, others
        self.pool = Pool(self.open, 0, self.clock, self.memory)
        monkeypatch.setattr(pools.device, "own_bytes", lambda: self.bytes)
        monkeypatch.setattr(pools, "RESERVE", 0)

    def memory(self) -> Memory:
        return Memory(self.limit, self.limit - self.others - self.bytes)


def test_models_that_fit_one_after_another_take_turns_in_a_small_container(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 690 * MB, 500 * MB)
    text, code, image = model("text", 0.12), model("code", 0.15), model("image", 0.06)
    used(machine, text, code, image, text)
    assert machine.log == ["open text", "close text", "open code", "close code", "open image", "open text"]
    assert machine.peak <= 190 * MB


def test_what_does_not_fit_is_refused_with_what_there_is_and_nothing_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 690 * MB, 500 * MB)
    used(machine, model("text", 0.12))
    with pytest.raises(ModelRefused) as refused:
        used(machine, model("large", 0.95))
    assert str(refused.value) == (
        "Large needs 950 MB more; of the 690 MB that this deployment has, 190 MB can be had. "
        "Choose a smaller model, or give the deployment more memory."
    )
    assert machine.log == ["open text"]


def test_a_larger_container_takes_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 2_700 * MB, 500 * MB)
    used(machine, model("text", 0.12), model("large", 0.95))
    assert machine.log == ["open text", "open large"]


def test_room_for_answering_is_made_where_others_came_since_a_model_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 690 * MB, 300 * MB)
    text, image = model("text", 0.1), model("image", 0.2)
    monkeypatch.setattr(pools.device, "own_bytes", lambda: machine.bytes // 2)  # read as half of what they take
    used(machine, text, image)
    machine.others += 60 * MB  # the server grew
    used(machine, text)
    assert machine.log == ["open text", "open image", "close image"]


def test_what_comes_free_is_measured_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 690 * MB, 400 * MB)
    used(machine, model("sticky", 0.2))
    monkeypatch.setattr(Fake, "close", lambda self: machine.log.append("close"))  # gives nothing back
    with pytest.raises(ModelRefused, match="90 MB can be had"):
        used(machine, model("next", 0.15))
    assert machine.log == ["open sticky", "close"]


def test_a_first_model_needs_room_for_its_libraries_too(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 690 * MB, 500 * MB)
    monkeypatch.setitem(pools.libraries.LIBRARIES, "fake", (("json.tool", 150 * MB), ("json", 10**12)))
    monkeypatch.delitem(sys.modules, "json.tool", raising=False)
    with pytest.raises(ModelRefused, match="needs 210 MB more"):
        used(machine, model("a", 0.06))
    assert "json.tool" not in sys.modules
    machine.others = 400 * MB
    used(machine, model("a", 0.06))
    assert "json.tool" in sys.modules


def test_what_would_fit_into_a_new_process_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 690 * MB, 300 * MB)
    monkeypatch.setattr(pools.device, "own_bytes", lambda: 250 * MB + machine.bytes)  # most of it left behind
    monkeypatch.setattr(pools.libraries, "PROCESS", 15 * MB)
    with pytest.raises(NeedsNewProcess, match="needs 500 MB more"):
        used(machine, model("a", 0.5))
    with pytest.raises(ModelRefused, match="needs 700 MB more") as refused:
        used(machine, model("b", 0.7))
    assert type(refused.value) is ModelRefused
    with machine.pool.lease(model("c", 0.01)), pytest.raises(ModelRefused) as refused:
        used(machine, model("a", 0.5))
    assert type(refused.value) is ModelRefused, "a model in use would be lost"


def test_every_local_provider_says_what_its_libraries_take() -> None:
    assert set(pools.libraries.LIBRARIES) == {row.provider for row in catalog.CATALOG if row.local}


def test_models_are_really_freed() -> None:
    import gc
    import weakref

    world = World(1 * GB)
    with world.pool.lease(A) as leased:
        ghost = weakref.ref(leased)
    del leased
    gc.disable()
    try:
        used(world, B)
        assert ghost() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(("count", "words"), [(548_000_000, "548 MB"), (2_600_000_000, "2.6 GB"), (0, "0 MB")])
def test_bytes_in_words(count: int, words: str) -> None:
    assert in_words(count) == words

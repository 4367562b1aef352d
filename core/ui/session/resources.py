"""What the whole process shares: settings, allowance, history, worker, engine.

Each is made once, under a lock, at its first use, and closed when the process ends. They are kept outside Streamlit's
caches, which one message of any visitor empties for everybody, and in a module without a file: Streamlit's watcher
takes edited modules out of sys.modules, and the engine of a running server must outlive that.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from threading import RLock
from types import ModuleType
from typing import TypeVar

import streamlit as st
from starlette.concurrency import run_in_threadpool

from core.allowance import Allowance
from core.engine import Engine
from core.history import History
from core.settings import Settings
from core.settings import settings as read_settings
from core.worker import Worker, opener

T = TypeVar("T")

_MODULE = "diptych_process"


@dataclass
class _Shared:
    """What was made so far, by name, in the order of making; `closers` end it."""

    lock: RLock = field(default_factory=RLock)  # making one thing asks for others
    values: dict[str, object] = field(default_factory=dict)
    closers: dict[str, Callable[[], None]] = field(default_factory=dict)

    def get(self, name: str, make: Callable[[], T], close: Callable[[T], None] | None = None) -> T:
        with self.lock:
            if name not in self.values:
                value = make()
                self.values[name] = value
                if close:
                    self.closers[name] = lambda: close(value)
            return self.values[name]  # type: ignore[return-value]

    def close(self) -> None:
        with self.lock:
            for close in reversed(self.closers.values()):
                with suppress(Exception):  # the others are closed all the same
                    close()
            self.values.clear()
            self.closers.clear()


def settings() -> Settings:
    return _shared().get("settings", lambda: read_settings(secrets=_deployment_secrets()))


def allowance() -> Allowance:
    return _shared().get("allowance", lambda: Allowance(settings().requests_per_hour, settings().tokens_per_day))


def history() -> History:
    return _shared().get("history", _open_history, History.close)


def worker() -> Worker:
    return _shared().get("worker", lambda: Worker(settings()), Worker.close)


def engine() -> Engine:
    return _shared().get("engine", lambda: Engine(opener(worker(), settings()), history(), settings()), Engine.close)


def _open_history() -> History:
    return History(settings().database_url, max_stored_bytes=settings().max_stored_bytes)


def shared(name: str, make: Callable[[], T]) -> T:
    """What else the process keeps, by name; made at the first call, nothing to close."""
    return _shared().get(name, make)


def close() -> None:
    """Close everything and forget it; what is asked for afterwards is made anew. For the end of the process, and for
    tests."""
    _shared().close()


@asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    """Closes everything when the server stops: a signal may end the process without its exit handlers."""
    yield
    await run_in_threadpool(close)


def _shared() -> _Shared:
    module = sys.modules.get(_MODULE)
    if module is None:
        fresh = ModuleType(_MODULE, "What the process shares; see core.ui.session.resources.")
        shared = _Shared()
        vars(fresh)["shared"] = shared
        module = sys.modules.setdefault(_MODULE, fresh)  # one thread's wins
        if module is fresh:
            atexit.register(shared.close)
    return module.shared  # type: ignore[no-any-return]


def _deployment_secrets() -> dict[str, object]:
    """The secrets file as a plain mapping; without one, nothing: `st.secrets` would raise."""
    return dict(st.secrets.to_dict()) if st.secrets.load_if_toml_exists() else {}

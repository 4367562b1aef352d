"""Rate limits on the deployment's own keys, for one visitor and for all together: requests an hour, tokens a day.

Sliding windows, kept in memory: a restart resets them. Knows no server; a lent key asks here before each request.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from core.errors import QuotaSpent
from core.settings import DeploymentKey, Secrets

HOUR, DAY = 3600.0, 86_400.0
TOGETHER = 10
"""The limits of all visitors together, as a multiple of one visitor's."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """What an owner may still use now: requests of this hour, tokens of this day."""

    requests: int
    tokens: int


class Allowance:
    """Counts requests and tokens on the deployment's keys.

    Args:
        requests_per_hour, tokens_per_day: for one owner; all together have TOGETHER times that.
        clock: monotonic seconds.

    A request is counted before it is sent, its tokens once they are known. So concurrent requests may exceed the day's
    tokens by the length of their answers.
    """

    def __init__(
        self, requests_per_hour: int, tokens_per_day: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = (requests_per_hour, tokens_per_day)
        self._clock = clock
        self._lock = Lock()
        self._together = self._account(TOGETHER)
        self._owners: dict[str, _Account] = {}
        self._swept = clock()

    def lend(self, owner: str, keys: Secrets) -> Secrets:
        """The deployment's keys, whose use counts for this owner."""
        ask, used = partial(self._ask, owner), partial(self._used, owner)
        return {name: DeploymentKey(key.reveal(), ask, used) for name, key in keys.items()}

    def left(self, owner: str) -> Remaining:
        """What this owner may still use: the smaller of the owner's own rest and the rest of all together."""
        with self._lock:
            now = self._clock()
            accounts = (self._owners.get(owner) or self._account(), self._together)
            requests = min(account.requests.left(now) for account in accounts)
            tokens = min(account.tokens.left(now) for account in accounts)
        return Remaining(max(0, requests), max(0, tokens))

    def _ask(self, owner: str) -> None:
        if 0 in self._limits:
            raise QuotaSpent("This deployment gives nothing away on its own keys. Use a key of your own.")
        with self._lock:
            now = self._clock()
            own = self._of(owner, now)
            spent = [
                (window.wait(now), f"{whose} {window.limit} {unit}")
                for account, whose in ((own, "every visitor"), (self._together, "all its visitors together"))
                for window, unit in ((account.requests, "requests an hour"), (account.tokens, "tokens a day"))
                if window.left(now) <= 0
            ]
            if spent:
                raise _refusal(*max(spent))
            own.requests.add(now, 1)
            self._together.requests.add(now, 1)

    def _used(self, owner: str, tokens: int) -> None:
        if tokens > 0:
            with self._lock:
                now = self._clock()
                self._of(owner, now).tokens.add(now, tokens)
                self._together.tokens.add(now, tokens)

    def _of(self, owner: str, now: float) -> _Account:
        """The account of an owner. Once an hour, accounts with empty windows are dropped."""
        if now - self._swept >= HOUR:
            self._swept = now
            self._owners = {name: account for name, account in self._owners.items() if not account.empty(now)}
        return self._owners.setdefault(owner, self._account())

    def _account(self, times: int = 1) -> _Account:
        requests, tokens = self._limits
        return _Account(_Window(HOUR, times * requests), _Window(DAY, times * tokens))


@dataclass(slots=True)
class _Window:
    """A sliding window: what was used in the last `span` seconds, of `limit`."""

    span: float
    limit: int
    entries: deque[tuple[float, int]] = field(default_factory=deque)
    total: int = 0

    def add(self, now: float, count: int) -> None:
        self.entries.append((now, count))
        self.total += count

    def left(self, now: float) -> int:
        """The unused part of the limit; negative where an answer was longer than that part."""
        while self.entries and now - self.entries[0][0] >= self.span:
            self.total -= self.entries.popleft()[1]
        return self.limit - self.total

    def wait(self, now: float) -> float:
        """Seconds until a full window has room again."""
        left = self.limit - self.total
        for time_used, count in self.entries:
            left += count
            if left > 0:
                return self.span - (now - time_used)
        return self.span


@dataclass(slots=True)
class _Account:
    requests: _Window
    tokens: _Window

    def empty(self, now: float) -> bool:
        return self.requests.left(now) == self.requests.limit and self.tokens.left(now) == self.tokens.limit


def _refusal(wait: float, limit: str) -> QuotaSpent:
    return QuotaSpent(
        f"This deployment gives {limit} on its own keys, and they are used up. "
        f"Try again in {_span(wait)}, or use a key of your own.",
        wait,
    )


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, math.ceil(seconds))} s"
    return f"{math.ceil(seconds / 60)} minutes" if seconds < 2 * HOUR else f"{math.ceil(seconds / HOUR)} hours"

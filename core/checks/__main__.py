"""`python -m core.checks`: the process in which core.checks.isolated has checks judged."""

from __future__ import annotations

import json
import signal
import sys
import time
from decimal import Decimal
from typing import Any

from core.checks.finding import Unjudged
from core.checks.kinds import CHECKS

IDLE_SECONDS = 120.0
MAX_MEMORY = 400 * 2**20


def main() -> None:
    """Answer a request a line until there are no more. The kernel ends the process when a request, or the wait for
    one, takes too long, whether or not the server lives to do so."""
    _limit_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _write("ready")
    while True:
        _end_after(IDLE_SECONDS)
        line = sys.stdin.buffer.readline()
        if not line:
            return
        request = json.loads(line)
        _end_after(request["seconds"] + 1)
        began = time.process_time()
        answer = reply(request)
        _write(answer | {"spent": time.process_time() - began})


def reply(request: dict[str, Any]) -> dict[str, object]:
    kind = CHECKS[request["name"]]
    try:
        argument = kind.read(request["argument"])
    except ValueError as error:
        return {"unreadable": str(error)}
    except (RecursionError, MemoryError):
        return {"unreadable": "has a value too complicated to be read"}
    if "answer" not in request:
        return {}
    number = request["number"]
    try:
        finding = kind.judge(argument, request["answer"], *(() if number is None else (Decimal(number),)))
    except Unjudged as error:
        return {"unjudged": str(error)}
    except RecursionError:
        return {"unjudged": "not judged: the check or the answer is nested without end"}
    except MemoryError:
        return {"unjudged": "not judged: this check needs too much memory; simplify it"}
    except Exception as error:  # a library's own, on values that nobody foresaw: said, never passed
        return {"unjudged": f"not judged: the check cannot be applied to this answer ({type(error).__name__})"}
    return {"holds": finding.holds, "reason": finding.reason}


def _write(value: object) -> None:
    sys.stdout.buffer.write(json.dumps(value).encode() + b"\n")
    sys.stdout.buffer.flush()


def _end_after(seconds: float) -> None:
    if hasattr(signal, "setitimer"):  # not on Windows, where the server alone ends it
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY if hard < 0 else min(MAX_MEMORY, hard), hard))


if __name__ == "__main__":
    main()

"""One frozen Settings from the environment and the deployment's secrets.

Knows nothing of Streamlit: the interface hands the secrets in as a plain mapping. Keys are `Secret`, which no repr,
log line or pickle of a settings object shows by accident.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from core.errors import InvalidInput

ROOT = Path(__file__).resolve().parent.parent


class Secret:
    """A key that does not show itself. `reveal()` is the only way to its text."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret is not pickled; hand it over by argument")


Secrets = Mapping[str, Secret]
"""Keys by provider name, for one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a deployment can choose. Sizes are bytes, times seconds."""

    data: Path
    models: Path = ROOT / "models"
    database: str = ""
    memory_budget: int = 0
    idle_seconds: float = 600.0
    queue_seconds: float = 1800.0
    load_seconds: float = 900.0
    run_seconds: float = 600.0
    max_waiting: int = 20
    max_waiting_per_owner: int = 2
    max_cells: int = 600
    max_prompt_chars: int = 8_000
    offline: bool = False
    threads: int = 0
    secrets: Secrets = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the history: the one that was set, else a SQLite file under `data`."""
        return self.database or f"sqlite:///{self.data / 'history.db'}"


def settings(environment: Mapping[str, str] | None = None, secrets: Mapping[str, object] | None = None) -> Settings:
    """Read DIPTYCH_* variables and the `[diptych]` and `[providers.*]` tables of the secrets; the environment wins.

    Raises:
        InvalidInput: a value is not a number, or is negative.
    """
    env = os.environ if environment is None else environment
    table = _table((secrets or {}).get("diptych"))
    text = {name: str(table[name]) for name in table} | _from_environment(env)
    chosen = {name: _number(name, text[name]) for name in _NUMBERS if name in text}
    return Settings(
        data=Path(text["data"]).expanduser() if text.get("data") else data_folder(),
        models=Path(text["models"]).expanduser() if text.get("models") else ROOT / "models",
        database=text.get("database", ""),
        offline=text.get("offline", "").lower() in {"1", "true", "yes"} or env.get("HF_HUB_OFFLINE", "") == "1",
        secrets=_keys(_table((secrets or {}).get("providers"))),
        **chosen,  # type: ignore[arg-type]
    )


def data_folder(root: Path = ROOT) -> Path:
    """data/ beside the app, or the platform's user data folder where that cannot be written."""
    here = root / "data"
    try:
        here.mkdir(exist_ok=True)
        probe = here / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError:
        return Path(platformdirs.user_data_dir("diptych", appauthor=False, ensure_exists=True))
    return here


_NUMBERS: dict[str, type[int] | type[float]] = {
    "memory_budget": int,
    "idle_seconds": float,
    "queue_seconds": float,
    "load_seconds": float,
    "run_seconds": float,
    "max_waiting": int,
    "max_waiting_per_owner": int,
    "max_cells": int,
    "max_prompt_chars": int,
    "threads": int,
}


def _from_environment(env: Mapping[str, str]) -> dict[str, str]:
    names = {*_NUMBERS, "data", "models", "database", "offline"}
    return {name: env[f"DIPTYCH_{name.upper()}"] for name in names if env.get(f"DIPTYCH_{name.upper()}")}


def _number(name: str, text: str) -> int | float:
    try:
        number = _NUMBERS[name](text)
    except ValueError:
        raise InvalidInput(f"DIPTYCH_{name.upper()} must be a number, such as 600.") from None
    if not 0 <= number < math.inf:
        raise InvalidInput(f"DIPTYCH_{name.upper()} must be a number from 0 up.")
    return number


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _keys(providers: Mapping[str, object]) -> dict[str, Secret]:
    rows = {name: _table(row).get("api_key") for name, row in providers.items()}
    return {name: Secret(str(key)) for name, key in rows.items() if key}

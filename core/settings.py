"""One frozen Settings from the environment and the deployment's secrets.

Knows nothing of Streamlit: the interface hands the secrets in as a plain mapping. Keys are `Secret`, which no repr,
log line or pickle of a settings object shows by accident.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
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


class DeploymentKey(Secret):
    """A key of the deployment on its way through one visitor's call.

    `ask()` is called before every request that carries it, and raises QuotaSpent where the visitor has used up what
    is given away; `used(tokens)` after it.
    """

    __slots__ = ("ask", "used")

    def __init__(self, value: str, ask: Callable[[], None], used: Callable[[int], None]) -> None:
        super().__init__(value)
        self.ask = ask
        self.used = used

    def __repr__(self) -> str:
        return "DeploymentKey('***')"


Secrets = Mapping[str, Secret]
"""Keys by provider name, for one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a deployment can choose. Sizes are bytes, times seconds.

    `requests_per_hour` and `tokens_per_day` are what one visitor may use of the deployment's own keys (0: nothing),
    ten times that all visitors together. `local`: Diptych runs on its visitor's own machine, so that servers on this
    machine may be called. `allowed_hosts`: names under which Diptych may be opened (none: any; a local run always
    goes by its machine's). `upload_bytes_per_session`, `upload_bytes`: uploaded files held of one visitor and of all;
    one that no page takes up is let go after `upload_seconds`. `custom_servers`: visitors may name servers of their
    own. `base_urls` move a server of the table elsewhere, by its id; `prices` are (input, output) in US dollars per
    million tokens by model id.
    """

    data: Path
    models: Path = ROOT / "models"
    database: str = ""
    memory_budget: int = 0
    idle_seconds: float = 600.0
    queue_seconds: float = 1800.0
    load_seconds: float = 900.0
    run_seconds: float = 600.0
    max_wait_seconds: float = 900.0
    max_waiting: int = 200
    max_waiting_per_owner: int = 2
    max_stored_bytes: int = 1_000_000_000
    max_cells: int = 2_000
    max_prompt_chars: int = 200_000
    offline: bool = False
    threads: int = 0
    remote_read_seconds: float = 120.0
    requests_per_hour: int = 60
    tokens_per_day: int = 200_000
    custom_servers: bool = False
    local: bool = False
    allowed_hosts: tuple[str, ...] = ()
    upload_bytes_per_session: int = 20_000_000
    upload_bytes: int = 60_000_000
    upload_seconds: float = 60.0
    gemini_sdk: str = "google-genai"
    base_urls: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the history: the one that was set, else a SQLite file under `data`."""
        return self.database or f"sqlite:///{self.data / 'history.db'}"


def settings(environment: Mapping[str, str] | None = None, secrets: Mapping[str, object] | None = None) -> Settings:
    """Read DIPTYCH_* variables, and of the secrets `[diptych]`, `[providers.*]`, `[gemini]` and `[prices]`; the
    environment wins. Keys are read from `[providers.NAME] api_key` only: Streamlit copies what stands at the top level
    of the secrets into the environment, where any library finds it.

    Raises:
        InvalidInput: a value is not a number, is negative, or names no SDK; a price is no pair of numbers.
    """
    env = os.environ if environment is None else environment
    table = _table((secrets or {}).get("diptych"))
    text = {name: str(table[name]) for name in table} | _from_environment(env)
    chosen = {name: _number(name, text[name]) for name in _NUMBERS if name in text}
    providers = _table((secrets or {}).get("providers"))
    return Settings(
        data=Path(text["data"]).expanduser() if text.get("data") else data_folder(),
        models=Path(text["models"]).expanduser() if text.get("models") else ROOT / "models",
        database=text.get("database", ""),
        offline=_yes(text, "offline") or env.get("HF_HUB_OFFLINE", "") == "1",
        custom_servers=_yes(text, "custom_servers"),
        local=_yes(text, "local"),
        allowed_hosts=tuple(re.findall(r"[\w.*:-]+", text.get("allowed_hosts", "").lower())),
        gemini_sdk=_gemini_sdk(_table((secrets or {}).get("gemini"))),
        base_urls=_texts(providers, "base_url"),
        prices={name: _price(name, pair) for name, pair in _table((secrets or {}).get("prices")).items()},
        secrets={name: Secret(key) for name, key in _texts(providers, "api_key").items()},
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
    "max_wait_seconds": float,
    "max_waiting": int,
    "max_waiting_per_owner": int,
    "max_stored_bytes": int,
    "max_cells": int,
    "max_prompt_chars": int,
    "threads": int,
    "remote_read_seconds": float,
    "requests_per_hour": int,
    "tokens_per_day": int,
    "upload_bytes_per_session": int,
    "upload_bytes": int,
    "upload_seconds": float,
}


def _from_environment(env: Mapping[str, str]) -> dict[str, str]:
    names = {*_NUMBERS, "data", "models", "database", "offline", "custom_servers", "local", "allowed_hosts"}
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


def _yes(text: Mapping[str, str], name: str) -> bool:
    return text.get(name, "").lower() in {"1", "true", "yes"}


def _texts(providers: Mapping[str, object], field_name: str) -> dict[str, str]:
    rows = {name: _table(row).get(field_name) for name, row in providers.items()}
    return {name: str(value).strip() for name, value in rows.items() if value and str(value).strip()}


def _gemini_sdk(table: Mapping[str, object]) -> str:
    sdk = str(table.get("sdk", "google-genai"))
    if sdk not in ("google-genai", "google-generativeai"):
        raise InvalidInput('gemini.sdk in the secrets must be "google-genai" or "google-generativeai".')
    return sdk


def _price(name: str, pair: object) -> tuple[float, float]:
    numbers = list(pair) if isinstance(pair, Sequence) and not isinstance(pair, str) else []
    if len(numbers) != 2 or not all(type(n) in (int, float) and 0 <= n < math.inf for n in numbers):
        raise InvalidInput(f"The price of '{name[:80]}' must be [input, output] in US dollars per million tokens.")
    return float(numbers[0]), float(numbers[1])

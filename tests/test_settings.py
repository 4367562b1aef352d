"""Settings come from the environment and the secrets; keys do not show themselves."""

from __future__ import annotations

import pickle
from dataclasses import fields
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.settings import Secret, data_folder, settings


def test_defaults_need_nothing() -> None:
    chosen = settings({})
    assert chosen.max_waiting == 200
    assert chosen.max_waiting_per_owner == 2
    assert chosen.database_url.startswith("sqlite:///")
    assert not chosen.secrets


def test_the_environment_wins_over_the_secrets(tmp_path: Path) -> None:
    secrets = {"diptych": {"max_waiting": 5, "data": str(tmp_path)}}
    assert settings({}, secrets).max_waiting == 5
    assert settings({"DIPTYCH_MAX_WAITING": "7"}, secrets).max_waiting == 7
    assert settings({}, secrets).data == tmp_path


@pytest.mark.parametrize("value", ["many", "-1", "nan", "inf", "1e999"])
def test_a_number_that_is_none_is_named(value: str) -> None:
    with pytest.raises(InvalidInput, match="DIPTYCH_IDLE_SECONDS"):
        settings({"DIPTYCH_IDLE_SECONDS": value})


def test_a_whole_number_is_wanted_where_things_are_counted() -> None:
    with pytest.raises(InvalidInput, match="DIPTYCH_MAX_WAITING"):
        settings({"DIPTYCH_MAX_WAITING": "2.5"})


def test_keys_are_read_from_their_table_only() -> None:
    chosen = settings({}, {"providers": {"gemini": {"api_key": "AQ.very-secret"}}, "gemini": {"api_key": "other"}})
    assert chosen.secrets["gemini"].reveal() == "AQ.very-secret"
    assert "very-secret" not in repr(chosen)


def test_a_secret_neither_prints_nor_pickles() -> None:
    secret = Secret("hush")
    assert "hush" not in f"{secret!r} {secret}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_a_folder_that_cannot_be_written_falls_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    blocked = tmp_path / "app"
    blocked.mkdir()
    (blocked / "data").write_text("a file where the folder should be")
    assert data_folder(blocked) != blocked / "data"
    assert data_folder(tmp_path) == tmp_path / "data"


# --- remote models


def test_what_is_given_away_by_default() -> None:
    chosen = settings({})
    assert (chosen.requests_per_hour, chosen.tokens_per_day) == (60, 200_000)
    assert (chosen.custom_servers, chosen.local) == (False, False), "a public deployment must ask for these"
    assert chosen.gemini_sdk == "google-genai"
    assert (dict(chosen.base_urls), dict(chosen.prices), dict(chosen.secrets)) == ({}, {}, {})


def test_the_remote_fields_are_read() -> None:
    secrets = {"diptych": {"requests_per_hour": 5, "custom_servers": True, "local": "no"}}
    chosen = settings({"DIPTYCH_TOKENS_PER_DAY": "0", "DIPTYCH_REMOTE_READ_SECONDS": "7.5"}, secrets)
    assert (chosen.requests_per_hour, chosen.tokens_per_day, chosen.remote_read_seconds) == (5, 0, 7.5)
    assert (chosen.custom_servers, chosen.local) == (True, False)
    assert not settings({"DIPTYCH_CUSTOM_SERVERS": "0"}, secrets).custom_servers


@pytest.mark.parametrize(
    ("value", "on"),
    [("1", True), ("true", True), ("YES", True), ("0", False), ("false", False), ("on?", False), ("", False)],
)
def test_a_switch_is_off_unless_it_says_yes(value: str, on: bool) -> None:
    for name in ("custom_servers", "local", "offline"):
        assert getattr(settings({f"DIPTYCH_{name.upper()}": value}), name) is on


@pytest.mark.parametrize("name", ["REQUESTS_PER_HOUR", "TOKENS_PER_DAY", "REMOTE_READ_SECONDS"])
@pytest.mark.parametrize("value", ["-1", "many", "nan", "inf"])
def test_a_limit_that_is_none_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidInput, match=f"DIPTYCH_{name}"):
        settings({f"DIPTYCH_{name}": value})


def test_keys_are_read_from_the_providers_tables_and_nowhere_else() -> None:
    environment = dict.fromkeys(("OPENAI_API_KEY", "GEMINI_API_KEY", "DIPTYCH_API_KEY"), "from-the-environment")
    secrets = {
        "api_key": "top",
        "OPENAI_API_KEY": "top",
        "openai": {"api_key": "beside"},
        "providers": {
            "gemini": {"api_key": "  the-key\n", "base_url": " https://proxy.example "},
            "openai": {"api_key": "   "},
            "groq": {"api_key": ""},
            "mistral": {"api_key": None},
            "anthropic": {"key": "misnamed"},
            "openrouter": "not a table",
            "huggingface": {"api_key": 12345},
        },
    }
    chosen = settings(environment, secrets)
    assert {name: key.reveal() for name, key in chosen.secrets.items()} == {
        "gemini": "the-key",
        "huggingface": "12345",
    }
    assert chosen.base_urls == {"gemini": "https://proxy.example"}


@pytest.mark.parametrize("providers", [None, "x", 7, [], ["gemini"], {}])
def test_a_providers_table_that_is_none_holds_no_keys(providers: object) -> None:
    chosen = settings({}, {"providers": providers})
    assert (dict(chosen.secrets), dict(chosen.base_urls)) == ({}, {})


@pytest.mark.parametrize("sdk", ["google-genai", "google-generativeai"])
def test_the_gemini_sdk_is_chosen(sdk: str) -> None:
    assert settings({}, {"gemini": {"sdk": sdk}}).gemini_sdk == sdk


@pytest.mark.parametrize("sdk", ["", "genai", "GOOGLE-GENAI", "os; rm", 3, None, ["google-genai"]])
def test_an_sdk_that_is_none_is_refused(sdk: object) -> None:
    with pytest.raises(InvalidInput, match="google-generativeai"):
        settings({}, {"gemini": {"sdk": sdk}})


def test_prices_are_pairs() -> None:
    chosen = settings({}, {"prices": {"openai:gpt-6-luna": [0.1, 0.5], "groq:m": (0, 1), "ollama:m": [0, 0]}})
    assert chosen.prices == {"openai:gpt-6-luna": (0.1, 0.5), "groq:m": (0.0, 1.0), "ollama:m": (0.0, 0.0)}


@pytest.mark.parametrize(
    "pair",
    [
        None,
        "",
        "12",
        "0.1, 0.5",
        1,
        [],
        [1],
        [1, 2, 3],
        ["1", "2"],
        [1, None],
        [-1, 2],
        [1, float("nan")],
        [1, float("inf")],
        {"input": 1, "output": 2},
        [True, False],
    ],
)
def test_a_price_that_is_none_is_named(pair: object) -> None:
    with pytest.raises(InvalidInput, match=r"price of 'openai:gpt'.*per million"):
        settings({}, {"prices": {"openai:gpt": pair}})


def test_settings_show_no_key() -> None:
    chosen = settings({}, {"providers": {"gemini": {"api_key": "AQ.very-secret"}}})
    for shown in (repr(chosen), str(chosen), f"{chosen}", repr(chosen.secrets), str(vars_of(chosen))):
        assert "very-secret" not in shown
        assert "gemini" in shown
    with pytest.raises(TypeError):
        pickle.dumps(chosen)


def vars_of(chosen: object) -> dict[str, object]:
    return {one.name: getattr(chosen, one.name) for one in fields(chosen)}  # type: ignore[arg-type]

"""Settings come from the environment and the secrets; keys do not show themselves."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.settings import Secret, data_folder, settings


def test_defaults_need_nothing() -> None:
    chosen = settings({})
    assert chosen.max_waiting == 20
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

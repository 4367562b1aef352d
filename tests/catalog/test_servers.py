"""Ids of remote models name a server of the table or one of a visitor's, and nothing else."""

from __future__ import annotations

import re

import pytest

from core.catalog import spec
from core.catalog.servers import CUSTOM, MAX_ID, SERVERS, Server, custom, parts, server
from core.errors import UnknownModel
from core.remote.address import checked_url

rows = pytest.mark.parametrize("row", SERVERS, ids=lambda row: row.id)


def test_ids_are_unique() -> None:
    assert len({row.id for row in SERVERS}) == len(SERVERS)


@rows
def test_a_row_says_what_a_visitor_needs(row: Server) -> None:
    assert re.fullmatch(r"[a-z]+", row.id)
    assert not row.id.startswith(CUSTOM)
    assert row.name
    assert row.needs_key != row.local
    assert row.key_page.startswith("https://") == row.needs_key
    assert (3 <= len(row.models) <= 5) or row.local or row.id in ("mistral", "groq", "openrouter")


@rows
def test_a_row_is_called_where_it_may_be(row: Server) -> None:
    assert checked_url(row.base_url, local=row.local) == row.base_url
    assert row.base_url.startswith("http://localhost:" if row.local else "https://")


@pytest.mark.parametrize("model", [f"{row.id}:{name}" for row in SERVERS for name in row.models])
def test_offered_models_have_a_row_of_their_own(model: str) -> None:
    found = spec(model)
    assert spec(spec(model).id) == found
    assert found.id == model
    assert (found.server, found.key, found.local) == (model.split(":")[0], model.split(":")[0], False)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("ollama:llama3.2:1b", "llama3.2:1b"),
        ("openrouter:meta-llama/llama-3.3-70b-instruct:free", "meta-llama/llama-3.3-70b-instruct:free"),
        ("huggingface:org/model@v1", "org/model@v1"),
        ("gemini:models/gemini-3.8-flash", "models/gemini-3.8-flash"),
        ("lmstudio:a name with blanks", "a name with blanks"),
        ("llamacpp:/models/x.gguf", "/models/x.gguf"),
        ("ollama:" + "x" * (MAX_ID - 7), "x" * (MAX_ID - 7)),
    ],
)
def test_names_are_kept_as_they_are(model: str, name: str) -> None:
    row, found = parts(model)
    assert (row.id, found) == (model.split(":")[0], name)
    assert spec(model).id == model
    assert spec(model).source == name


@pytest.mark.parametrize(
    ("model", "name", "url"),
    [
        ("custom:m@https://host.example/v1", "m", "https://host.example/v1"),
        ("custom:org/m:tag@https://host.example:8443", "org/m:tag", "https://host.example:8443"),
        ("custom:a@b@http://localhost:8000/v1", "a@b", "http://localhost:8000/v1"),
        ("custom:m@https://user@host.example", "m", "https://user@host.example"),
        ("custom:m@https://evil#@api.openai.com", "m", "https://evil#@api.openai.com"),
        ("custom:m@https://a@https://b", "m", "https://a@https://b"),
    ],
)
def test_a_visitors_server_round_trips(model: str, name: str, url: str) -> None:
    """Reading an id decides nothing: whether the URL may be called is decided where it is called."""
    found = spec(model)
    assert spec(found.id) == found
    assert found.id == model
    assert (found.source, found.server, found.key) == (name, f"custom@{url}", f"custom@{url}")
    assert parts(model) == (custom(url), name)


@pytest.mark.parametrize(
    "model",
    [
        "",
        ":",
        "gemini:",
        "gemini: ",
        ":gemini-3.8-flash",
        "Gemini:gemini-3.8-flash",
        " gemini:x",
        "gemini :x",
        "nobody:x",
        "tiny-text:x",
        "custom",
        "custom:",
        "custom:m",
        "custom:@https://host.example",
        "custom:m@ftp://host.example",
        "custom:m@host.example",
        "custom:m@HTTPS://host.example",
        "custom@https://host.example:m",
        "gemini:x\n",
        "gemini:x\x00y",
        "gemini:x\x1b[2J",
        "gemini:x\u2028y",
        "gemini:x\u200by",
        "gemini:x\u202ey",
        "gemini:\ud800",
        "custom:m@https://host.example/\n",
        "gemini:" + "x" * MAX_ID,
        "custom:m@https://" + "x" * 5_000,
        "gemini:veo-3:predictLongRunning?x=",
        "gemini:x#",
        "gemini:x%2f..%2fy",
        "gemini:../../upload/v1beta/files",
        "gemini:..",
        "custom:a?b@https://host.example",
    ],
)
def test_what_is_no_id_is_no_model(model: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        spec(model)
    said = str(caught.value)
    assert len(said) < 250
    assert said.endswith(".")
    with pytest.raises(UnknownModel):
        parts(model)


def test_an_unknown_server_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match=r"'nobody'.*gemini, openai"):
        server("nobody")
    with pytest.raises(UnknownModel, match="server:name"):
        spec("a" * 500 + ":")

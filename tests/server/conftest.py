"""A real `streamlit run` that raw websocket clients speak with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.serving import Server, served


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that the tests of this folder share; each comes as visitors of its own."""
    with served(tmp_path_factory.mktemp("served"), environment={"DIPTYCH_LOCAL": "1"}) as running:
        yield running

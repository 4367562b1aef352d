"""Uploads are bounded, of one visitor and of all, and what no widget holds is let go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.support.raw_client import RawClient, delete, put, token, visitor
from tests.support.serving import Server, eventually, served

MEGABYTE = 1_000_000
FILE = bytes(4_900_000)


BOUNDS = {"DIPTYCH_UPLOAD_BYTES_PER_SESSION": "12000000", "DIPTYCH_UPLOAD_BYTES": "20000000"}


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that holds 12 MB of files of one visitor and 20 MB in all, however long no page takes them up."""
    environment = BOUNDS | {"DIPTYCH_UPLOAD_SECONDS": "3600"}
    with served(tmp_path_factory.mktemp("patient"), environment=environment) as running:
        yield running


def upload(server: Server, client: RawClient, count: int) -> list[int]:
    return [put(server.url, url, FILE) for url in client.upload_urls([f"{n}.png" for n in range(count)])]


def test_a_hundred_files_that_no_widget_holds_are_refused(patient: Server) -> None:
    memory = psutil.Process(patient.pid).memory_info
    with visitor(patient.url, token()) as client:
        client.rerun("chat")
        before = memory().rss
        assert upload(patient, client, 100) == [204, 204] + [413] * 98
        assert memory().rss - before < 40 * MEGABYTE


def test_visitors_together_are_bounded_and_what_leaves_with_a_session_counts_no_more(patient: Server) -> None:
    with visitor(patient.url, token()) as ann, visitor(patient.url, token()) as bob:
        for client in (ann, bob):
            client.rerun("chat")
        taken = upload(patient, ann, 2) + upload(patient, bob, 2)
        assert taken.count(204) == 2  # the first test's visitor may still come back to two files
        first = next(one for one in ann.messages if one.WhichOneof("type") == "file_urls_response")
        assert delete(patient.url, first.file_urls_response.file_urls[0].delete_url) == 204
        assert upload(patient, bob, 1) == [204]


def test_a_file_that_a_widget_holds_stays_and_one_that_none_holds_goes(tmp_path: Path) -> None:
    with (
        served(tmp_path, environment=BOUNDS | {"DIPTYCH_UPLOAD_SECONDS": "1"}) as server,
        visitor(server.url, token()) as client,
    ):
        client.rerun("image")
        uploader = next(one.file_uploader for one in client.elements if one.WhichOneof("type") == "file_uploader")
        (url,) = client.upload_urls(["held.png"])
        assert put(server.url, url, FILE) == 204
        state = WidgetState(id=uploader.id)
        state.file_uploader_state_value.uploaded_file_info.add(
            file_id=url.rpartition("/")[2], name="held.png", size=len(FILE)
        )
        client.rerun("image", [state])
        assert upload(server, client, 2) == [204, 413]
        eventually(lambda: upload(server, client, 1) == [204], 30)  # the one that no widget holds is gone
        assert upload(server, client, 1) == [413]  # the held one is not

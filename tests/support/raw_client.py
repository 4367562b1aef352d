"""A visitor without a browser: Streamlit's websocket, spoken by hand, so that it can say what no browser would."""

from __future__ import annotations

import http.client
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

COOKIE = "diptych_owner"


def token() -> str:
    """What a browser's cookie holds."""
    return secrets.token_urlsafe(32)


class RawClient:
    """One connection. Elements are kept as they come; a full run of the script replaces them all."""

    def __init__(self, url: str, connection: ClientConnection) -> None:
        self._url = url
        self._connection = connection
        self.session_id = ""
        self.elements: list[Element] = []
        self.fragments: set[str] = set()
        self.messages: list[ForwardMsg] = []

    def send(self, message: BackMsg) -> None:
        self._connection.send(message.SerializeToString())

    def send_bytes(self, frame: bytes) -> None:
        self._connection.send(frame)

    def receive(self, seconds: float = 30.0) -> ForwardMsg:
        """The next message; TimeoutError when there is none, ConnectionClosed when there will be none."""
        message: ForwardMsg = ForwardMsg.FromString(self._connection.recv(timeout=seconds, decode=False))
        self.messages.append(message)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session_id = message.new_session.initialize.session_id or self.session_id
            if not message.metadata.run.fragment_ids:
                self.elements.clear()
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self.elements.append(message.delta.new_element)
        if kind == "delta" and message.delta.fragment_id:
            self.fragments.add(message.delta.fragment_id)
        return message

    def until(self, done: Callable[[ForwardMsg], bool], seconds: float = 60.0) -> ForwardMsg:
        deadline = time.monotonic() + seconds
        while True:
            message = self.receive(max(0.1, deadline - time.monotonic()))
            if done(message):
                return message

    def rerun(self, page: str = "", states: Sequence[WidgetState] = (), fragment: str = "") -> None:
        """Ask for a run of the script and wait until it has ended."""
        self.ask(page, states, fragment)
        self.until(lambda message: message.WhichOneof("type") == "script_finished")

    def ask(self, page: str = "", states: Sequence[WidgetState] = (), fragment: str = "") -> None:
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.widget_states.widgets.extend(states)
        self.send(message)

    def closed(self, seconds: float = 10.0) -> int | None:
        """The code with which the server closes the connection, None when it stays open so long."""
        try:
            while True:
                self.receive(seconds)
        except TimeoutError:
            return None
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 0

    def text(self) -> str:
        """Everything that the page says now."""
        return "\n".join(str(element) for element in self.elements)

    def exceptions(self) -> list[str]:
        """Streamlit's own boxes for errors, which no visitor shall see."""
        return [one.exception.message for one in self.elements if one.WhichOneof("type") == "exception"]

    def widget(self, kind: str, label: str) -> Element:
        """The element of one type and label."""
        return next(
            one for one in self.elements if one.WhichOneof("type") == kind and getattr(one, kind).label == label
        )

    def has(self, kind: str, label: str) -> bool:
        """Whether there is an element of one type and label."""
        return any(one.WhichOneof("type") == kind and getattr(one, kind).label == label for one in self.elements)

    def upload_urls(self, names: Sequence[str]) -> list[str]:
        message = BackMsg()
        message.file_urls_request.request_id = secrets.token_hex(4)
        message.file_urls_request.file_names.extend(names)
        self.send(message)
        reply = self.until(lambda one: one.WhichOneof("type") == "file_urls_response")
        return [one.upload_url for one in reply.file_urls_response.file_urls]

    def close(self) -> None:
        self._connection.close()


@contextmanager
def visitor(
    url: str, cookie: str = "", session_id: str = "", host: str = "", origin: str | None = None
) -> Iterator[RawClient]:
    """Connect as a browser would, with a cookie, another's session id, or another name for the server."""
    there = urlsplit(url)
    headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
    protocols = ["streamlit", "none", session_id] if session_id else ["streamlit", "none"]
    address = f"ws://{host or there.netloc}/_stcore/stream"
    connection = connect(
        address,
        sock=socket.create_connection((there.hostname, there.port), timeout=10),
        origin=(f"http://{host or there.netloc}" if origin is None else origin) or None,  # type: ignore[arg-type]
        subprotocols=[Subprotocol(one) for one in protocols],
        additional_headers=headers,
        max_size=None,
        max_queue=None,  # else what nobody read holds up the close
        proxy=None,
        ping_interval=None,
    )
    with connection:
        yield RawClient(url, connection)


def put(url: str, path: str, body: bytes, name: str = "image.png") -> int:
    """Upload one file as the browser's uploader does; the status of the answer."""
    mark = secrets.token_hex(8)
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    return _change(url, "PUT", path, head.encode() + body + f"\r\n--{mark}--\r\n".encode(), kind)


def delete(url: str, path: str) -> int:
    """Take an uploaded file back; the status of the answer."""
    return _change(url, "DELETE", path, b"", {})


def _change(url: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    """A request that changes something, with the token against forged ones that a browser is given."""
    there = urlsplit(url)
    connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=60)
    try:
        connection.request("GET", "/_stcore/health")
        answer = connection.getresponse()
        answer.read()
        xsrf = SimpleCookie(answer.headers["Set-Cookie"])["_streamlit_xsrf"].value
        both = {"Cookie": f"_streamlit_xsrf={xsrf}", "X-Xsrftoken": xsrf}
        connection.request(method, path, body, headers | both)
        return connection.getresponse().status
    finally:
        connection.close()


def get(url: str, path: str, host: str = "") -> tuple[int, str]:
    """Status and body of a plain request, with another name for the server where one is given."""
    there = urlsplit(url)
    connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def number(client: RawClient, label: str, value: float) -> WidgetState:
    """A number widget's state."""
    return WidgetState(id=client.widget("number_input", label).number_input.id, double_value=value)


def typed(client: RawClient, label: str, text: str) -> WidgetState:
    """A text area's state."""
    return WidgetState(id=client.widget("text_area", label).text_area.id, string_value=text)


def press(client: RawClient, label: str) -> WidgetState:
    """A button's state while it is pressed."""
    return WidgetState(id=client.widget("button", label).button.id, trigger_value=True)

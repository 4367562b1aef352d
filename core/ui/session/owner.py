"""Who is looking: the signed-in person where the deployment has sign-in, else a random token in a cookie.

Only a hash of either leaves this module. Streamlit's own session id is never used for it: whoever holds one could take
the session over, were the session not bound to its owner here.

One browser has one cookie, but several tabs of a first visit each make a token before they see another's. The token
that the cookie holds in the end wins: a tab that made another one takes it over, with the runs made meanwhile.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import OrderedDict
from threading import Lock

import streamlit as st
from streamlit.components import v2
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.ui.session import resources
from core.ui.session.state import Session, session

COOKIE = "diptych_owner"
_COMPONENT = "owner.cookie"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,64}")
_YEAR = 365 * 24 * 3600

# Sets the cookie where there is none, one tab at a time, and reports the token that it holds where that is another.
# Secure on https. Where the browser has no locks (http on a network), a tab looks again later.
_SET_COOKIE = """
export default function ({ data, setStateValue }) {
  const held = () => document.cookie.split("; ").find((pair) => pair.startsWith(data.name + "="))?.split("=")[1];
  const settle = () => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    if (!held())
      document.cookie = `${data.name}=${data.value}; Max-Age=${data.age}; Path=/; SameSite=Strict${secure}`;
    if (held() && held() !== data.value) setStateValue("token", held());
  };
  navigator.locks ? navigator.locks.request(data.name, settle) : settle();
  const later = setTimeout(settle, 2000);
  window.addEventListener("focus", settle);
  return () => { clearTimeout(later); window.removeEventListener("focus", settle); };
}
"""


class SessionOwners:
    """Whose each of Streamlit's sessions is: a token's hash by session id, of the sessions that ran last."""

    MOST = 20_000
    SIGNED_IN = "signed in"  # Streamlit itself compares the person

    def __init__(self) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def bind(self, session_id: str, owner: str) -> None:
        with self._lock:
            self._owners[session_id] = owner
            self._owners.move_to_end(session_id)
            if len(self._owners) > self.MOST:
                self._owners.popitem(last=False)

    def of(self, session_id: str) -> str | None:
        with self._lock:
            return self._owners.get(session_id)


def current() -> str:
    """The owner under which the history keeps this visitor's runs: a hex SHA-256."""
    return _hash(_identity())


def remember() -> None:
    """Bind the session to its owner, and set the cookie on the first visit; later connections bring it along."""
    signed_in = _signed_in()
    context = get_script_run_ctx()
    if context is not None:
        owner = SessionOwners.SIGNED_IN if signed_in else _hash(f"cookie:{_token()}")
        _session_owners().bind(context.session_id, owner)
    if signed_in or _cookie():
        return
    component = v2.component("diptych_owner_cookie", js=_SET_COOKIE)
    data = {"name": COOKIE, "value": _token(), "age": _YEAR}
    component(key=_COMPONENT, data=data, on_token_change=_adopt, height=0)


def may_resume(session_id: str, cookie: str) -> bool:
    """Whether a new connection with this cookie may go on with a session that was lost."""
    owner = _session_owners().of(session_id)
    return owner is not None and (owner == SessionOwners.SIGNED_IN or owner == _hash(f"cookie:{cookie}"))


def _session_owners() -> SessionOwners:
    return resources.shared("session owners", SessionOwners)


def _adopt() -> None:
    """Take over the token that the browser's cookie holds, with the runs made under the one it was not to be."""
    token = dict(st.session_state[_COMPONENT]).get("token")
    state = session()
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or token == state.token or _signed_in():
        return
    before, state.token = _hash(f"cookie:{_token()}"), token
    resources.engine().change_owner(before, current())
    resources.history().change_owner(before, current())


def _identity() -> str:
    return _signed_in() or f"cookie:{_token()}"


def _hash(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()


def _signed_in() -> str:
    """Issuer and subject of the OpenID Connect user, '' where nobody is signed in."""
    user = st.user.to_dict()
    return f"oidc:{user.get('iss')}:{user.get('sub')}" if user.get("is_logged_in") else ""


def _cookie() -> str:
    """The token that the browser brought, '' where it brought none, or one that we never made."""
    value = st.context.cookies.get(COOKIE, "")
    return value if isinstance(value, str) and _TOKEN.fullmatch(value) else ""


def _token() -> str:
    state = _own_session()
    if not state.token:
        state.token = _cookie() or secrets.token_urlsafe(32)
    return state.token


def _own_session() -> Session:
    """This visitor's session; a new one where another connection than before brings another cookie.

    core.ui.middleware.sessions keeps such a connection from the session; this holds where a host leaves that out."""
    state = session()
    connection = st.context.headers.get("Sec-WebSocket-Key") or ""
    if state.token and state.connection != connection and _cookie() != state.token:
        st.session_state.clear()
        state = session()
    state.connection = connection
    return state

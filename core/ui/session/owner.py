"""Who is looking: the signed-in person where the deployment has sign-in, else a random token in a cookie.

Only a hash of either leaves this module. Streamlit's own session id is never used: whoever holds it can take the
session over.
"""

from __future__ import annotations

import hashlib
import secrets

import streamlit as st
from streamlit.components import v2

from core.ui.session.state import session

COOKIE = "diptych_owner"
_YEAR = 365 * 24 * 3600

# Secure on https; never overwrites a cookie that another tab has set meanwhile.
_SET_COOKIE = """
export default function ({ data }) {
  if (document.cookie.split("; ").some((pair) => pair.startsWith(data.name + "="))) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${data.name}=${data.value}; Max-Age=${data.age}; Path=/; SameSite=Strict${secure}`;
}
"""


def current() -> str:
    """The owner under which the history keeps this visitor's runs: a hex SHA-256."""
    return hashlib.sha256(_identity().encode()).hexdigest()


def remember() -> None:
    """Set the cookie on the first visit; later connections bring it along."""
    if _signed_in() or _cookie():
        return
    component = v2.component("diptych_owner_cookie", js=_SET_COOKIE)
    component(key="owner.cookie", data={"name": COOKIE, "value": _token(), "age": _YEAR}, height=0)


def _identity() -> str:
    return _signed_in() or f"cookie:{_token()}"


def _signed_in() -> str:
    """Issuer and subject of the OpenID Connect user, '' where nobody is signed in."""
    user = st.user.to_dict()
    return f"oidc:{user.get('iss')}:{user.get('sub')}" if user.get("is_logged_in") else ""


def _cookie() -> str:
    """The token that the browser brought, '' where it brought none, or one that we never made."""
    value = st.context.cookies.get(COOKIE, "")
    return value if isinstance(value, str) and 40 <= len(value) <= 64 and value.isascii() else ""


def _token() -> str:
    state = session()
    if not state.token:
        state.token = _cookie() or secrets.token_urlsafe(32)
    return state.token

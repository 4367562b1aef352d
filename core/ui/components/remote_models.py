"""Remote models on the pages: whose keys are there, which models are offered, and the dialog that adds both.

A visitor's key stays in that visitor's session and goes out by argument only (`secrets`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from core import catalog
from core.catalog import servers
from core.catalog.servers import SERVERS, Server
from core.errors import DiptychError, UnknownModel
from core.providers import list_models
from core.remote.address import checked_url
from core.remote.keys import key_from
from core.settings import Secrets
from core.ui.components.error_messages import errors_as_messages, refusal
from core.ui.components.markdown import escape
from core.ui.session import owner
from core.ui.session.resources import allowance, settings
from core.ui.session.state import Draft, Listing, session

LISTING_SECONDS = 300.0
_OWN = "Your own server"


def secrets() -> Secrets:
    """The keys for one call: what the deployment lends, and before it the visitor's own."""
    return {**allowance().lend(owner.current(), settings().secrets), **session().keys}


def ready(server: Server) -> bool:
    """Whether this server can be called: a remote one needs a key, a local one a local run or an address."""
    if server.local:
        return settings().local or server.id in settings().base_urls
    return server.id in session().keys or server.id in settings().secrets


def offered(chosen: Sequence[str]) -> list[str]:
    """Ids of remote models to choose from: what was added, what the deployment has keys for, and what is chosen."""
    deployments = [
        f"{row.id}:{name}"
        for row in SERVERS
        if row.id in settings().secrets and settings().requests_per_hour > 0
        for name in row.models
    ]
    kept = [model for model in chosen if ":" in model and _exists(model)]
    return list(dict.fromkeys([*deployments, *session().remote_models, *kept]))


def state(model_id: str) -> str:
    """Where a remote model is, and whether it can be called now."""
    server = servers.parts(model_id)[0]
    return server.name if ready(server) else f"{server.name}, no key yet"


def button(draft: Draft) -> None:
    """The way into the dialog."""
    pressed = st.button(
        "Remote models",
        icon=":material/cloud:",
        key=draft.key("remote"),
        help="Gemini, GPT, Claude, Mistral, LLaMA and servers on your own machine, with your key",
    )
    if pressed:
        _dialog(draft)


def lending(chosen: Sequence[str]) -> None:
    """What the visitor may still use of the deployment's keys, where a chosen model is called with one."""
    ids = {servers.parts(model)[0].id for model in chosen if ":" in model and _exists(model)}
    if not ids & set(settings().secrets) - set(session().keys):
        return
    left = allowance().left(owner.current())
    st.caption(
        f"This deployment lends its key: {left.requests} of {settings().requests_per_hour} requests left this hour, "
        f"{left.tokens:,} of {settings().tokens_per_day:,} tokens today. With a key of your own there is no limit here."
    )


@st.dialog("Remote models", width="medium", on_dismiss="rerun")
def _dialog(draft: Draft) -> None:
    st.caption("What you send to a remote model leaves this machine, under the terms of its server.")
    rows = {row.name: row for row in SERVERS if settings().local or not row.local or ready(row)}
    names = [*rows, *([_OWN] if settings().custom_servers else [])]
    name = st.selectbox("Server", names, key="remote.server", format_func=lambda n: n + _mark(rows.get(n)))
    server = rows.get(name) if name != _OWN else _custom_server()
    if server is None:
        return
    if server.note:
        st.caption(server.note)
    if server.id in settings().base_urls:
        st.caption(f"This deployment calls it at {escape(settings().base_urls[server.id], 160)}")
    if not server.local:
        _key(server)
    if ready(server):
        _models(draft, server)


def _mark(server: Server | None) -> str:
    return " ✓" if server is not None and ready(server) and not server.local else ""


def _custom_server() -> Server | None:
    text = st.text_input("Base URL", key="remote.url", placeholder="https://host.example/v1")
    if not text.strip():
        st.caption("An address that speaks OpenAI's chat completions. It must be on the open internet, over https.")
        return None
    try:
        return servers.custom(checked_url(text, local=settings().local))
    except DiptychError as error:
        st.error(escape(str(error), 300))
        return None


def _key(server: Server) -> None:
    if server.id in session().keys:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":green[:material/key:] Your key for {escape(server.name)} is set, for this visit only.")
            st.button("Forget it", key=f"remote.forget.{server.id}", on_click=_forget, args=(server,))
        return
    if server.id in settings().secrets:
        lending([f"{server.id}:any"])
    with st.form(f"remote.key.{server.id}", border=False):
        typed = st.text_input(
            f"Your key for {escape(server.name)}",
            type="password",
            autocomplete="off",
            help="Kept in this browser session only: never stored, never logged, sent to this server alone.",
        )
        if server.key_page:
            st.caption(f"Get one at {server.key_page}")
        if st.form_submit_button("Use this key", type="primary"):
            _use(server, typed)


def _use(server: Server, typed: str) -> None:
    """Take the key if the server does: listing its models is the cheapest question."""
    try:
        session().keys[server.id] = key_from(typed)
        _ask_again(server)
        with st.spinner(f"Asking {escape(server.name)} for its models …"):
            _listing(server)
    except DiptychError as error:
        session().keys.pop(server.id, None)
        st.error(escape(str(error), 400), icon=":material/error:")
        return
    st.rerun(scope="fragment")


def _forget(server: Server) -> None:
    session().keys.pop(server.id, None)
    _ask_again(server)


def _ask_again(server: Server) -> None:
    session().listings.pop(server.id, None)


def _models(draft: Draft, server: Server) -> None:
    failure, names = "", server.models
    try:
        with st.spinner(f"Asking {escape(server.name)} for its models …"):
            names = _listing(server)
    except DiptychError as error:
        failure = str(error)
    mine = [servers.bare(name) for name in _mine(server)]
    key = f"remote.models.{server.id}"
    st.multiselect(
        "Models to offer",
        list(dict.fromkeys([*mine, *map(servers.bare, names)])),
        default=mine,
        key=key,
        accept_new_options=True,
        placeholder="Choose from the list, or type a model's id",
        help="They appear in the model menus of every page.",
        on_change=_offer,
        args=(draft, server, key),
    )
    _vision(server)
    refusal()
    if failure:
        st.warning(escape(f"The list could not be had: {failure} You can still type a model's id.", 500))
        st.button("Ask again", icon=":material/refresh:", key="remote.again", on_click=_ask_again, args=(server,))
    if st.button("Done", type="primary", disabled=not mine, key="remote.done"):
        st.rerun()


def _mine(server: Server) -> list[str]:
    """Names of the models that the visitor took from this server."""
    return [servers.parts(model)[1] for model in session().remote_models if servers.parts(model)[0].id == server.id]


@errors_as_messages
def _offer(draft: Draft, server: Server, key: str) -> None:
    """Take what is now chosen of a server's models; the first new one is selected on the page at once."""
    chosen = session().widget(key)
    listing = session().listings.get(server.id)
    named = {servers.bare(name): name for name in (*(listing.names if listing else ()), *_mine(server))}
    names = [str(name).strip() for name in chosen] if isinstance(chosen, list) else []
    taken = [catalog.remote(server, named.get(name, name)).id for name in names]
    for model in taken:
        servers.parts(model)  # a name that cannot be one is refused, and nothing is taken
    before = [catalog.remote(server, name).id for name in _mine(server)]
    session().remote_models = [model for model in session().remote_models if model not in before] + taken
    fresh = [model for model in taken if model not in before]
    if fresh and not set(draft.models) & set(taken):
        draft.select(fresh[0])


def _vision(server: Server) -> None:
    """Which of the models see images: known by their names or the server's list, and else said by the visitor here."""
    models = {servers.bare(name): catalog.remote(server, name) for name in _mine(server)}
    if not models:
        return
    seeing = [name for name, row in models.items() if row.sees]
    key = "remote.vision." + " ".join(row.id for row in models.values())
    st.multiselect(
        "They see images",
        list(models),
        default=seeing,
        key=key,
        help="Images can be attached for these. Neither a name nor a server's list says it of every model.",
        on_change=_take_vision,
        args=(server, key),
    )


def _take_vision(server: Server, key: str) -> None:
    """Take what the visitor says of the models' eyes, on every page that has one of them chosen."""
    chosen = session().widget(key)
    seeing = chosen if isinstance(chosen, list) else []
    renamed: dict[str, str] = {}
    for name in _mine(server):
        bare = servers.bare(name)
        sees = bare in seeing
        inferred = catalog.remote(server, bare).sees == sees
        named = servers.with_vision(bare, None if inferred else sees)
        renamed[catalog.remote(server, name).id] = catalog.remote(server, named).id
    session().remote_models = [renamed.get(model, model) for model in session().remote_models]
    for draft in session().drafts.values():
        models = [renamed.get(model, model) for model in draft.models]
        if models != draft.models:
            draft.models, draft.generation = models, session().fresh_key()


def _listing(server: Server) -> tuple[str, ...]:
    """What the server offers; asked again after LISTING_SECONDS, also where the request failed.

    Raises:
        DiptychError: why the server gave no list.
    """
    listing = session().listings.get(server.id)
    if listing is None or time.monotonic() - listing.when > LISTING_SECONDS:
        listing = session().listings[server.id] = _request_listing(server)
    if listing.error:
        raise DiptychError(listing.error)
    return listing.names


def _request_listing(server: Server) -> Listing:
    try:
        return Listing(time.monotonic(), names=list_models(server, settings(), secrets()))
    except DiptychError as error:
        return Listing(time.monotonic(), error=str(error))


def _exists(model_id: str) -> bool:
    try:
        catalog.spec(model_id)
    except UnknownModel:
        return False
    return True

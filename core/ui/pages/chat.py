"""The chat page's parts: how answers are asked for, the talk with its versions, and the field below it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core import catalog
from core.chat import Exchange, Side, Talk, files, settled, totals
from core.chat.experiments import compared
from core.text import money
from core.types import State
from core.ui.components import amounts, model_controls, results, run_bar
from core.ui.components.markdown import escape, formatted
from core.ui.components.results import guard
from core.ui.pages import conversations
from core.ui.session import drafts
from core.ui.session.state import Draft, session

IMAGE_TYPES = ["png", "jpg", "jpeg", "webp"]


def header(draft: Draft) -> None:
    """The title, and what can be done with the whole talk."""
    talk = conversations.current()
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title("Chat", anchor=False)
        with st.container(horizontal=True, width="content"):
            st.button(
                "New chat",
                icon=":material/add_comment:",
                key="chat.new",
                on_click=conversations.fresh,
                disabled=not talk.exchanges,
            )
            with st.popover("Export", icon=":material/download:", disabled=not talk.exchanges):
                _exports(draft, talk)
            if st.button(
                "To playground",
                icon=":material/compare:",
                key="chat.compare",
                disabled=not talk.exchanges,
                help="Compare wordings of the last message, after all that was said before it",
            ):
                last = len(talk.exchanges) - 1
                drafts.open_in_page(compared(talk, last, tuple(draft.models), conversations.manner(draft)))


def controls_of(draft: Draft) -> None:
    """Models (two answer side by side), the system part, and the parameters."""
    model_controls.models(draft, "Model, or two that answer the same message side by side", most=2)
    variant = draft.variants[0]
    variant.system = st.text_area(
        "System", variant.system, height=68, key=draft.key("system"), placeholder="Optional: who answers, and how"
    )


def draw(draft: Draft) -> None:
    """The whole talk, redrawn while an answer is on its way."""
    polling = conversations.current().pending()

    def live() -> None:
        with guard():
            conversations.keep(settled(conversations.current(), conversations.result))
            talk = conversations.current()
            if not talk.exchanges:
                st.caption("Say something below. Every answer is kept in the history.")
            for number, exchange in enumerate(talk.exchanges):
                _exchange(draft, number, exchange, last=number == len(talk.exchanges) - 1)
            _state(talk)
            if talk.pending() != polling:
                st.rerun()

    st.fragment(live, run_every=run_bar.POLL_SECONDS if polling else None)()


def ask(draft: Draft) -> None:
    """The field for the next message."""
    results.refusal()
    sees = bool(draft.models) and all(catalog.spec(model).sees for model in draft.models)
    said = st.chat_input(
        "Message" if draft.models else "Choose a model first",
        key="chat.say",
        disabled=not draft.models or conversations.current().pending(),
        accept_file="multiple" if sees else False,
        file_type=IMAGE_TYPES if sees else None,
    )
    if said:
        text, uploads = (said, []) if isinstance(said, str) else (said.text, said.files)
        conversations.say(draft, text, [upload.getvalue() for upload in uploads])
        st.rerun()


def _exchange(draft: Draft, number: int, exchange: Exchange, *, last: bool) -> None:
    with st.chat_message("user", avatar=":material/person:"):
        if session().editing == number:
            _editor(draft, number, exchange)
        else:
            _message(number, exchange)
    columns = st.columns(len(exchange.sides)) if len(exchange.sides) > 1 else [st.container()]
    for place in range(len(exchange.sides)):
        with columns[place], st.chat_message("assistant", avatar=":material/smart_toy:"):
            _side(draft, number, exchange, place, last=last)


def _message(number: int, exchange: Exchange) -> None:
    for picture in exchange.images:
        if picture in session().pictures:
            st.image(session().pictures[picture], width=220)
    if exchange.message:
        st.text(exchange.message)
    st.button(
        "Edit",
        icon=":material/edit:",
        type="tertiary",
        key=f"chat.edit.{number}",
        disabled=conversations.current().pending(),
        help="Write it anew and send it again; what came after it leaves this chat and stays in the history",
        on_click=conversations.edit,
        args=(number,),
    )


def _editor(draft: Draft, number: int, exchange: Exchange) -> None:
    key = f"chat.rewritten.{number}"
    st.text_area("Rewritten message", exchange.message, key=key, label_visibility="collapsed")
    with st.container(horizontal=True):
        st.button(
            "Send again",
            type="primary",
            key=f"chat.resend.{number}",
            on_click=conversations.resend,
            args=(draft, number, key),
        )
        st.button("Leave it", key=f"chat.leave.{number}", on_click=conversations.edit, args=(None,))


def _side(draft: Draft, number: int, exchange: Exchange, place: int, *, last: bool) -> None:
    """One model's answer to a message: the chosen version, and the way to others."""
    side = exchange.sides[place]
    blind = exchange.images and not catalog.spec(side.model).sees
    st.caption(escape(model_controls.place(side.model)) + (" · sees no images, got the text alone" if blind else ""))
    version = side.version
    result = conversations.result(version.run_id)
    body = result.text if result and result.text else version.text
    if result is not None and result.state is not State.DONE:
        st.markdown(results.word(result.state))
    if result is not None and result.error:
        st.error(escape(result.error, 400))
    drawn = bool(result and result.output and result.output.images)
    if body or (version.state == State.DONE.value and not drawn):
        _body(body)
    if result is not None and result.output is not None:
        results.pictures(result, f"chat.{number}.{place}.{version.run_id}")
        results.notes(result)
        st.caption(amounts.footer(result.output))
    if last and not conversations.current().pending():
        with st.container(horizontal=True, vertical_alignment="center"):
            _versions(number, place, side)
            st.button(
                "Regenerate",
                icon=":material/refresh:",
                type="tertiary",
                key=f"chat.again.{number}.{place}",
                help="Another answer to the same message; this one stays",
                on_click=conversations.regenerate,
                args=(draft, number, place),
            )


def _body(text: str) -> None:
    if session().widget("chat.formatted") and text.strip():
        st.markdown(formatted(text))
    else:
        results.text(text)


def _versions(number: int, place: int, side: Side) -> None:
    count = len(side.versions)
    if count > 1:
        key = f"chat.version.{number}.{place}.{count}"
        st.pagination(
            count, default=side.chosen + 1, key=key, on_change=conversations.choose, args=(number, place, key)
        )


def _state(talk: Talk) -> None:
    """Stop while something is on its way; else what the talk came to."""
    if talk.pending():
        st.button("Stop", icon=":material/stop:", key="chat.stop", on_click=conversations.stop, args=(talk,))
        return
    asked_tokens, answered, cost, unknown = totals(talk)
    if answered:
        spent = [f"{money(cost)} at list prices"] if cost else []
        spent += [f"{unknown} answer{'s' if unknown > 1 else ''} of unknown price"] if unknown else []
        st.caption(" · ".join([f"So far {asked_tokens:,} prompt tokens, {answered:,} answered", *spent]))


def _exports(draft: Draft, talk: Talk) -> None:
    for name, made in (("chat.md", files.as_markdown), ("chat.json", files.as_json)):
        st.download_button(
            name,
            partial(made, talk, conversations.manner(draft)),
            name,
            key=name,
            icon=":material/download:",
            on_click="ignore",
        )

"""The Chat page: how replies are asked for, the conversation with all versions, and the field below it."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core import catalog
from core.chat import Conversation, ModelReply, Turn, files, totals, with_results
from core.chat.experiments import playground_experiment
from core.text import money
from core.types import State
from core.ui.components import conversation as chat
from core.ui.components import model_controls, results, run_bar, usage, variants
from core.ui.components.error_messages import errors_as_messages, guard, refusal
from core.ui.components.markdown import escape, formatted
from core.ui.session import drafts
from core.ui.session.state import Draft, session

_MESSAGE = "chat.say"
IMAGE_TYPES = ["png", "jpg", "jpeg", "webp"]


def header(draft: Draft) -> None:
    """The title, and what can be done with the whole conversation."""
    conversation = chat.current()
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title("Chat", anchor=False)
        with st.container(horizontal=True, width="content"):
            st.button(
                "New chat",
                icon=":material/add_comment:",
                key="chat.new",
                on_click=chat.begin_anew,
                disabled=not conversation.turns,
            )
            with st.popover("Export", icon=":material/download:", disabled=not conversation.turns):
                _exports(draft, conversation)
            st.button(
                "To playground",
                icon=":material/compare:",
                key="chat.compare",
                disabled=not conversation.turns,
                help="Compare wordings of the last message, after all that was said before it",
                on_click=_to_playground,
                args=(draft, conversation),
            )


@errors_as_messages
def _to_playground(draft: Draft, conversation: Conversation) -> None:
    draft.read()
    last = len(conversation.turns) - 1
    settings = chat.chat_settings(draft)
    drafts.open_in_page(playground_experiment(conversation, last, tuple(draft.models), settings))


def controls(draft: Draft) -> None:
    """Models (two answer side by side) and the system part."""
    model_controls.models(draft, "Model, or two that answer the same message side by side", most=2)
    variants.system(draft)


def draw(draft: Draft) -> None:
    """The whole conversation, redrawn while a reply is on its way."""
    polling = chat.current().pending()

    def live() -> None:
        with guard():
            chat.keep(with_results(chat.current(), chat.result))
            conversation = chat.current()
            if not conversation.turns:
                st.caption("Say something below. Every answer is kept in the history.")
            for number, turn in enumerate(conversation.turns):
                _turn(draft, number, turn, last=number == len(conversation.turns) - 1)
            _state(conversation)
            if conversation.pending() != polling:
                st.rerun()

    st.fragment(live, run_every=run_bar.POLL_SECONDS if polling else None)()


def message_field(draft: Draft) -> None:
    """The field for the next message."""
    refusal()
    sees = bool(draft.models) and all(catalog.spec(model).sees for model in draft.models)
    st.chat_input(
        "Message" if draft.models else "Choose a model first",
        key=_MESSAGE,
        on_submit=_say,
        args=(draft,),
        disabled=not draft.models or chat.current().pending(),
        accept_file="multiple" if sees else False,
        file_type=IMAGE_TYPES if sees else None,
    )


def _say(draft: Draft) -> None:
    """Send the message at once: a submit that waited for the page to be drawn could be cut off with it."""
    message: Any = session().widget(_MESSAGE)
    if not message:
        return
    text, uploads = (message, []) if isinstance(message, str) else (message.text, message.files)
    chat.say(draft, text, [upload.getvalue() for upload in uploads])


def _turn(draft: Draft, number: int, turn: Turn, *, last: bool) -> None:
    with st.chat_message("user", avatar=":material/person:"):
        if session().editing == number:
            _editor(draft, number, turn)
        else:
            _message(number, turn)
    columns = st.columns(len(turn.replies)) if len(turn.replies) > 1 else [st.container()]
    for column in range(len(turn.replies)):
        with columns[column], st.chat_message("assistant", avatar=":material/smart_toy:"):
            _reply(draft, number, turn, column, last=last)


def _message(number: int, turn: Turn) -> None:
    for picture in turn.images:
        if picture in session().pictures:
            st.image(session().pictures[picture], width=220)
    if turn.message:
        st.text(turn.message)
    st.button(
        "Edit",
        icon=":material/edit:",
        type="tertiary",
        key=f"chat.edit.{number}",
        disabled=chat.current().pending(),
        help="Write it anew and send it again; what came after it leaves this chat and stays in the history",
        on_click=chat.edit,
        args=(number,),
    )


def _editor(draft: Draft, number: int, turn: Turn) -> None:
    key = f"chat.rewritten.{number}"
    st.text_area("Rewritten message", turn.message, key=key, label_visibility="collapsed")
    with st.container(horizontal=True):
        st.button(
            "Send again",
            type="primary",
            key=f"chat.resend.{number}",
            on_click=chat.resend,
            args=(draft, number, key),
        )
        st.button("Leave it", key=f"chat.leave.{number}", on_click=chat.edit, args=(None,))


def _reply(draft: Draft, number: int, turn: Turn, column: int, *, last: bool) -> None:
    """One model's reply to a message: the chosen version, and the way to others."""
    reply = turn.replies[column]
    blind = turn.images and not catalog.spec(reply.model).sees
    name = escape(model_controls.display_name(reply.model))
    st.caption(name + (" · sees no images, got the text alone" if blind else ""))
    version = reply.version
    result = chat.result(version.run_id)
    body = result.text if result and result.text else version.text
    if result is not None and result.state is not State.DONE:
        st.markdown(results.state_badge(result.state))
    if result is not None and result.error:
        st.error(escape(result.error, 400))
    drawn = bool(result and result.output and result.output.images)
    if body or (version.state == State.DONE.value and not drawn):
        _body(body)
    if result is not None and result.output is not None:
        results.pictures(result, f"chat.{number}.{column}.{version.run_id}")
        results.notes(result)
        st.caption(usage.footer(result.output))
    if last and not chat.current().pending():
        _reply_actions(draft, number, column, reply)


def _reply_actions(draft: Draft, number: int, column: int, reply: ModelReply) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        count = len(reply.versions)
        if count > 1:
            key = f"chat.version.{number}.{column}.{count}"
            arguments = (number, column, key)
            st.pagination(count, default=reply.chosen + 1, key=key, on_change=chat.choose, args=arguments)
        st.button(
            "Regenerate",
            icon=":material/refresh:",
            type="tertiary",
            key=f"chat.again.{number}.{column}",
            help="Another answer to the same message; this one stays",
            on_click=chat.regenerate,
            args=(draft, number, column),
        )


def _body(text: str) -> None:
    if session().widget("chat.formatted") and text.strip():
        st.markdown(formatted(text))
    else:
        results.text(text)


def _state(conversation: Conversation) -> None:
    """Stop while a reply is on its way; else what the conversation has cost."""
    if conversation.pending():
        st.button("Stop", icon=":material/stop:", key="chat.stop", on_click=chat.stop, args=(conversation,))
        return
    prompt_tokens, output_tokens, dollars, unknown = totals(conversation)
    if output_tokens:
        spent = [f"{money(dollars)} at list prices"] if dollars else []
        spent += [f"{unknown} answer{'s' if unknown > 1 else ''} of unknown price"] if unknown else []
        st.caption(" · ".join([f"So far {prompt_tokens:,} prompt tokens, {output_tokens:,} answered", *spent]))


def _exports(draft: Draft, conversation: Conversation) -> None:
    for name, written in (("chat.md", files.as_markdown), ("chat.json", files.as_json)):
        st.download_button(
            name,
            partial(written, conversation, chat.chat_settings(draft)),
            name,
            key=name,
            icon=":material/download:",
            on_click="ignore",
        )

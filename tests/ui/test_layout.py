"""No control moves while its page is used: a container that moves is built anew in the browser, with what was typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Node

from tests.support.visits import by_label

Visit = Callable[..., AppTest]
Act = Callable[[AppTest], None]


def types(label: str, text: str) -> Act:
    return lambda app: by_label([*app.text_area, *app.text_input], label).set_value(text)  # type: ignore[attr-defined]


def chooses_another_model(app: AppTest) -> None:
    if app.multiselect:
        choice = app.multiselect[0]
        free = next(option for option in choice.options if option not in map(choice.format_func, choice.value))
        choice.set_value([*choice.value, free])
    else:
        by_label(app.selectbox, "Model").select_index(1)  # type: ignore[attr-defined]


def presses(label: str) -> Act:
    return lambda app: by_label(app.button, label).click()  # type: ignore[attr-defined]


PAGES: dict[str, tuple[str, tuple[Act, ...]]] = {
    "playground": (
        "pages/compare/playground.py",
        (
            types("Prompt A", "Say {{it}}"),
            types("Prompt A", "{{"),
            types("Prompt A", "\\frac{{a}}2"),
            types("Prompt A", "Say"),
            chooses_another_model,
        ),
    ),
    "text": (
        "pages/create/text.py",
        (types("Prompt", "word " * 900), types("Prompt", "x^{{a}}"), chooses_another_model),
    ),
    "image": ("pages/create/image.py", (types("Seeds", "none"), types("Seeds", "1, 2"), chooses_another_model)),
    "audio": ("pages/create/audio.py", (types("Seeds", "none"), types("Seeds", "1, 2"), types("Prompt", " "))),
    "code": ("pages/create/code.py", (types("Prompt", "word " * 900), chooses_another_model)),
    "chat": ("pages/create/chat.py", (types("System", "Be brief."), chooses_another_model)),
}


def walk(
    node: Node, path: tuple[int, ...] = (), place: tuple[object, ...] = ()
) -> Iterator[tuple[str, object, object]]:
    """The key of everything that has one, its position, and the place by which the browser knows its container."""
    for index, child in (node.children if isinstance(node, Block) else {}).items():
        name = getattr(child.proto, "id", "") if child.proto is not None else ""
        if name:
            yield name, (*path, index), place
        yield from walk(child, (*path, index), (*place, name or index))


def drawn(app: AppTest) -> dict[str, tuple[object, object]]:
    return {name: (path, place) for name, path, place in walk(app.main)}


@pytest.mark.parametrize("page", PAGES)
def test_no_control_moves_to_another_container(page: str, visit: Visit) -> None:
    path, acts = PAGES[page]
    app = visit(path)
    before = drawn(app)
    assert before
    for act in acts:
        act(app)
        app.run()
        assert not app.exception
        now = drawn(app)
        moved = {name for name in before.keys() & now.keys() if before[name][1] != now[name][1]}
        assert not moved
        before = now


@pytest.mark.parametrize("page", [page for page in PAGES if page != "chat"])
def test_the_fragment_with_the_button_stays_at_its_position(page: str, visit: Visit) -> None:
    path, acts = PAGES[page]
    app = visit(path)

    def position() -> object:
        return next(path[:-2] for name, (path, _) in drawn(app).items() if name.endswith(".bar"))  # type: ignore[index]

    first = position()
    for act in acts:
        act(app)
        app.run()
        assert position() == first

"""Diptych's frame: the page's settings, the menu, and the page that was asked for.

`streamlit run Home.py` imports this file once for `app`, the server with what stands before it, and runs it as a script
for every visitor. A host that looks for no app serves the script alone.
"""

import streamlit as st

from core.ui import middleware
from core.ui.components import error_messages, foot, image_view, live_typing
from core.ui.middleware import loopback
from core.ui.session import owner, pages, resources


def frame() -> None:
    """Draw the frame and the page in it."""
    st.set_page_config(page_title="Diptych", page_icon="static/favicon.png", layout="wide")
    st.logo("static/logo.svg", icon_image="static/mark.svg", size="large")
    page = st.navigation(pages.menu())
    with st.container():  # what nobody sees takes one position, whichever of it is drawn
        owner.remember()
        live_typing.commit_while_typing()
        image_view.style()
    above = st.container()
    with error_messages.guard():
        page.run()
    with above:
        error_messages.unkept()
    foot.draw()


if __name__ == "__main__":
    frame()
else:
    loopback.bind()
    pages.declare_menu()
    app = st.App(
        "Home.py",
        middleware=middleware.stack(),
        lifespan=resources.lifespan,
        on_script_error=error_messages.outside_the_page,
    )

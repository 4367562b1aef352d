"""What stands between the network and Streamlit: who may connect, what a client may say, how much may be uploaded,
and what has to wait for a page.

Streamlit's App takes these as ASGI middleware (Home.py). A host that serves the script without the App leaves them out:
docs/deploying.md says what is missing there. Knows nothing of pages or models.
"""

from __future__ import annotations

from starlette.middleware import Middleware

from core.ui.middleware.access import Access
from core.ui.middleware.media import Media
from core.ui.middleware.messages import Messages
from core.ui.middleware.sessions import Sessions
from core.ui.middleware.uploads import HeldFiles, Uploads


def stack() -> list[Middleware]:
    """In the order in which a request meets them."""
    held = HeldFiles()
    listening = [Middleware(Messages, held), Middleware(Uploads, held)]
    return [Middleware(Access), Middleware(Sessions), *listening, Middleware(Media)]

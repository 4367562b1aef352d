"""Has a local run listen on this machine alone, where nobody said on which address.

Streamlit listens on every interface by default, and imports the App only after it has bound its socket, before it
listens. So the process starts itself anew with the address that it lacks; its id and its arguments stay.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress

from streamlit import config

from core.errors import InvalidInput
from core.ui.session import resources

ADDRESS = "127.0.0.1"
VARIABLE = "STREAMLIT_SERVER_ADDRESS"


def bind() -> None:
    """Start again on loopback where a local run is about to listen on every interface; else return.

    For the module that `streamlit run` serves. An address of the person's own (flag, environment, config.toml) stays,
    and so does every interface where the settings name hosts under which others may open Diptych.
    """
    if _is_open_local_run():
        print(f"  Diptych runs for its own machine (DIPTYCH_LOCAL=1): it starts again on {ADDRESS}.", flush=True)
        os.environ[VARIABLE] = ADDRESS
        _leave_sockets()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _leave_sockets() -> None:
    """Have the sockets of this process closed when it starts again: the one that is bound holds the port."""
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):
            if int(name) > 2 and stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                os.set_inheritable(int(name), False)


def _is_open_local_run() -> bool:
    if os.name != "posix" or getattr(config, "_server_mode", "") != "starlette-app":
        return False  # elsewhere a process cannot become another, or another program than `streamlit run` listens
    if os.environ.get(VARIABLE) or config.is_manually_set("server.address"):
        return False
    try:
        settings = resources.settings()
    except InvalidInput:
        return False  # every page says what is wrong with the settings
    return settings.local and not settings.allowed_hosts

"""What the whole process shares: settings, allowance, history, engine. Made once, in Streamlit's resource cache."""

from __future__ import annotations

import streamlit as st

from core.allowance import Allowance
from core.engine import Engine
from core.history import History
from core.settings import Settings
from core.settings import settings as read_settings
from core.worker import Worker, opener


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    return read_settings(secrets=_deployment_secrets())


@st.cache_resource(show_spinner=False)
def allowance() -> Allowance:
    return Allowance(settings().requests_per_hour, settings().tokens_per_day)


@st.cache_resource(show_spinner=False, on_release=lambda history: history.close())
def history() -> History:
    return History(settings().database_url)


@st.cache_resource(show_spinner=False, on_release=lambda worker: worker.close())
def worker() -> Worker:
    return Worker(settings())


@st.cache_resource(show_spinner=False, on_release=lambda engine: engine.close())
def engine() -> Engine:
    return Engine(opener(worker(), settings()), history(), settings())


def _deployment_secrets() -> dict[str, object]:
    """The secrets file as a plain mapping; without one, nothing: `st.secrets` would raise."""
    return dict(st.secrets.to_dict()) if st.secrets.load_if_toml_exists() else {}

"""Diptych without its pages: experiments, engine, models, history. Only core/ui knows Streamlit."""

__version__ = "0.2.0"
"""As in pyproject.toml."""

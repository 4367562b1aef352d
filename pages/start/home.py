"""What Diptych is, the ways in, what can run here now, and what was run last."""

from core.ui.pages import home

home.draw()

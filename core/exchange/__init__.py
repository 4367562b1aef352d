"""Experiments and runs as files, out and in. What goes out runs nothing, what comes in is not trusted.

`formats.FORMATS` has a row for each kind of file that a run is saved as. Knows nothing of databases or pages.
"""

from core.exchange.formats import FORMATS, Format
from core.exchange.receipt import experiment_from, receipt

__all__ = ["FORMATS", "Format", "experiment_from", "receipt"]

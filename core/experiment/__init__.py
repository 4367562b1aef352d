"""From an experiment to its requests, and from their results to a verdict.

`plan` makes the requests, `estimate` gives their time and cost, `grade` applies the checks, `scores` makes numbers
of the grades, `summary` counts, and `verdict` says what the scores prove. Nothing here generates, stores or draws
anything.
"""

from core.experiment.estimate import Estimate, bill, estimate, sentence, unit
from core.experiment.grade import check_lines, grade
from core.experiment.grid import effective_samples
from core.experiment.plan import plan, readable_names, run, variable_names
from core.experiment.scores import columns_of
from core.experiment.serialize import from_dict, to_dict
from core.experiment.summary import VariantSummary, summary
from core.experiment.verdict import Comparison, Verdict, verdict
from core.types import EarlierMessage, Experiment, Input, Variant

__all__ = [
    "Comparison",
    "EarlierMessage",
    "Estimate",
    "Experiment",
    "Input",
    "Variant",
    "VariantSummary",
    "Verdict",
    "bill",
    "check_lines",
    "columns_of",
    "effective_samples",
    "estimate",
    "from_dict",
    "grade",
    "plan",
    "readable_names",
    "run",
    "sentence",
    "summary",
    "to_dict",
    "unit",
    "variable_names",
    "verdict",
]

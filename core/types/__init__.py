"""The values that every room shares: experiments, models, requests, events, outputs, cells and runs.

Standard library only, and frozen: a value made here can cross a thread, a process or a pickle and mean the same.
Nothing here knows how a model generates, where a run is kept or how a page draws it.
"""

from core.types.answer import (
    Delta,
    Event,
    Failed,
    Finished,
    FinishReason,
    Message,
    Output,
    Progress,
    Request,
    Role,
    Token,
)
from core.types.experiment import (
    DEFAULT_MARGIN,
    MAX_SAMPLES,
    MAX_SEED,
    MAX_TITLE,
    Check,
    EarlierMessage,
    Experiment,
    Input,
    Variant,
)
from core.types.model import Modality, ModelSpec, Parameter, Value
from core.types.run import Cell, CellResult, Run, Snapshot, State

__all__ = [
    "DEFAULT_MARGIN",
    "MAX_SAMPLES",
    "MAX_SEED",
    "MAX_TITLE",
    "Cell",
    "CellResult",
    "Check",
    "Delta",
    "EarlierMessage",
    "Event",
    "Experiment",
    "Failed",
    "FinishReason",
    "Finished",
    "Input",
    "Message",
    "Modality",
    "ModelSpec",
    "Output",
    "Parameter",
    "Progress",
    "Request",
    "Role",
    "Run",
    "Snapshot",
    "State",
    "Token",
    "Value",
    "Variant",
]

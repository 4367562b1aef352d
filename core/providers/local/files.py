"""A local model's files: found or downloaded, read by the provider's own reader, refused where they cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from core import repository
from core.errors import ModelRefused
from core.providers import Report
from core.settings import Settings
from core.types import ModelSpec, Progress

Loaded = TypeVar("Loaded")


def load(spec: ModelSpec, settings: Settings, report: Report, read: Callable[[ModelSpec, Path], Loaded]) -> Loaded:
    """What `read` makes of the model's folder, which is downloaded first where the catalog says so.

    Raises:
        HubUnreachable, ModelRefused: the model cannot be had; the message says why and what to do.
    """
    folder = repository.folder(spec, settings, report)
    report(Progress(None, 0.0, 1.0, f"reading {spec.name}"))
    _refuse_code(spec, folder)
    try:
        loaded = read(spec, folder)
    except ModelRefused:
        raise
    except MemoryError:
        raise ModelRefused(f"{spec.name} does not fit into this machine's memory. Choose a smaller model.") from None
    except Exception as error:  # whatever a broken file makes a parser raise, it is the files that are broken
        raise ModelRefused(
            f"The files of {spec.name} cannot be read ({type(error).__name__}). "
            f"Delete the folder {folder} and try again, or choose another model."
        ) from error
    report(Progress(None, 1.0, 1.0, f"reading {spec.name}"))
    return loaded


def refuse_missing(loading: dict[str, Any], what: str = "the model") -> None:
    """Refuse weights that `from_pretrained(output_loading_info=True)` did not find: they would be random numbers.

    Raises:
        ValueError: some are missing, or have another shape.
    """
    if loading["missing_keys"] or loading.get("mismatched_keys"):
        raise ValueError(f"weights of {what} are missing")


def refuse_slow(spec: ModelSpec, tokenizer: Any) -> None:
    """Refuse a tokenizer of transformers that is not one of the `tokenizers` library.

    Raises:
        ModelRefused: it is not.
    """
    if not tokenizer.is_fast:
        raise ModelRefused(f"{spec.name} has no tokenizer.json, which is what is read here. Choose another model.")


def weight_bytes(*modules: Any) -> int:
    """Bytes of the weights of torch modules as they lie in memory."""
    return sum(p.numel() * p.element_size() for module in modules for p in module.parameters())


def _refuse_code(spec: ModelSpec, folder: Path) -> None:
    for name in ("config.json", "tokenizer_config.json"):
        path = folder / name
        if path.is_file() and '"auto_map"' in path.read_text(encoding="utf-8", errors="replace"):
            raise ModelRefused(f"{spec.name} brings code of its own, which is never run here. Choose another model.")

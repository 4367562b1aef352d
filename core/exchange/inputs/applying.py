"""An experiment with imported inputs, in place of its own or after them."""

from __future__ import annotations

from dataclasses import replace

from core.errors import InvalidInput
from core.exchange.inputs.imported import Imported
from core.types import Experiment, Input


def applied(
    experiment: Experiment, imported: Imported, *, append: bool, variants: bool, most: int | None = None
) -> Experiment:
    """The experiment with what was imported; nothing else of it changes.

    Replacing takes the file's rows, and its checks and threshold for all rows where it has some. Appending leaves what
    is there as it is: what the file has for all rows goes to each of its own. Rows without any value or check, such as
    an empty table's, are not kept before appended ones.

    Args:
        variants: whether the file's variants replace those of the experiment.
        most: the rows that a table may have.

    Raises:
        InvalidInput: there would be more rows.
    """
    rows = imported.inputs
    if append:
        rows = (*(row for row in experiment.inputs if _filled(row)), *(_alone(row, imported) for row in rows))
    if most is not None and len(rows) > most:
        raise InvalidInput(
            f"The table would have {len(rows):,} rows; at most {most:,} can be run. Use a part of the file."
        )
    replaced = replace(experiment, inputs=rows or experiment.inputs)
    if variants and imported.variants:
        replaced = replace(replaced, variants=imported.variants)
    if append:
        return replaced
    threshold = experiment.threshold if imported.threshold is None else imported.threshold
    return replace(replaced, checks=imported.checks or experiment.checks, threshold=threshold)


def experiment_of(imported: Imported) -> Experiment:
    """An experiment with what was imported and no models.

    Raises:
        InvalidInput: the file has no prompts.
    """
    if not imported.variants:
        raise InvalidInput("The file has no prompts, so there is nothing to run; import it on the Playground.")
    return Experiment(
        page="playground",
        variants=imported.variants,
        models=(),
        inputs=imported.inputs or (Input(),),
        checks=imported.checks,
        threshold=imported.threshold,
    )


def _alone(row: Input, imported: Imported) -> Input:
    """A row with what its file says for all rows."""
    threshold = imported.threshold if row.threshold is None else row.threshold
    return replace(row, id="", checks=(*imported.checks, *row.checks), threshold=threshold)


def _filled(row: Input) -> bool:
    return any(row.values.values()) or bool(row.checks)

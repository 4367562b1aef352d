"""From an experiment to its requests: renders templates, parses checks, applies limits.

Nothing here generates, stores or draws anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from core import checks, prompts
from core.errors import CheckError, InvalidInput, TemplateError
from core.experiment import limits
from core.experiment.grade import check_lines
from core.experiment.grid import effective_samples, grid_cells, seed_of, settings
from core.experiment.rendering import rendered
from core.text import clean, short
from core.types import MAX_TITLE, Cell, Experiment, Message, Request, Run

MAX_CELLS = 2_000
MAX_PROMPT_CHARS = 200_000
MAX_RUN_CHARS = 20_000_000
"""Characters of one prompt, and of all prompts of a run: they are held in memory until it ends."""


def variable_names(experiment: Experiment) -> tuple[str, ...]:
    """Every {{variable}} of the variants, then of the checks, in order of first appearance.

    Raises:
        TemplateError: a template cannot be read; the message names its variant or row.
    """
    names, errors = readable_names(experiment)
    if errors:
        raise TemplateError(errors[0])
    return names


def readable_names(experiment: Experiment) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(variables as in `variable_names`, a sentence for each template that cannot be read).

    Of such a template, variables that can be read by themselves still count, so that one mistake hides no other.
    """
    names: list[str] = []
    errors: list[str] = []
    for where, template in _templates(experiment):
        reading = prompts.read(template)
        names += reading.variables
        if reading.problem:
            errors.append(f"{where}: {reading.problem}")
    return tuple(dict.fromkeys(names)), tuple(errors)


def _templates(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """(location, template) of every text with variables."""
    for variant in experiment.variants:
        if not variant.literal:
            yield f"Variant '{short(variant.name)}'", variant.system
            yield f"Variant '{short(variant.name)}'", variant.user
    rows = [("Checks for all rows", experiment.checks)]
    rows += [(f"Row {number}", row.checks) for number, row in enumerate(experiment.inputs, start=1)]
    for where, checks_of in rows:
        yield from ((where, check.line) for check in checks_of if "{{" in check.line)


def plan(
    experiment: Experiment,
    *,
    max_cells: int = MAX_CELLS,
    max_prompt_chars: int = MAX_PROMPT_CHARS,
    pictures: Mapping[str, bytes] | None = None,
) -> tuple[Cell, ...]:
    """The experiment's requests in the order of execution: a model's cells together, and of these every row once before
    any is sampled again, so that the grid fills evenly.

    Sample k has the same seed (`grid.seed_of`) for every variant, input and model, so that only the prompt differs
    (common random numbers: A. Owen, "Monte Carlo theory, methods and examples", ch. 8). Messages: the system part when
    it is not blank, the user part, and the beginning of the answer, as the assistant's, when there is one.

    Args:
        max_cells, max_prompt_chars: the deployment's limits (core.settings).
        pictures: the files of the experiment's images, by reference.

    Raises:
        InvalidInput: nothing or too much to run, a name missing or doubled, a parameter, sample count or seed out of
            bounds, an empty or too long prompt, an image that is not in `pictures`.
        TemplateError: a template cannot be read or a row lacks a value; names the variant and the row.
        CheckError: a check cannot be read; names the row.
    """
    limits.validate(experiment, max_cells)
    variable_names(experiment)  # names the variant of a template that cannot be read, whatever the row
    rendered = {
        (row, variant): _messages(experiment, row, variant, max_prompt_chars, pictures or {})
        for row in range(len(experiment.inputs))
        for variant in range(len(experiment.variants))
    }
    length = sum(len(message.text) for messages in rendered.values() for message in messages)
    if length > MAX_RUN_CHARS:
        raise InvalidInput(
            f"The prompts have {length:,} characters in all; at most {MAX_RUN_CHARS:,} are run at a time."
        )
    _check_checks(experiment)
    parameters = settings(experiment)
    return tuple(
        Cell(
            index=cell.index,
            variant=cell.variant,
            model=cell.model,
            input=cell.input,
            sample=cell.sample,
            setting=cell.setting,
            request=Request(
                messages=rendered[cell.input, cell.variant],
                parameters=dict(parameters[cell.setting]),
                seed=seed_of(experiment, cell.sample, cell.variant),
                chat=experiment.chat,
            ),
        )
        for cell in grid_cells(experiment)
    )


def run(
    experiment: Experiment,
    run_id: str,
    *,
    max_cells: int = MAX_CELLS,
    max_prompt_chars: int = MAX_PROMPT_CHARS,
    pictures: Mapping[str, bytes] | None = None,
) -> Run:
    """The planned experiment under an id, with its own title or one made from its prompt and size.

    Raises:
        InvalidInput: as `plan` does.
    """
    return Run(
        id=run_id,
        page=experiment.page,
        title=title_of(experiment),
        cells=plan(experiment, max_cells=max_cells, max_prompt_chars=max_prompt_chars, pictures=pictures),
        experiment=experiment,
    )


def title_of(experiment: Experiment) -> str:
    """The experiment's own title, else one made from its prompt and size."""
    return clean(experiment.title).strip()[:MAX_TITLE] or _title(experiment)


def _messages(
    experiment: Experiment, row: int, variant: int, max_chars: int, pictures: Mapping[str, bytes]
) -> tuple[Message, ...]:
    asked_variant, values = experiment.variants[variant], experiment.inputs[row].values
    alone = len(experiment.variants) == len(experiment.inputs) == 1 and not values
    where = "" if alone else f"Row {row + 1}, variant '{short(asked_variant.name)}': "
    with _located(where):
        system, user = rendered(asked_variant, values)
    prefix = clean(experiment.answer_prefix)
    earlier = tuple(
        Message(message.role, clean(message.text), _attached(message.images, pictures))
        for message in experiment.earlier
    )
    length = len(system) + len(user) + len(prefix) + sum(len(message.text) for message in earlier)
    if not user.strip() and not experiment.images:
        raise InvalidInput(f"{where}The prompt is empty. Write what to ask.")
    if length > max_chars:
        raise InvalidInput(f"{where}The prompt has {length} characters; at most {max_chars} are allowed.")
    opening = (Message("system", system),) if system.strip() else ()
    question = Message("user", user, _attached(experiment.images, pictures))
    return (*opening, *earlier, question, *((Message("assistant", prefix),) if prefix else ()))


def _attached(references: Sequence[str], pictures: Mapping[str, bytes]) -> tuple[bytes, ...]:
    missing = [reference for reference in references if reference not in pictures]
    if missing:
        raise InvalidInput("An image of this prompt is not here any more. Attach it again.")
    return tuple(pictures[reference] for reference in references)


def _check_checks(experiment: Experiment) -> None:
    for number, row in enumerate(experiment.inputs, start=1):
        with _located(f"Row {number}: "):
            lines = check_lines(experiment, row)
            if len(lines) > checks.MAX_CHECKS:
                raise CheckError(f"An answer has {len(lines)} checks to pass; at most {checks.MAX_CHECKS} are allowed.")
            for line in lines:
                checks.parse(line)


@contextmanager
def _located(where: str) -> Iterator[None]:
    """Put the location before the message of a template's or check's error."""
    try:
        yield
    except (TemplateError, CheckError) as error:
        raise type(error)(f"{where}{error}") from None


def _title(experiment: Experiment) -> str:
    """The beginning of the first prompt and, for a grid, its dimensions."""
    begins = short(" ".join(clean(experiment.variants[0].user).split()), 60)
    if len(experiment.variants) == len(experiment.inputs) == 1:
        return begins
    counts = (
        (len(experiment.variants), "variant"),
        (len(settings(experiment)), "setting"),
        (len(experiment.inputs), "input"),
        (effective_samples(experiment), "sample"),
    )
    spans = " x ".join(f"{count} {noun}{'s' if count > 1 else ''}" for count, noun in counts if count > 1)
    models = experiment.models
    return f"{begins} · {spans} on {models[0] if len(models) == 1 else f'{len(models)} models'}"

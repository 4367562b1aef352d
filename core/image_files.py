"""The images of a run as files: each with its settings inside, and all of them in one archive.

Knows nothing of pages or databases. What is no PNG file is handed on as it came.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping

from core import catalog, pictures, png_metadata
from core.errors import DiptychError
from core.experiment.grade import images_of
from core.experiment.grid import GridCell, grid_cells, seed_of
from core.experiment.rendering import rendered
from core.png_metadata.settings import NUMBERS, WORDS
from core.text import clean
from core.types import CellResult, Experiment, Output

_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_LETTERS = "ABCDEF"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # an archive's earliest time: the same images make the same bytes


def image_settings(experiment: Experiment, cell: GridCell, output: Output) -> png_metadata.ImageSettings:
    """What one image was made of, as its file says it: no owner, no key, no path."""
    asked = experiment.parameters
    source, revision = _origin(cell.model)
    versions = output.provenance.get("versions")
    pinned = output.provenance.get("revision")
    return png_metadata.ImageSettings(
        prompt=_prompt(experiment, cell),
        negative_prompt=str(asked.get("negative_prompt") or ""),
        parameters={
            name: value for name in (*NUMBERS, *WORDS) if isinstance(value := asked.get(name), str | int | float)
        },
        seed=seed_of(experiment, cell.sample, cell.variant),
        model=cell.model,
        source=source,
        revision=pinned if isinstance(pinned, str) and pinned.isalnum() else revision,
        versions={str(name): str(one) for name, one in versions.items()} if isinstance(versions, Mapping) else {},
    )


def file(experiment: Experiment, cell: GridCell, output: Output) -> bytes:
    """The first image of an answer, with its settings inside."""
    return png_metadata.write(output.images[0], image_settings(experiment, cell, output))


def name(experiment: Experiment, cell: GridCell, picture: bytes) -> str:
    """A file's name: 01-seed-42.png, and in a larger grid 01-B-row-3-tiny-image-seed-42.png."""
    parts = [f"{cell.sample + 1:02d}"]
    if len(experiment.variants) > 1:
        parts.append(_LETTERS[cell.variant % len(_LETTERS)])
    if len(experiment.inputs) > 1:
        parts.append(f"row-{cell.input + 1}")
    if len(experiment.models) > 1:
        parts.append("".join(letter if letter.isalnum() else "-" for letter in cell.model)[:60])
    ending = _ENDINGS.get(pictures.mime(picture), "bin")
    return "-".join([*parts, "seed", str(seed_of(experiment, cell.sample, cell.variant))]) + f".{ending}"


def archive(experiment: Experiment, results: Mapping[int, CellResult]) -> bytes:
    """All images of a run as a zip file, each with its settings as JSON beside it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive_file:  # images do not get smaller, so nothing is compressed
        for cell, output in images(experiment, results):
            file_name = name(experiment, cell, output.images[0])
            _put(archive_file, file_name, file(experiment, cell, output))
            table = png_metadata.as_json(image_settings(experiment, cell, output))
            _put(archive_file, f"{file_name.rpartition('.')[0]}.json", table.encode("utf-8"))
    return packed.getvalue()


def images(experiment: Experiment, results: Mapping[int, CellResult]) -> Iterator[tuple[GridCell, Output]]:
    """The answers that have an image, in the order of the grid."""
    for cell in grid_cells(experiment):
        result = results.get(cell.index)
        if result is not None and result.output is not None and images_of(result):
            yield cell, result.output


def _put(archive_file: zipfile.ZipFile, file_name: str, data: bytes) -> None:
    archive_file.writestr(zipfile.ZipInfo(file_name, _EPOCH), data)


def _prompt(experiment: Experiment, cell: GridCell) -> str:
    variant = experiment.variants[cell.variant]
    try:
        return rendered(variant, experiment.inputs[cell.input].values)[1]
    except DiptychError:  # a run of before that cannot be rendered any more still has its images
        return clean(variant.user)


def _origin(model: str) -> tuple[str, str]:
    """(source, revision) of a model, as the catalog pins them."""
    row = catalog.find(model)
    return ("", "") if row is None else (row.source, row.revision if row.local else "")

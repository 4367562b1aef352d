"""How an image is shown: on a page, while it is made, at its full size; and the buttons that save it.

A model's image is untrusted bytes: only a file of a known kind is shown, never an address.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import partial

import streamlit as st

from core import image_files, pictures, png_metadata
from core.errors import InvalidInput
from core.experiment.grid import GridCell
from core.png_metadata import chunks
from core.types import CellResult, Experiment, Output
from core.ui.components.markdown import escape

CRISP = 128
"""Pixels of a side up to which an image is enlarged without blurring it."""

_STYLE = """<style>
[class*="st-key-crisp"] img {image-rendering: pixelated}
[class*="st-key-frame"] img {border-radius: 8px}
[role="dialog"] [class*="frame"] img {max-height: 64vh; object-fit: contain; object-position: left}
.diptych-preview {display: block; width: 100%; border-radius: 8px}
[class*="st-key-wait"] {aspect-ratio: 1; border-radius: 8px; background: rgba(128, 134, 152, .12);
  animation: diptych-wait 1.6s ease-in-out infinite alternate}
@keyframes diptych-wait {from {opacity: 1} to {opacity: .45}}
@media (prefers-reduced-motion: reduce) {[class*="st-key-wait"] {animation: none}}
</style>"""


def style() -> None:
    """The CSS of all image frames; once on every page."""
    st.html(_STYLE)


def picture(data: bytes, key: str, alt: str = "") -> None:
    """An image as wide as there is room; one of few pixels stays crisp."""
    if not pictures.mime(data):
        st.caption(":material/broken_image: An image that cannot be shown.")
        return
    with st.container(key=f"{'crisp' if _small(data) else 'plain'}.frame.{key}"):
        st.image(data, width="stretch", output_format="PNG", alt=alt[:200] or None)


def progress(result: CellResult, key: str) -> None:
    """An image that is being made: what there is of it, and how far it has come."""
    if pictures.mime(result.preview) == "image/png":
        # Within the page, not beside it: the next look replaces it before a browser has fetched a file.
        encoded = base64.b64encode(result.preview).decode("ascii")
        st.html(f'<img class="diptych-preview" alt="How far the image is" src="data:image/png;base64,{encoded}">')
    else:
        with st.container(key=f"wait.{key}"):
            st.space("small")
    st.progress(min(1.0, max(0.0, result.fraction)), escape(result.note or "waiting", 120))


@st.dialog("Image", width="large", on_dismiss="rerun")
def full(experiment: Experiment, cell: GridCell, output: Output) -> None:
    """The image at its full size, with what it was made of."""
    settings = image_files.image_settings(experiment, cell, output)
    picture(output.images[0], "full", settings.prompt)
    st.markdown(escape(settings.prompt, 400))
    download(experiment, cell, output, "full.save")
    provenance(experiment, cell, output)


def download(experiment: Experiment, cell: GridCell, output: Output, key: str) -> None:
    """A button that saves the image, with its recipe inside."""
    st.download_button(
        "Download PNG" if pictures.mime(output.images[0]) == "image/png" else "Download",
        lambda: image_files.file(experiment, cell, output),
        image_files.name(experiment, cell, output.images[0]),
        pictures.mime(output.images[0]) or "application/octet-stream",
        key=key,
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="Its settings are inside: drop the file on the Image page, or into another tool, to have them back",
    )


def provenance(experiment: Experiment, cell: GridCell, output: Output) -> None:
    """All that the image was made of."""
    with st.expander("Recipe", icon=":material/receipt_long:"):
        settings = json.loads(png_metadata.as_json(image_files.image_settings(experiment, cell, output)))
        st.code(json.dumps(settings, ensure_ascii=False, indent=2), language="json", wrap_lines=True)


def download_all(
    experiment: Experiment, results: Mapping[int, CellResult], stem: str, key: str, label: str = "Images (zip)"
) -> None:
    """A button that saves all images of a run in one archive, where there are any."""
    if any(True for _ in image_files.images(experiment, results)):
        st.download_button(
            label,
            partial(image_files.archive, experiment, results),
            f"{stem}.zip",
            "application/zip",
            key=key,
            icon=":material/folder_zip:",
            on_click="ignore",
            help="Every image with its recipe, in one zip file",
        )


def _small(data: bytes) -> bool:
    try:
        return max(chunks.size(data)) <= CRISP
    except InvalidInput:
        return False

"""What an image was made of, written into its PNG file, and read back from a file that a stranger may have written.

A file carries two texts: `parameters`, in the form that AUTOMATIC1111's web UI made common and most image tools read,
and `diptych`, all settings as JSON. Neither holds who made the image, a key or a path. `chunks` knows PNG files, `exif`
the comments of JPEG and WebP files, `own` Diptych's settings, `infotext` the common form, `tools` and `comfyui` what
others write, `fitting` what of it a model here can take.
"""

from __future__ import annotations

from core import pictures
from core.errors import InvalidInput
from core.png_metadata import comfyui, exif, foreign, infotext, own, tools
from core.png_metadata.chunks import SIGNATURE, Texts, size
from core.png_metadata.chunks import write as _write_texts
from core.png_metadata.own import as_json
from core.png_metadata.settings import ImageSettings

__all__ = ["ImageSettings", "as_json", "read", "write"]

_COMMON, _OWN = "parameters", "diptych"
_NOTHING = (
    "This {} file holds no settings. Drop one that Diptych or another image tool saved; "
    "messengers and web sites often take the settings out."
)
_OTHERS = {
    "invokeai_graph": "InvokeAI's",
    "invokeai_workflow": "InvokeAI's",
    "workflow": "ComfyUI's",
    "generation_data": "TensorArt's",
    "XML:com.adobe.xmp": "of a program that writes XMP",
}
"""Texts of other tools that are not read, and whose they are."""


def write(picture: bytes, settings: ImageSettings) -> bytes:
    """The PNG file with its settings; its pixels stay as they are. What is no PNG file comes back unchanged."""
    if not picture.startswith(SIGNATURE):
        return picture
    return _write_texts(picture, {_COMMON: infotext.write(settings, size(picture)), _OWN: as_json(settings)})


def read(data: bytes) -> ImageSettings:
    """The settings in an image file: Diptych's own where they are there, else what another tool wrote.

    Raises:
        InvalidInput: no PNG, JPEG or WebP file, too large, broken, without settings, or with settings that are not
            read here; says which.
    """
    if pictures.mime(data) in ("image/jpeg", "image/webp"):
        return _from_comments(data)
    texts = Texts(data)
    own_text = texts.get(_OWN)
    if own_text is not None:
        return own.read(own_text)
    common = texts.get(_COMMON)
    if common is not None and common.strip():
        return _common(common)
    settings = _invokeai(texts) or _novelai(texts) or _comfyui_or_easy_diffusion(texts)
    if settings is None:
        raise InvalidInput(_why_nothing(texts))
    return settings


def _from_comments(data: bytes) -> ImageSettings:
    comment, camera = exif.comments(data)
    graph = foreign.table_of(camera.removeprefix("prompt:")) if camera.startswith("prompt:") else None
    if graph is not None:
        return comfyui.read(graph)
    settings = _common(comment) if comment else ImageSettings()
    if not settings.parameters and settings.seed is None and settings.negative_prompt is None:
        raise InvalidInput(_NOTHING.format("image"))  # any photograph may have a comment
    return settings


def _common(text: str) -> ImageSettings:
    table = foreign.table_of(text)
    if table is None and foreign.is_json(text):
        raise InvalidInput("The 'parameters' in the file are a tool's JSON, but cannot be read. Nothing was changed.")
    return infotext.read(text) if table is None else tools.from_json(table)


def _invokeai(texts: Texts) -> ImageSettings | None:
    for keyword, reader in (("invokeai_metadata", tools.from_table), ("sd-metadata", tools.from_sd_metadata)):
        text = texts.get(keyword, foreign.MAX_JSON)
        if text is not None:
            table = foreign.table_of(text)
            if table is None:
                raise InvalidInput(f"The '{keyword}' in the file is InvokeAI's, but no JSON that can be read.")
            return reader(table)
    dream = next((texts.get(keyword) for keyword in ("Dream", "dream") if keyword in texts.keywords), None)
    return tools.from_dream(dream) if dream is not None else None


def _novelai(texts: Texts) -> ImageSettings | None:
    if "Software" not in texts.keywords or (texts.get("Software") or "").strip() != "NovelAI":
        return None
    comment = foreign.table_of(texts.get("Comment", foreign.MAX_JSON) or "")
    return tools.from_novelai(comment or {}, texts.get("Description"), texts.get("Source"))


def _comfyui_or_easy_diffusion(texts: Texts) -> ImageSettings | None:
    if "prompt" not in texts.keywords:
        return None
    text = texts.get("prompt", foreign.MAX_JSON) or ""
    graph = foreign.table_of(text)
    if graph is not None:
        return comfyui.read(graph)
    if text.lstrip().startswith("{") or foreign.is_json(text):
        raise InvalidInput(
            "The 'prompt' in the file is a tool's JSON, but cannot be read. Use the file as it was saved."
        )
    names = ("negative_prompt", "seed", "num_inference_steps", "guidance_scale", "sampler_name")  # Easy Diffusion's
    return tools.from_table({"prompt": text} | {name: texts.get(name) for name in names})


def _why_nothing(texts: Texts) -> str:
    whose = next((owner for keyword, owner in _OTHERS.items() if keyword in texts.keywords), None)
    if whose is not None:
        return f"The settings in this file are {whose}, of a kind that is not read here."
    return _NOTHING.format("PNG")

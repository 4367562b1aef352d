"""A variant's parts with an input's values filled in, as a model gets them."""

from __future__ import annotations

from collections.abc import Mapping

from core import prompts
from core.text import clean
from core.types import Variant


def rendered(variant: Variant, values: Mapping[str, str]) -> tuple[str, str]:
    """The system part and the user part; a literal variant's as they stand.

    Raises:
        TemplateError: a part cannot be read, or names a variable without a value.
    """
    if variant.literal:
        return clean(variant.system), clean(variant.user)
    return clean(prompts.render(variant.system, values)), clean(prompts.render(variant.user, values))

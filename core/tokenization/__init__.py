"""A prompt on its way into tokens, as the provider computes it and as the server counts it before a model is loaded.

`chat_template` frames messages; `control_tokens` keeps what a person typed from becoming one of the tokens that frame
them. Knows the `tokenizers` library and jinja2; nothing of torch, transformers or models.
"""

from __future__ import annotations

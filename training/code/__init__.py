"""tiny-code: a model that completes small Python functions, and how it is made."""

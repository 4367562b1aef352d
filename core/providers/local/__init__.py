"""What the providers of local models share: opening a folder of weights, failures as events, provenance, random noise.

`files` reads a model's folder and refuses what is broken or brings code, `failures` turns what one request raises into
its Failed, `provenance` says what a replay needs. None of them imports torch; `gumbel_noise` does. Knows no library
that runs a model, and no modality.
"""

from __future__ import annotations

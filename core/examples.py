"""Filled experiments that run offline on the built-in model, so that nobody starts from empty boxes.

Each shows one way in which a prompt matters. They are data: a page opens one as it opens a restored run.
"""

from __future__ import annotations

from core import code_completion
from core.exchange.experiment_file import experiment_in
from core.settings import ROOT
from core.types import Experiment, Variant

_FOLDER = ROOT / "examples"


def _example(name: str) -> Experiment:
    """One of the files that ship in examples/; `python -m core run` takes the same ones."""
    return experiment_in((_FOLDER / f"{name}.yaml").read_text("utf-8"))


STEP_BY_STEP, FEW_SHOT, EXTRACTION, PERSONA, DRAWN = map(
    _example, ("step-by-step", "few-shot", "json", "personas", "image-colours")
)

EXAMPLES: tuple[Experiment, ...] = (STEP_BY_STEP, FEW_SHOT, EXTRACTION, PERSONA, DRAWN)
"""What the playground offers to begin with. The first three have sixteen inputs: a verdict needs fifteen at least."""

TEXT = Experiment(
    page="text",
    variants=(Variant(name="Prompt", user="Theoretical Physics is"),),
    models=("tiny-text",),
    parameters={"max_new_tokens": 64, "temperature": 0.7, "top_p": 0.95, "top_k": 50},
    seed=42,
    chat=False,
)

CHAT = Experiment(
    page="chat",
    variants=(Variant(name="chat", user=""),),
    models=("tiny-text",),
    parameters={"max_new_tokens": 64, "temperature": 0.7, "top_p": 0.95, "top_k": 50},
    seed=42,
)

_SIGNATURE = '''def sum_of_squares(numbers):
    """Return the sum of the squares of the numbers."""
'''

CODE = Experiment(
    page="code",
    variants=(Variant(name="Prompt", user=_SIGNATURE, literal=True),),
    models=("tiny-code",),
    samples=5,
    parameters={"max_new_tokens": 96, "temperature": 0.4, "top_p": 0.95, "top_k": 50, "repetition_penalty": 1.15},
    seed=42,
    chat=False,
)

CODE_PROMPTS: dict[str, tuple[str, str]] = {
    "A signature": ("def is_even(n):\n", ""),
    "A signature and docstring": (_SIGNATURE, ""),
    "A wish in words": ("a function that returns the largest of a list of numbers", code_completion.AS_COMMENT),
    "A gap to fill": (f"def area(width, height):\n    {code_completion.MARKER}\n    return result\n", ""),
}
"""Prompts that the Code page offers, by what they are: their text, and the template around it ('': none)."""

IMAGE = Experiment(
    page="image",
    variants=(Variant(name="Prompt", user="mountains and the sea at sunset, a boat", literal=True),),
    models=("tiny-image",),
    samples=4,
    parameters={
        "negative_prompt": "",
        "steps": 20,
        "guidance_scale": 4.0,
        "size": "64x64",
        "scheduler": "DDIM",
    },
    seed=42,
)

IMAGE_PROMPTS: dict[str, str] = {
    "A shape": "a large red circle on a white background",
    "Three of them": "three small yellow stars on a black background",
    "Side by side": "a blue square to the left of an orange heart on a grey background",
    "A place": "a green triangle at the top on a pink background",
    "A landscape by day": "a landscape by day with trees, houses and clouds, the sun",
    "A sunset": "mountains and the sea at sunset, a boat",
    "A winter night": "snowy mountains at night, stars and a full moon",
}
"""Prompts that the Image page offers: what tiny-image was taught."""

AUDIO = Experiment(
    page="audio",
    variants=(Variant(name="Prompt", user="a slow ascending scale on a flute", literal=True),),
    models=("tiny-audio",),
    parameters={"duration": 3.0, "guidance_scale": 1.5, "temperature": 0.8, "top_k": 50},
    seed=42,
)

SPEECH_PROMPTS: dict[str, str] = {
    "A greeting": "Good morning. It is a pleasure to meet you.",
    "A tongue twister": "She sells sea shells by the sea shore.",
    "Two sentences": "Two prompts went to a fair. Only one of them asked the right question.",
}

SOUND_PROMPTS: dict[str, str] = {
    "A slow scale": "a slow ascending scale on a flute",
    "A chord": "a C major chord on an organ",
    "A fast arpeggio": "a fast falling arpeggio on a guitar",
    "A melody": "a calm melody on a piano",
    "A bell": "a low note on a church bell",
    "A drum beat": "a fast drum beat",
    "An alarm": "a beeping alarm",
}
"""Prompts that the Audio page offers: sentences for a voice, descriptions for music."""

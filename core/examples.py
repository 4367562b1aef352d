"""Filled experiments that run offline on the built-in model, so that nobody starts from empty boxes.

Each shows one way in which a prompt matters. They are data: a page opens one as it opens a restored run.
"""

from __future__ import annotations

from core import code_completion
from core.types import Check, Experiment, Input, Variant

_PARAMETERS = {"max_new_tokens": 96, "temperature": 0.4, "top_p": 1.0, "top_k": 0}


def _sum(*numbers: int) -> Input:
    text = " + ".join(map(str, numbers))
    return Input(values={"numbers": text}, checks=Check.of(f"number:{sum(numbers)}"))


_SUMS = (
    (23, 48, 17),
    (64, 35, 78, 19),
    (57, 86, 42),
    (38, 91, 27, 45, 66),
    (12, 75, 33),
    (81, 46, 29, 58),
    (94, 17, 63),
    (26, 53, 39, 72, 44),
    (85, 21, 69),
    (47, 62, 18, 95),
    (31, 88, 54),
    (73, 49, 26, 67, 15),
    (59, 34, 92),
    (16, 83, 71, 28),
    (65, 52, 37),
    (41, 97, 24, 79, 56),
)
"""Sixteen, because a verdict needs fifteen inputs at least."""

STEP_BY_STEP = Experiment(
    page="playground",
    title="Does thinking step by step help?",
    variants=(
        Variant(name="Plain", user="What is {{numbers}}?"),
        Variant(name="Number only", user="What is {{numbers}}? Answer only with the number."),
        Variant(name="Step by step", user="What is {{numbers}}? Let's think step by step."),
    ),
    models=("tiny-text",),
    inputs=tuple(_sum(*numbers) for numbers in _SUMS),
    parameters=_PARAMETERS,
    seed=42,
)

_REVIEWS = (
    ("The acting was brilliant. I loved this film.", "blue"),
    ("The story was dull and the ending was terrible.", "stone"),
    ("I enjoyed every minute.", "blue"),
    ("I want my money back. The sound was awful.", "stone"),
    ("The room was lovely and the staff was charming.", "blue"),
    ("The soup was disgusting. I will never come back.", "stone"),
    ("The camera is superb. Best phone in years.", "blue"),
    ("The battery is poor. I regret it.", "stone"),
    ("What a joy! The singer was wonderful.", "blue"),
    ("The lessons were boring and the book was useless.", "stone"),
    ("The service was excellent. I would recommend it.", "blue"),
    ("I hated the ending. What a shame!", "stone"),
    ("The breakfast was delightful.", "blue"),
    ("The delivery was a mess. Never again.", "stone"),
    ("The teacher was fantastic. Well worth the money.", "blue"),
    ("I nearly fell asleep. The plot was weak.", "stone"),
)

_SHOTS = (
    ("The music was wonderful.", "blue"),
    ("The plot was boring. Never again.", "stone"),
    ("I would recommend it. The hero was charming.", "blue"),
    ("This film is a waste of time.", "stone"),
)


def _labels(shots: int) -> str:
    lines = [f"Review: {text}\nLabel: {label}" for text, label in _SHOTS[:shots]]
    return "\n\n".join([*lines, "Review: {{review}}\nLabel:"])


FEW_SHOT = Experiment(
    page="playground",
    title="How many examples does a label need?",
    variants=(
        Variant(name="No example", user="Label the review as blue or stone.\n\n" + _labels(0)),
        Variant(name="Two examples", user=_labels(2)),
        Variant(name="Four examples", user=_labels(4)),
    ),
    models=("tiny-text",),
    inputs=tuple(Input(values={"review": text}, checks=Check.of(f"equals:{label}")) for text, label in _REVIEWS),
    parameters=_PARAMETERS | {"max_new_tokens": 12},
    seed=42,
)

_PEOPLE = (
    ("Maria", 34, "Lisbon"),
    ("Anna Brown", 27, "Oslo"),
    ("Olga Smith", 51, "Cairo"),
    ("Peter", 42, "Rome"),
    ("Lucy Miller", 19, "Paris"),
    ("Ben", 63, "Vienna"),
    ("Clara Jones", 38, "Berlin"),
    ("David", 25, "Madrid"),
    ("Emma White", 47, "Athens"),
    ("Frank", 58, "Dublin"),
    ("Grace Taylor", 31, "Prague"),
    ("Henry", 22, "Warsaw"),
    ("Ida Wilson", 69, "Tokyo"),
    ("Jack", 45, "Lima"),
    ("Kate Green", 36, "Delhi"),
    ("Leo", 53, "Geneva"),
)

EXTRACTION = Experiment(
    page="playground",
    title="Ask for JSON, get JSON?",
    variants=(
        Variant(name="Summary", user="{{sentence}} Summarise this."),
        Variant(name="JSON", user="{{sentence}}\n\nReturn JSON with the keys name, age, city."),
    ),
    models=("tiny-text",),
    inputs=tuple(
        Input(
            values={"sentence": f"{name} is {age} years old and lives in {city}."},
            checks=Check.of("is-json:name,age,city"),
        )
        for name, age, city in _PEOPLE
    ),
    parameters=_PARAMETERS,
    seed=42,
)

PERSONA = Experiment(
    page="playground",
    title="One question, four voices",
    variants=(
        Variant(name="No persona", user="{{question}}"),
        Variant(name="Pirate", system="You are a pirate.", user="{{question}}"),
        Variant(name="Poet", system="You are a poet.", user="{{question}}"),
        Variant(name="For a child", system="Explain it to a child.", user="{{question}}"),
    ),
    models=("tiny-text",),
    inputs=tuple(
        Input(values={"question": question})
        for question in ("What is the moon?", "What is gravity?", "Tell me about salt.")
    ),
    samples=2,
    parameters=_PARAMETERS,
    seed=42,
)

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

DRAWN = Experiment(
    page="playground",
    title="Which words make the colour?",
    variants=(
        Variant(name="Shape first", user="a {{shape}}, {{colour}}, on a white background"),
        Variant(name="Colour first", user="a {{colour}} {{shape}} on a white background"),
        Variant(name="Said large", user="a large {{colour}} {{shape}} on a white background"),
    ),
    models=("tiny-image",),
    inputs=tuple(
        Input(
            values={"colour": colour, "shape": shape},
            checks=Check.of("not-blank", f"shows-colour(4):{colour}", "shows-colour(40):white"),
        )
        for colour, shape in (("red", "circle"), ("blue", "star"), ("green", "heart"))
    ),
    samples=3,
    parameters={"negative_prompt": "", "steps": 12, "guidance_scale": 4.0, "size": "64x64", "scheduler": "DDIM"},
    seed=42,
)

EXAMPLES: tuple[Experiment, ...] = (STEP_BY_STEP, FEW_SHOT, EXTRACTION, PERSONA, DRAWN)
"""What the playground offers to begin with."""

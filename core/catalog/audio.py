"""The parameters of music and speech models, and the rows of these models.

Data only. A row pins the revision that is read.
"""

from __future__ import annotations

from core.catalog.parameters import adapted
from core.types import Modality, ModelSpec, Parameter

MEGABYTE = 1_000_000

MUSIC_PARAMETERS = (
    Parameter(
        name="duration",
        label="Duration",
        kind="float",
        default=8.0,
        low=1.0,
        high=30.0,
        step=0.5,
        help="Seconds of sound. The time that it takes grows with them.",
    ),
    Parameter(
        name="guidance_scale",
        label="Guidance",
        kind="float",
        default=3.0,
        low=0.0,
        high=10.0,
        step=0.5,
        help="How closely the prompt is followed. 1 and below switch guidance off and take less time.",
    ),
    Parameter(
        name="temperature",
        label="Temperature",
        kind="float",
        default=1.0,
        low=0.0,
        high=2.0,
        step=0.05,
        help="0 always takes the likeliest code, which soon repeats itself. Higher is more varied.",
    ),
    Parameter(
        name="top_k",
        label="Top-k",
        kind="int",
        default=250,
        low=0,
        high=1000,
        step=1,
        help="Keep only this many of the likeliest codes. 0 keeps all.",
        advanced=True,
    ),
)
"""The parameters of models that make music or other sounds from a description; a row narrows their bounds."""

SPEECH_PARAMETERS = (
    Parameter(
        name="speaking_rate",
        label="Speed",
        kind="float",
        default=1.0,
        low=0.5,
        high=2.0,
        step=0.05,
        help="How quickly it is spoken: 2 is twice as quick.",
    ),
    Parameter(
        name="noise_scale",
        label="Variation",
        kind="float",
        default=0.667,
        low=0.0,
        high=1.5,
        step=0.01,
        help="How much the voice varies from seed to seed. High values make it rough.",
        advanced=True,
    ),
)
"""The parameters of text-to-speech models."""

AUDIO_ROWS: tuple[ModelSpec, ...] = (
    ModelSpec(
        id="tiny-audio",
        name="Diptych tiny-audio",
        modality=Modality.AUDIO,
        provider="local_audio",
        source="tiny-audio",
        summary="A demo model trained by this project on notes, chords, drums and noises that it synthesises. "
        "It shows how prompts, seeds and guidance act; it knows no other sound.",
        licence="MIT",
        parameters=adapted(
            MUSIC_PARAMETERS,
            duration={"default": 3.0, "high": 3.0},
            guidance_scale={"default": 1.5},
            temperature={"default": 0.8},
            top_k={"default": 50},
        ),
        bundled=True,
        memory_bytes=60 * MEGABYTE,
        context=64,
        unit_seconds=0.3,
        frame_rate=32.0,
    ),
    ModelSpec(
        id="mms-tts-eng",
        name="MMS-TTS English",
        modality=Modality.AUDIO,
        provider="local_audio",
        source="facebook/mms-tts-eng",
        revision="c71de0fe7204c83f1c10820a7d696d0b450048ba",
        summary="Meta's English voice of 2023: speaks a text, sentence by sentence. For non-commercial use only.",
        licence="CC-BY-NC-4.0",
        parameters=SPEECH_PARAMETERS,
        download_bytes=146 * MEGABYTE,
        memory_bytes=1_000 * MEGABYTE,  # 145 MB of weights; the rest is the activations of a long sentence
        context=8192,  # two tokens a letter: some five minutes of speech
        unit_seconds=0.7,
        frame_rate=62.5,
    ),
    ModelSpec(
        id="musicgen-small",
        name="MusicGen small",
        modality=Modality.AUDIO,
        provider="local_audio",
        source="facebook/musicgen-small",
        revision="4c8334b02c6ec4e8664a91979669a501ec497792",
        summary="Meta's smallest music model of 2023: music from a description, no singing. Minutes a piece on a CPU. "
        "For non-commercial use only.",
        licence="CC-BY-NC-4.0",
        parameters=MUSIC_PARAMETERS,
        download_bytes=2_370 * MEGABYTE,
        memory_bytes=3_300 * MEGABYTE,
        context=512,
        unit_seconds=9.0,
        frame_rate=50.0,
    ),
)

"""The tokenizer: CLIP's lower-case byte-level BPE, over the captions' words. Knows nothing of the model."""

import json
import random

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from training.image import captions
from training.image.scene import for_training

LENGTH = 77
START, END, WORD_ENDS = "<|startoftext|>", "<|endoftext|>", "</w>"
SAMPLE = 20_000


def trained(seed: int, merges: int) -> CLIPTokenizer:
    """A tokenizer with `merges` merges, trained on a sample of captions.

    Every byte is a token, within a word and at its end, so nothing is unknown.
    """
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merged = _merges(seed, letters, merges)
    tokens = [*letters, *(letter + WORD_ENDS for letter in letters), *(left + right for left, right in merged)]
    vocabulary = {token: index for index, token in enumerate([*dict.fromkeys(tokens), START, END])}
    return CLIPTokenizer(vocab=vocabulary, merges=merged, model_max_length=LENGTH)


def _merges(seed: int, letters: list[str], number: int) -> list[tuple[str, str]]:
    rng = random.Random(f"vocabulary {seed}")
    texts = [captions.caption(for_training(rng), rng).text for _ in range(SAMPLE)]
    as_clip = CLIPTokenizer().backend_tokenizer
    learner = Tokenizer(models.BPE(end_of_word_suffix=WORD_ENDS))
    learner.normalizer, learner.pre_tokenizer = as_clip.normalizer, as_clip.pre_tokenizer
    size = 2 * len(letters) + number
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=letters, end_of_word_suffix=WORD_ENDS, show_progress=False
    )
    learner.train_from_iterator(texts, trainer)
    return [(left, right) for left, right in json.loads(learner.to_str())["model"]["merges"]]

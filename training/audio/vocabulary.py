"""The tokenizer: lower case, pairs of bytes within a word, over the captions' own words, with T5's ending. Knows no
model."""

import random

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from training.audio import captions
from training.audio.sound import for_training

PAD, END = "<pad>", "</s>"
LENGTH, SAMPLE = 64, 10_000
"""Tokens that a prompt may have; captions that it is trained on."""


def trained(seed: int, size: int) -> PreTrainedTokenizerFast:
    """On a sample of captions. Every byte is a token, so nothing is unknown."""
    rng = random.Random(f"vocabulary {seed}")
    texts = [captions.caption(for_training(rng), rng).text for _ in range(SAMPLE)]
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase(), normalizers.Strip()])
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[PAD, END], initial_alphabet=letters, show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    ending = [(END, made.token_to_id(END))]
    made.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=ending)
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token=PAD, eos_token=END, model_max_length=LENGTH)

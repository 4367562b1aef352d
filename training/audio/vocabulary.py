"""The tokenizer: lower-case byte-level BPE over the captions' words, with T5's end token. Knows no model."""

import random

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from training.audio import captions
from training.audio.sound import for_training

PAD, END = "<pad>", "</s>"
LENGTH, SAMPLE = 64, 10_000
"""The most tokens of a prompt; the number of captions that it is trained on."""


def trained(seed: int, size: int) -> PreTrainedTokenizerFast:
    """A tokenizer of `size` tokens, trained on a sample of captions. Every byte is a token, so nothing is unknown."""
    rng = random.Random(f"vocabulary {seed}")
    texts = [captions.caption(for_training(rng), rng).text for _ in range(SAMPLE)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[PAD, END], initial_alphabet=letters, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    ending = [(END, tokenizer.token_to_id(END))]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=ending)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, model_max_length=LENGTH)

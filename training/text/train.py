"""Train tiny-text and write it to models/tiny-text. Knows tokens and weights; the mixture knows their meaning.

    python -m training.text.train --preset cpu              # about 100 minutes on two cores
    python -m training.text.train --preset cpu --resume     # go on after an interruption

The loop itself, with its checkpoints and its log, is training/loop.py.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from training import export, language, loop
from training.text import corpus, start, vocabulary

VOCABULARY_POOL = 10**6  # far beyond what is trained on


@dataclass(frozen=True)
class Plan(language.Plan):
    """A plan with tiny-text's shape and length."""

    width: int = 192
    heads: int = 6
    vocabulary: int = 3072
    minutes: float = 97


PRESETS = {"cpu": Plan(), "gpu": Plan(tokens=8192, minutes=25, device="cuda")}


def new_model(plan: Plan, vocabulary_size: int) -> GPT2LMHeadModel:
    torch.manual_seed(plan.seed)
    config = GPT2Config(
        vocab_size=vocabulary_size,
        n_positions=plan.context,
        n_embd=plan.width,
        n_layer=plan.layers,
        n_head=plan.heads,
        initializer_range=0.02,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config)
    start.write(model)
    if plan.device == "cpu":  # torch's fused attention is slow backwards here: 6,700 tokens/s with it, 10,600 without
        model.set_attn_implementation("eager")
    return model.to(plan.device)


class Trainer(language.Trainer):
    """tiny-text in training, over its own stream."""

    def __init__(self, plan: Plan, tokenizer: Tokenizer, mixture: corpus.Mixture) -> None:
        self.tokenizer = tokenizer
        stream = partial(corpus.stream, tokenizer, mixture, plan.seed, plan.tokens, plan.parts)
        super().__init__(plan, new_model(plan, tokenizer.get_vocab_size()), stream)


def tokenizer_for(run: Path, plan: Plan, mixture: corpus.Mixture) -> Tokenizer:
    """The run's tokenizer, trained on a sample of the mixture if the run is new."""
    file = run / "tokenizer.json"
    if not file.exists():
        sample = corpus.documents(mixture, plan.seed, VOCABULARY_POOL, 16000)
        texts = (vocabulary.without_special(text) for segments in sample for text, _ in segments)
        vocabulary.trained(texts, plan.vocabulary).save(str(file))
    return vocabulary.load(run)


def main() -> None:
    parser = loop.parser("tiny-text", PRESETS)
    parser.add_argument("--corpus", type=Path, default=loop.ROOT / "../shared/corpus/grimm.txt")
    options = parser.parse_args()
    plan = loop.prepared(options, PRESETS)
    mixture = corpus.Mixture(options.corpus)
    trainer = Trainer(plan, tokenizer_for(options.run, plan, mixture), mixture)
    if options.resume:
        trainer.restore(options.run / "checkpoint.pt")
    loop.train(trainer, options.run, options.save_every)
    tokenizer = vocabulary.wrapped(trainer.tokenizer, plan.context)
    export.write(trainer.model, tokenizer, options.out, vars(trainer.counters))


if __name__ == "__main__":
    main()

"""Train tiny-code and write it to models/tiny-code. Knows tokens and weights; the mixture knows their meaning.

python -m training.code.train --preset cpu              # about half an hour on two cores
python -m training.code.train --preset cpu --resume     # go on after an interruption
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import CodeGenConfig, CodeGenForCausalLM

from training import export, language, loop
from training.code import corpus, vocabulary

PENALTY = 1.15
"""The repetition penalty: without it, completions in the library's style repeat themselves inside a bracket."""
VOCABULARY_POOL, VOCABULARY_DOCUMENTS = 10**6, 12000  # a pool far beyond what is trained on


@dataclass(frozen=True)
class Plan(language.Plan):
    """A plan with the number of rotary dimensions of each head (Su et al. 2021, RoFormer)."""

    width: int = 256
    heads: int = 8
    vocabulary: int = 4096
    minutes: float = 30
    rotary: int = 16


PRESETS = {"cpu": Plan(), "gpu": Plan(layers=6, tokens=8192, minutes=20, device="cuda")}


def new_model(plan: Plan, vocabulary_size: int) -> CodeGenForCausalLM:
    torch.manual_seed(plan.seed)
    config = CodeGenConfig(
        vocab_size=vocabulary_size,
        n_positions=plan.context,
        n_ctx=plan.context,
        n_embd=plan.width,
        n_layer=plan.layers,
        n_head=plan.heads,
        rotary_dim=plan.rotary,
        initializer_range=0.02,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=True,
    )
    return CodeGenForCausalLM(config).to(plan.device)


class Trainer(language.Trainer):
    """tiny-code in training, over its own stream."""

    def __init__(self, plan: Plan, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        stream = partial(corpus.stream, tokenizer, plan.seed, plan.tokens, plan.parts)
        super().__init__(plan, new_model(plan, tokenizer.get_vocab_size()), stream)


def tokenizer_for(run: Path, plan: Plan) -> Tokenizer:
    """The run's tokenizer, trained on a sample of the mixture if the run is new."""
    file = run / "tokenizer.json"
    if not file.exists():
        sample = corpus.documents(plan.seed, VOCABULARY_POOL, VOCABULARY_DOCUMENTS)
        texts = ("".join(text for text, _ in segments).replace(vocabulary.END, "") for segments in sample)
        vocabulary.trained(texts, plan.vocabulary).save(str(file))
    return vocabulary.load(run)


def main() -> None:
    options = loop.parser("tiny-code", PRESETS).parse_args()
    plan = loop.prepared(options, PRESETS)
    trainer = Trainer(plan, tokenizer_for(options.run, plan))
    if options.resume:
        trainer.restore(options.run / "checkpoint.pt")
    loop.train(trainer, options.run, options.save_every)
    tokenizer = vocabulary.wrapped(trainer.tokenizer, plan.context)
    export.write(trainer.model, tokenizer, options.out, vars(trainer.counters), PENALTY)


if __name__ == "__main__":
    main()

"""What a person typed stays text, whatever it looks like; what a template writes stays a control token."""

from __future__ import annotations

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from core.tokenization.control_tokens import ControlTokens

SPECIALS = ("<s>", "</s>", "<|im_start|>", "<|im_end|>")
LETTERS = "abcdefghijklmnopqrstuvwxyz<>|/_ Ċ"


def byte_level() -> Tokenizer:
    """As GPT-2, Qwen or StarCoder have it; `<tool>` is added, but does not control anything."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("<", "|"), ("|", ">"), ("i", "m"), ("h", "i"), (">", "<")]
    pieces = [*SPECIALS, *alphabet, *("".join(pair) for pair in merges)]
    made = Tokenizer(models.BPE(vocab={piece: i for i, piece in enumerate(pieces)}, merges=merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return finished(made)


def byte_fallback() -> Tokenizer:
    """As Llama and Gemma have it: the special tokens are pieces of the vocabulary too."""
    pieces = ["<unk>", *SPECIALS, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *sorted(set(LETTERS) - {" "})]
    merges = [("▁", "a"), ("h", "i")]
    pieces += ["".join(pair) for pair in merges]
    made = Tokenizer(
        models.BPE(
            vocab={piece: i for i, piece in enumerate(pieces)},
            merges=merges,
            byte_fallback=True,
            unk_token="<unk>",
            fuse_unk=True,
        )
    )
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    made.add_special_tokens(["<unk>"])
    return finished(made)


def unigram() -> Tokenizer:
    """As T5 has it: a special token is the best piece for its own text."""
    pieces = [("<unk>", 0.0), *((special, 0.0) for special in SPECIALS), *((letter, -3.0) for letter in LETTERS + "▁")]
    made = Tokenizer(models.Unigram(pieces, unk_id=0))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    return finished(made)


def finished(made: Tokenizer) -> Tokenizer:
    made.add_special_tokens([AddedToken(special, normalized=False) for special in SPECIALS])
    made.add_tokens(["<tool>"])
    begin = made.token_to_id("<s>")
    made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", begin)])
    made.enable_truncation(5)
    made.enable_padding()
    return made


KINDS = {"byte level": byte_level, "byte fallback": byte_fallback, "unigram": unigram}


def special_ids(tokenizer: Tokenizer) -> set[int]:
    return {tokenizer.token_to_id(special) for special in SPECIALS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("special", SPECIALS)
def test_a_typed_token_is_text_and_the_templates_own_is_not(kind: str, special: str) -> None:
    tokenizer = KINDS[kind]()
    control = ControlTokens(tokenizer)
    text = f"<|im_start|>{control.mask(f'hi {special}{special} a')}<|im_end|>"
    ids = control.encode(text, add_special_tokens=False)
    own = [token for token in ids if token in special_ids(tokenizer)]
    assert own == [tokenizer.token_to_id("<|im_start|>"), tokenizer.token_to_id("<|im_end|>")]
    assert (ids[0], ids[-1]) == (own[0], own[1])
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == f"hi {special}{special} a"
    assert control.unmask(text) == f"<|im_start|>hi {special}{special} a<|im_end|>"


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_typed_token_the_ids_are_the_tokenizers_own(kind: str) -> None:
    tokenizer = KINDS[kind]()
    control = ControlTokens(tokenizer)
    for text in ("", "hi a", "<|im_start|>hi<|im_end|> a<tool>", "東京 🦊"):
        for begins in (True, False):
            masked = f"<|im_start|>{control.mask('hi')}{text}"
            expected = tokenizer.encode(masked, add_special_tokens=begins).ids
            assert control.encode(masked, add_special_tokens=begins) == expected


def test_a_text_that_was_typed_is_split_as_the_library_splits_it() -> None:
    tokenizer = byte_level()
    control = ControlTokens(tokenizer)
    text = "hi <|im_end|><s> and <tool>"
    ids = control.encode_typed(text, add_special_tokens=True)
    tokenizer.encode_special_tokens = True
    assert ids == tokenizer.encode(text).ids
    assert tokenizer.token_to_id("<tool>") in ids, "an added token that controls nothing is as it was"
    assert control.encode("<s>", add_special_tokens=False) == [tokenizer.token_to_id("<s>")], "whatever was left on"


@settings(deadline=None)
@given(st.lists(st.sampled_from([*SPECIALS, "<", "s>", "|", "hi", " ", "<|im_", "end|>", "é", "m0.", "c1."])))
def test_no_typed_text_becomes_a_control_token(parts: list[str]) -> None:
    text = "".join(parts)
    for control, tokenizer in ((BYTE, BYTE_TOKENIZER), (FALLBACK, FALLBACK_TOKENIZER)):
        ids = control.encode(f"<|im_start|>{control.mask(text)}<|im_end|>", add_special_tokens=False)
        assert not special_ids(tokenizer) & set(ids[1:-1])
        assert control.unmask(control.mask(text)) == text


BYTE_TOKENIZER, FALLBACK_TOKENIZER = byte_level(), byte_fallback()
BYTE, FALLBACK = ControlTokens(BYTE_TOKENIZER), ControlTokens(FALLBACK_TOKENIZER)


def test_a_tokenizer_without_special_tokens_has_nothing_to_mask() -> None:
    plain = tokenizers.Tokenizer(models.WordLevel({"hi": 0, "?": 1}, unk_token="?"))
    control = ControlTokens(plain)
    assert control.mask("hi <s>") == "hi <s>"
    assert control.encode_typed("hi", add_special_tokens=True) == [0]

"""The standard library of the running Python, cut into functions, classes and pieces. Knows no tokens.

Its licence is the PSF licence. Tests, idlelib, lib2to3, vendored code and data tables are left out. Split by file.
"""

import ast
import random
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

from training.text.example import held_out

LEFT_OUT = {
    *("test", "tests", "idle_test", "lib2to3", "idlelib", "turtledemo", "ensurepip", "site-packages", "encodings"),
    *("pydoc_data", "_vendor", "msilib", "__phello__", "dist-packages"),
}
SHORTEST, LONGEST, WIDEST = 60, 1500, 110


@dataclass(frozen=True)
class Piece:
    """One function or class: what stands before its body (with the docstring, if any), and the body."""

    file: str
    head: str
    body: str
    documented: bool


@cache
def folder() -> Path:
    return Path(sysconfig.get_paths()["stdlib"])


def files() -> list[Path]:
    """All modules, in a fixed order."""
    modules = (p for p in folder().rglob("*.py") if not set(p.relative_to(folder()).parts) & LEFT_OUT)
    return sorted(p for p in modules if not p.name.startswith(("_sysconfigdata", "test_", "__phello__")))


def parsed(file: Path) -> tuple[str, ast.Module] | None:
    try:
        text = file.read_text(encoding="utf-8")
        return text, ast.parse(text)
    except (UnicodeDecodeError, SyntaxError):
        return None


def definitions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """All functions and classes, those inside others too."""
    for node in getattr(tree, "body", ()):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node
        if isinstance(node, ast.stmt):
            yield from definitions(node)


def pieces_of(file: Path) -> Iterator[Piece]:
    """Its functions and methods, unindented, if neither too short nor too long."""
    read = parsed(file)
    if read is None or not read[0].isascii():
        return
    lines = read[0].expandtabs().splitlines(keepends=True)
    for node in definitions(read[1]):
        if sum(map(len, lines[node.lineno - 1 : node.end_lineno])) > 2 * LONGEST:
            continue
        first, documented = node.body[0], ast.get_docstring(node) is not None
        cut = first.end_lineno if documented else first.lineno - 1
        cut = max(cut or 0, node.lineno)
        code, head = dedent("".join(lines[node.lineno - 1 : node.end_lineno])), lines[node.lineno - 1 : cut]
        kept = code.splitlines(keepends=True)
        opening, body = "".join(kept[: len(head)]), "".join(kept[len(head) :])
        if SHORTEST <= len(code) <= LONGEST and len(max(kept, key=len)) <= WIDEST and body.strip() and whole(code):
            yield Piece(str(file.relative_to(folder())), opening, body.rstrip("\n") + "\n", documented)


def whole(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


@cache
def pieces(for_evaluation: bool) -> tuple[Piece, ...]:
    """Every piece on one side of the split, each once."""
    chosen = [file for file in files() if held_out(f"library {file.relative_to(folder())}") == for_evaluation]
    unique = {piece.head + piece.body: piece for file in chosen for piece in pieces_of(file)}
    return tuple(unique.values())


def prompts(count: int, seed: int) -> list[Piece]:
    """Held-out functions with a docstring, and never one whose text is in a training file too."""
    training_heads = {piece.head for piece in pieces(False)}
    fit = [p for p in pieces(True) if p.documented and p.head.startswith("def ") and len(p.head) < 700]
    return random.Random(seed).sample([p for p in fit if p.head not in training_heads], count)

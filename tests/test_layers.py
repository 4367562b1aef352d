"""The house's arrows point downwards, heavy libraries stay behind their doors, and pages/ keeps its shape."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.ui.session.pages import PAGES as PAGE_ROWS

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted(path for path in (ROOT / "core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))

HEAVY = {"torch", "transformers", "diffusers", "google.genai", "google.generativeai", "openai", "accelerate"}

# A room may import itself and what lies on a lower floor, never a neighbour or what lies above.
FLOORS = [
    {"types", "errors", "text", "text_diff"},
    {"settings", "prompts", "statistics", "pictures", "code_completion", "sound", "tokenization"},
    {"catalog", "checks", "device", "allowance"},
    {"repository", "remote", "png_metadata"},
    {"experiment", "providers", "context"},
    {"chat", "image_files"},
    {"worker"},
    {"engine", "history"},
    {"exchange"},
    {"examples"},
    {"ui", "command"},
    {"__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """Names of imported modules; with `top_level` only those that importing the file runs."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def test_no_page_lies_directly_in_pages() -> None:
    assert not list((ROOT / "pages").glob("*.py")), "Streamlit's legacy menu would skip Home.py on a deep link"
    assert PAGES


@pytest.mark.parametrize("path", CORE, ids=name)
def test_only_the_interface_knows_streamlit(path: Path) -> None:
    if not name(path).startswith("core.ui"):
        assert not [found for found in imports(path) if found.split(".")[0] == "streamlit"]


@pytest.mark.parametrize("path", [*CORE, *PAGES, ROOT / "Home.py"], ids=name)
def test_heavy_libraries_are_imported_only_inside_providers(path: Path) -> None:
    if name(path).startswith("core.providers.") and name(path) != "core.providers.__init__":
        return
    assert not [found for found in imports(path, top_level=True) if found in HEAVY or found.split(".")[0] in HEAVY]


def test_every_room_has_a_floor() -> None:
    assert {name(path).split(".")[1] for path in CORE} - {"__init__"} == set(FLOOR)


@pytest.mark.parametrize("path", CORE, ids=name)
def test_arrows_point_downwards(path: Path) -> None:
    room = name(path).split(".")[1]
    others = {found.split(".")[1] for found in imports(path) if found.startswith("core.")} & set(FLOOR) - {room}
    upwards = {other for other in others if room in FLOOR and FLOOR[other] >= FLOOR[room]}
    assert not upwards, f"{name(path)} imports {sorted(upwards)}"


# What providers of one kind share, and how those providers' names begin.
SHARED = {"local": ("local_", "openvino_")}


@pytest.mark.parametrize("path", [path for path in CORE if name(path).startswith("core.providers.")], ids=name)
def test_a_provider_imports_no_other_but_what_its_kind_shares(path: Path) -> None:
    own = name(path).split(".")[2]
    others = {found.split(".")[2] for found in imports(path) if found.startswith("core.providers.")}
    rooms = {one.name.removesuffix(".py") for one in (ROOT / "core" / "providers").iterdir()} - {"__init__"}
    allowed = {own} | {shared for shared, beginnings in SHARED.items() if own.startswith(beginnings)}
    assert not others & rooms - allowed


def test_opening_no_provider_imports_torch_with_what_local_providers_share() -> None:
    """Its torch part is a file of its own, so that a provider which runs on another library can use the rest."""
    for path in sorted((ROOT / "core" / "providers" / "local").glob("*.py")):
        heavy = {found.split(".")[0] for found in imports(path, top_level=True)} & HEAVY
        assert not heavy or path.name == "gumbel_noise.py"


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_pages_draw_and_nothing_else(path: Path) -> None:
    found = set(imports(path))
    assert not [one for one in found if one.startswith(("core.providers", "core.worker", "core.worker.pool", "pages"))]
    assert path.read_text("utf-8").count("\n") <= 80


UI_FLOORS = ("session", "components", "pages", "middleware")  # the last stands before the others, and none knows it
UI = [path for path in CORE if name(path).startswith("core.ui.")]


@pytest.mark.parametrize("path", UI, ids=name)
def test_the_interface_has_floors_and_arrows_point_downwards(path: Path) -> None:
    floor = name(path).split(".")[2]
    if floor == "__init__":
        return
    imported = {one.split(".")[2] for one in imports(path) if one.startswith("core.ui.")}
    above = {other for other in imported if UI_FLOORS.index(other) > UI_FLOORS.index(floor)}
    assert not above, f"{name(path)} imports {sorted(above)}"


@pytest.mark.parametrize("path", [path for path in UI if name(path).startswith("core.ui.pages.")], ids=name)
def test_no_page_imports_another(path: Path) -> None:
    assert not [one for one in imports(path) if one.startswith("core.ui.pages.") or one.split(".")[0] == "pages"]


def test_every_page_is_a_row_and_every_row_a_page() -> None:
    assert sorted(row.path for row in PAGE_ROWS) == [str(path.relative_to(ROOT)) for path in PAGES]
    assert len({row.key for row in PAGE_ROWS}) == len(PAGE_ROWS)


def test_no_file_but_the_table_names_a_page_of_the_menu() -> None:
    """So that a page is added by its file and its row alone."""
    rows = {row.path for row in PAGE_ROWS}
    for path in [*CORE, ROOT / "Home.py", *PAGES]:
        if name(path) != "core.ui.session.pages":
            assert not [row for row in rows if row in path.read_text("utf-8")], name(path)


def test_the_router_is_short() -> None:
    assert (ROOT / "Home.py").read_text("utf-8").count("\n") <= 45


def test_no_page_loads_torch(tmp_path: Path) -> None:
    """Every page is opened in a process of its own, which afterwards must not hold a heavy library."""
    script = f"""
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file({str(ROOT / "Home.py")!r}, default_timeout=60).run()
for page in {[str(path.relative_to(ROOT)) for path in PAGES]!r}:
    app.switch_page(page).run()
    assert not app.exception, app.exception
print(sorted({HEAVY!r} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "DIPTYCH_DATA": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"

"""What the documents point to exists."""

import ast
import re
from pathlib import Path

from tests.docs.documents import DOCS, DOCUMENTS, ROOT, blocks_in_order, code_spans, named, prose, section
from tests.support.cases import each_case

PACKAGE = ROOT / "src" / "dream_api"
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
# Where a path in a code span may begin.
_FOLDERS = ("src", "tests", "docs", "bench", *sorted(path.name for path in PACKAGE.iterdir() if path.is_dir()))
_FILES_OF_A_LIFE = 10
_ONE_PAGE = 140
_PLACE = re.compile(r"([\w/]+\.py):([A-Za-z_][\w.]*)")


@each_case("document", DOCUMENTS)
def test_every_link_inside_the_repository_resolves(document: Path) -> None:
    for link in _LINK.findall(prose(document.read_text())):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{named(document)} points to {link}"
        assert ROOT in target.parents
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{named(document)} points to {link}"


@each_case("document", DOCUMENTS)
def test_every_make_command_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    text = document.read_text()
    named_targets = re.findall(r"^(?:\$ )?make ([a-z-]+)", text, re.MULTILINE) + re.findall(r"`make ([a-z-]+)", text)
    assert set(named_targets) <= targets


def test_the_main_make_commands_are_in_contributing() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert [target for target in targets if f"make {target}" not in page and target != "help"] == []


@each_case("document", DOCUMENTS)
def test_every_file_and_function_that_is_named_exists(document: Path) -> None:
    for path, name in _PLACE.findall(document.read_text()):
        file = PACKAGE / path
        assert file.is_file(), path
        assert name in _names(file), f"{path}:{name}"


@each_case("life", ["The life of a metered call", "The life of a purchase"])
def test_architecture_follows_a_call_and_a_purchase_from_file_to_file(life: str) -> None:
    page = (DOCS / "architecture.md").read_text()
    files = [span for span in code_spans(section(page, life)) if span.endswith(".py")]

    assert len(set(files)) >= _FILES_OF_A_LIFE


def test_architecture_is_one_page_with_one_picture() -> None:
    page = (DOCS / "architecture.md").read_text()

    assert len(page.splitlines()) <= _ONE_PAGE
    assert len(blocks_in_order(page)) == 1
    assert _PLACE.findall(page) == [], "Files only: functions are found in them."


@each_case("document", DOCUMENTS)
def test_every_file_in_a_code_span_exists(document: Path) -> None:
    for span in code_spans(document.read_text()):
        if re.fullmatch(rf"(?:{'|'.join(_FOLDERS)})/[\w/.]+\.\w+", span):
            assert any((place / span).exists() for place in (ROOT, PACKAGE)), f"{named(document)}: {span}"


def _names(file: Path) -> set[str]:
    """Classes, functions, and methods as `Class.method`."""
    names: set[str] = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            inner = (it for it in node.body if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef))
            names |= {f"{node.name}.{it.name}" for it in inner}
    return names


def test_architecture_names_every_package() -> None:
    [(_, picture)] = blocks_in_order((DOCS / "architecture.md").read_text())
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}

    assert sorted(packages - set(re.findall(r"\w+", picture))) == []

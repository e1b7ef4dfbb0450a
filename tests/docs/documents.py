"""What the documents say, for the tests that hold them to it."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Those at the top, all under docs/, and what explains the benchmarks.
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "bench" / "README.md"])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    """How a test calls the document."""
    return str(path.relative_to(ROOT))


def blocks_in_order(text: str) -> list[tuple[str, str]]:
    """All blocks of code, each with its kind."""
    return [(found[1], found[2]) for found in _FENCE.finditer(text)]


def blocks(text: str, kind: str) -> list[str]:
    """The blocks of code of this kind, such as `sh`."""
    return [found[2] for found in _FENCE.finditer(text) if found[1] == kind]


def prose(text: str) -> str:
    """The text without its blocks of code."""
    return _FENCE.sub("", text)


def section(text: str, title: str) -> str:
    """What stands under a heading of the second order."""
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def code_spans(text: str) -> Iterator[str]:
    for found in re.finditer(r"`([^`\n]+)`", prose(text)):
        yield found[1]

"""The words of the code are those of the field (docs/glossary.md has them): no private language comes back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What each stood for is in docs/glossary.md under its usual name.
OLD_WORDS = frozenset(
    (
        *("room", "rooms", "house", "houses", "door", "doors", "face", "faces", "floor", "floors", "lane", "lanes"),
        *("gate", "gates", "turnstile", "visitor", "visitors", "guest", "guests", "holder", "holders", "desk", "desks"),
        *("letter", "letters", "refusal", "refusals", "told", "tell", "tells", "telling", "hearing", "beside"),
        *("whoever", "whom", "anew", "newcomer", "newcomers", "ticket", "tickets", "teaming", "books"),
    )
)
# Where a word is the usual one: the text around it, in which it does not count.
USUAL = (
    r"math\.floor",
    # Names that stay because somebody has stored or configured them: a setting, metrics, tables and columns, a job.
    r"gate_queue",
    r"dream_gate_\w+",
    r"audit_books(\.book)?",
    r"gate\.purge",
    r"\bo\.ticket\b|\bticket(?==1|\"|\b.? AND)|<= ticket\b",
    r"ClickHouse",
    r"sqlalchemy\.sql\.visitors",
    r"first-letter",
    r"letters? and digits?",
    r"(small|capital|lower-?case|upper-?case|dead)[- ]letters?",
)
# Activities with a name of their own in the field.
ACTIVITIES = frozenset(("dunning", "onboarding", "pricing", "rounding", "usage_rating"))
FOLDERS = ("src", "docs", "tests")
_IGNORED = re.compile("versions|__pycache__|node_modules")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_USUAL = re.compile("|".join(USUAL), re.IGNORECASE)


def texts() -> Iterator[Path]:
    kinds = {".py", ".html", ".txt", ".md", ".js", ".css", ".svg"}
    for top in ("src", "docs"):
        for path in sorted((ROOT / top).rglob("*")):
            # Landed migrations are frozen, and the most common passwords are data.
            if path.suffix in kinds and "versions" not in path.parts and path.name != "commonest.txt":
                yield path
    yield from sorted([*ROOT.glob("*.md"), *(ROOT / "bench").rglob("*.md")])


def old_words(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        found = {word.lower() for word in _WORD.findall(_USUAL.sub("", line))} & OLD_WORDS
        if found:
            yield f"{number}: {', '.join(sorted(found))}: {line.strip()}"


def test_the_old_vocabulary_is_gone() -> None:
    found = [f"{path.relative_to(ROOT)}:{line}" for path in texts() for line in old_words(path.read_text())]

    assert not found, f"{len(found)} lines use words that nobody else would search for:\n" + "\n".join(found)


def test_file_names_are_free_of_it_too() -> None:
    names = (str(path.relative_to(ROOT)) for top in FOLDERS for path in sorted((ROOT / top).rglob("*.*")))
    found = [name for name in names if not _IGNORED.search(name) and list(old_words(name.replace("_", " ")))]

    assert not found


def test_files_named_by_an_activity_name_one_of_the_field() -> None:
    found = {path.stem for path in (ROOT / "src").rglob("*ing.py")}

    assert found <= ACTIVITIES, "Name the file by the noun that it holds: somebody searches for that."


@pytest.mark.parametrize(
    "line", ["class HouseRules:", "the_house = 1", "It is told once.", "def tell_all()", "LETTERS = 1"]
)
def test_words_are_found_in_names_and_sentences(line: str) -> None:
    assert list(old_words(line))


@pytest.mark.parametrize(
    "line", ["warehouse", "dead letters", "letters and digits", "interface", "DREAM_GATE_QUEUE", "ClickHouse"]
)
def test_usual_words_are_left_alone(line: str) -> None:
    assert not list(old_words(line))

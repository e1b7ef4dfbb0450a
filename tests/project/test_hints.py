"""Every error has a hint, which says more than its sentence."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dream_api.app
from dream_api.cli import main
from dream_api.core.console import CommandError
from dream_api.core.errors import all_error_types
from tests.support.cases import each_case

for _command in main.COMMANDS:
    main.load_command(_command)
PACKAGE = Path(dream_api.__file__).parent
# Those of the product: tests define some of their own.
REFUSALS = {kind.__name__: kind for kind in all_error_types() if kind.__module__.startswith(dream_api.__name__)}
# What is put together as it is raised; tests of the gate look at these.
COMPUTED = "…computed…"


def is_of_use(hint: str, sentence: str) -> bool:
    """A whole sentence (or several), with a word at least that was not said before."""
    return bool(_words(hint) - _words(sentence)) and hint == hint.strip() and hint[-1] in ".…"


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


@each_case("name", sorted(REFUSALS))
def test_every_refusal_says_what_to_do_next(name: str) -> None:
    assert is_of_use(REFUSALS[name].hint or "", REFUSALS[name].code.replace("_", " "))


# Class, sentence and hint of an error, by the place where it is raised.
Places = dict[str, tuple[str, str, str]]


@pytest.fixture(scope="module")
def places() -> Places:
    """Of the whole package: parsing it takes seconds, which only the process that runs these tests spends."""
    return {place: (name, sentence, hint) for place, name, sentence, hint in raised()}


def raised() -> Iterator[tuple[str, str, str, str]]:
    """Where an error is raised, its class, sentence and hint."""
    names = {*REFUSALS, CommandError.__name__}
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text())
        known = dict(_constants(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and (name := _name(node.func)) in names:
                own = REFUSALS[name].hint if name in REFUSALS else ""
                given = next((word.value for word in node.keywords if word.arg == "hint"), None)
                place = f"{file.relative_to(PACKAGE)}:{node.lineno}"
                yield place, name, _text(node.args[0], known), own if given is None else _text(given, known)


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(node.value, {})
            if text != COMPUTED:
                yield node.targets[0].id, text


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(node: ast.expr, known: dict[str, str]) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, known) for part in parts)
        case ast.Name(id=name):
            return known.get(name, COMPUTED)
        case ast.Attribute(value=owner, attr="hint") if _name(owner) in REFUSALS:
            return REFUSALS[_name(owner)].hint
        case _:
            return COMPUTED


def test_the_places_are_found(places: Places) -> None:
    assert len(places) > 50
    assert {name for name, _, _ in places.values()} >= {
        "ValidationFailed",
        "NotFound",
        "TierLimitReached",
        CommandError.__name__,
    }


def test_a_hint_says_more_than_its_sentence(places: Places) -> None:
    assert [
        f"{place}: {sentence} / {hint}"
        for place, (_, sentence, hint) in places.items()
        if hint != COMPUTED and not is_of_use(hint, sentence)
    ] == []

"""No regular expression of the package takes more than linear time (ReDoS)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import dream_api
from dream_api.app import create_app
from dream_api.core.settings import Settings
from tests.support.patterns.adversary import Attack
from tests.support.patterns.regex_finder import Found, find_patterns

_PACKAGE = Path(dream_api.__file__).parent

# Each takes polynomially or exponentially long on some text, when it is used by this method.
_BAD: tuple[tuple[str | bytes, str], ...] = (
    (rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*", "fullmatch"),  # header lines, once
    (r"bytes=\s*([0-9]{0,15})\s*-\s*([0-9]{0,15})\s*", "fullmatch"),  # the header Range, once
    (r"a*a*b", "match"),
    (r".*,.*x", "match"),
    (r"(\w+)\d+!", "fullmatch"),
    (r"(?i)[a-z]*K*1", "match"),
    (r"(.*?,){11}P", "match"),
    (r"(\d+)x?\1!", "fullmatch"),
    (r"\s+$", "search"),
    (r"\s*+$", "search"),
    (r"x*y", "search"),
    (r"[\w.]+@\w+", "search"),
    (r"<!--.*?-->", "sub"),
    (r"a(?:[ab]*c)?", "split"),
    (r"(?=a*b)", "finditer"),
    (r"^\s*x", "search"),
    (r"(a+)+b", "match"),
    (r"(a*)*b", "match"),
    (r"(a|a)*b", "match"),
    (r"(a|ab?|b)*c", "match"),
    (r"(?:\s*,\s*)*;", "fullmatch"),
    (r"(?:x(?:a?|b?))*c", "fullmatch"),
    (r"^(\w+\s?)*$", "search"),
)
_MULTILINE = {r"^\s*x"}
_GOOD: tuple[tuple[str | bytes, str], ...] = (
    (r"\s*+([0-9]{0,15}+)\s*+-\s*+", "fullmatch"),
    (r"(?>\s*)[0-9]{0,15}(?>\s*)-", "match"),
    (r"[^a-z]+", "sub"),
    (r"`[^`]+`", "sub"),
    (r"(a+b)+c", "match"),
    (r"^[^@\s]+@[^@\s]+$", "search"),
    (r"(?:[a-z]+\.)*[a-z]+", "fullmatch"),
    (r"([ab])\1", "match"),
    (r"[0-9]{3}[0-9]{3}", "fullmatch"),
    (rb"<\s*[!?/a-z]", "search"),
    (r"(?m)^[a-z]+:(.+?\.)(?:\s|$)", "search"),
)


@pytest.fixture(scope="module")
def found() -> Found:
    return find_patterns(_PACKAGE, "dream_api")


def test_every_pattern_of_the_package_can_be_determined(found: Found) -> None:
    assert found.unknown == []
    assert len(found.uses) > 40


def test_no_text_can_be_read_by_a_pattern_in_more_ways_the_longer_it_is(found: Found) -> None:
    assert [
        f"{use.where} {use.method}: {use.pattern.pattern!r} on {ambiguities[0]}"
        for use in found.uses
        if (ambiguities := Attack(use.pattern, use.method).ambiguities())
    ] == []


def test_no_pattern_takes_long_on_text_that_was_made_against_it(found: Found) -> None:
    distinct = {(use.pattern, use.method): use for use in found.uses}.values()
    assert [
        f"{use.where} {use.method}: {use.pattern.pattern!r}: {slow}"
        for use in distinct
        if (slow := Attack(use.pattern, use.method).slow()) is not None
    ] == []


@pytest.mark.rest
def test_slow_patterns_are_known_by_their_ambiguity_and_by_their_time() -> None:
    attacks = [Attack(re.compile(pattern, _flags(pattern)), method) for pattern, method in _BAD]
    assert [attack.pattern.pattern for attack in attacks if not attack.ambiguities()] == []
    assert [attack.pattern.pattern for attack in attacks if attack.slow() is None] == []


def _flags(pattern: str | bytes) -> int:
    return re.MULTILINE if pattern in _MULTILINE else 0


def test_exponential_growth_with_the_pattern_is_known_by_its_time() -> None:
    assert Attack(re.compile(r"(a?){24}a{24}"), "match").slow() is not None


def test_linear_patterns_pass() -> None:
    attacks = [Attack(re.compile(pattern), method) for pattern, method in _GOOD]
    assert [attack.pattern.pattern for attack in attacks if attack.ambiguities() or attack.slow()] == []


_MODULE = r"""
import re as regular
from re import compile as made, IGNORECASE
from typing import Annotated, ClassVar
from pydantic import BaseModel, Field, StringConstraints

_LABEL = "[a-z]"
_TOP = regular.compile(rf"{_LABEL}+top", regular.IGNORECASE | regular.ASCII)
_HANDED_ON = made(_LABEL + "handed")
_EVERYTHING = [_HANDED_ON]

class Model(BaseModel):
    _OWN: ClassVar[str] = "own"
    name: str = Field(pattern=_LABEL + "field")
    other: Annotated[str, StringConstraints(pattern="constraint")]
    last: ClassVar[object] = made(_OWN + "class")
    schema: ClassVar[dict] = {"type": "string", "pattern": "^schema$"}

class Convertor:
    regex = "[0-9]+convertor"

def inside(text, middleware):
    part = "in" + "side"
    middleware(allow_origin_regex="https://origin")
    regular.sub(part, "", text, 0, IGNORECASE)
    regular.compile(b"bytes").search(text) or _TOP.fullmatch(text)
    return [one for one in made("iterated").finditer(text)]
"""


def _read(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str) -> Found:
    package = folder / name
    package.mkdir()
    (package / "__init__.py").write_text(source)
    monkeypatch.syspath_prepend(folder)
    return find_patterns(package, name)


def test_patterns_are_found_wherever_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _read(tmp_path, monkeypatch, "written_patterns", _MODULE)
    assert found.unknown == []
    assert {(use.pattern.pattern, use.method) for use in found.uses} == {
        ("[a-z]+top", "fullmatch"),
        ("[a-z]handed", "search"),
        ("[a-z]handed", "fullmatch"),
        ("[a-z]field", "search"),
        ("constraint", "search"),
        ("ownclass", "search"),
        ("ownclass", "fullmatch"),
        ("^schema$", "search"),
        ("[0-9]+convertor", "search"),
        ("https://origin", "search"),
        ("inside", "sub"),
        (b"bytes", "search"),
        ("iterated", "finditer"),
    }
    flags = {use.pattern.pattern: use.pattern.flags for use in found.uses}
    assert flags["[a-z]+top"] == re.IGNORECASE | re.ASCII
    assert flags["inside"] & re.IGNORECASE


@pytest.mark.parametrize(
    "line",
    [
        "def f(pattern): return re.compile(pattern)",
        "def f(text, *given): return re.sub(*given)",
        "def f(text, **given): return re.search(**given)",
        "def f(flag): return re.compile('a', flag)",
        "def f(text):\n    part = 'a'\n    part += text\n    return re.match(part, text)",
        "F = [re.compile(part) for part in ('a', 'b')]",
        "for part in ('a', 'b'): re.compile(part)",
        "for part in ('a', 'b'):\n    whole = part + '+'\n    re.compile(whole)",
        "F = re",
        "F = getattr(re, 'compile')",
        "F = re.compile",
        "F = re.template",
        "from re import Scanner",
        "import fnmatch",
        "from sre_compile import compile",
        "def f(column, text): return column.regexp_match(text)",
        "def f(Field, told): return Field(**told)",
        "def f(Query, told): return Query(pattern=told)",
        "def f(told): return {'type': 'string', 'pattern': told}",
    ],
)
def test_a_pattern_that_cannot_be_determined_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, request: pytest.FixtureRequest
) -> None:
    name = f"unknown_pattern_{request.node.callspec.indices['line']}"
    found = _read(tmp_path, monkeypatch, name, f"import re\n\n{line}\n")
    assert len(found.unknown) == 1
    assert found.unknown[0].startswith(f"{name}/__init__.py:")


def test_every_pattern_of_the_openapi_document_is_among_them(found: Found, tmp_path: Path) -> None:
    written = set(_patterns_in(create_app(Settings(data=tmp_path, instance_key=SecretStr("ab" * 32))).openapi()))
    assert written
    assert written <= {use.pattern.pattern for use in found.uses}


def _patterns_in(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name == "pattern" and isinstance(value, str):
                yield value
            yield from _patterns_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _patterns_in(value)

"""The glossary has every name of the API: paths, and the prefixes of ids."""

import json
import re
from typing import Any

import httpx2 as httpx
import pytest

from tests.docs.documents import DOCS, code_spans

GLOSSARY = (DOCS / "glossary.md").read_text()
# An id or a secret as examples show them: cus_01k9…, sk_test_…, prj_….
_PREFIX = re.compile(r"\b([a-z]{2,5}_)(?=…|01|test_|live_)")
_LONGEST = 200


@pytest.fixture(params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """The OpenAPI document does not come from a database: one is enough."""
    return request.param


@pytest.fixture
async def openapi(api: httpx.AsyncClient) -> dict[str, Any]:
    return (await api.get("/openapi.json")).json()


def _is_covered(path: str, named: set[str]) -> bool:
    """By its own name, or by that of the resource it belongs to."""
    return any(path == name or path.startswith(name + "/") for name in named)


async def test_every_path_of_the_api_is_in_the_glossary(openapi: dict[str, Any]) -> None:
    named = {span for span in code_spans(GLOSSARY) if span.startswith("/")}

    assert len(openapi["paths"]) > len(named)
    assert [path for path in openapi["paths"] if not _is_covered(path, named)] == []


async def test_every_path_of_the_glossary_is_in_the_api(openapi: dict[str, Any]) -> None:
    named = {span for span in code_spans(GLOSSARY) if span.startswith("/")} - {"/account"}

    assert [name for name in named if not any(_is_covered(path, {name}) for path in openapi["paths"])] == []


async def test_every_prefix_of_the_api_is_in_the_glossary(openapi: dict[str, Any]) -> None:
    prefixes = set(_PREFIX.findall(json.dumps(openapi, ensure_ascii=False)))

    assert {"cus_", "plt_", "sk_", "tier_"} <= prefixes
    assert sorted(prefixes - set(code_spans(GLOSSARY))) == []


def test_every_word_is_explained_once_in_a_line() -> None:
    rows = [line.strip("|").split(" | ") for line in GLOSSARY.splitlines() if line.startswith("| ")]
    words = [row[0].strip() for row in rows if row[0].strip() not in ("Word", "---")]

    assert sorted({word for word in words if words.count(word) > 1}) == []
    assert all(row[-1].strip() for row in rows)
    assert max(len(row[-1]) for row in rows) < _LONGEST

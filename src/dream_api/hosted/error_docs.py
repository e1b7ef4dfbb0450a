"""Documentation pages of error codes: `docs/errors/<code>.md`, rendered."""

import re
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from dream_api.core.errors import NotFound
from dream_api.core.html.renderer import TemplateRenderer

router = APIRouter(include_in_schema=False)

_PAGES = TemplateRenderer("dream_api.hosted")
_HERE = Path(__file__).resolve().parent
# In an installed package next to this file, in a checkout in docs/.
_PLACES = (_HERE / "errors", _HERE.parents[2] / "docs" / "errors")
# How every page begins: "**Status 422.** What happened. More of it."
_BEGINNING = re.compile(r"^\*\*Status (\d{3})\.\*\* (.+?\.)(?:\s|$)", re.MULTILINE)
# How the files link to each other.
_LINK = re.compile(r'href="(\w+)\.md"')


@dataclass(frozen=True, slots=True)
class Document:
    """A page as the list of all of them shows it, and its HTML."""

    code: str
    # "422 Unprocessable Content"
    status: str
    sentence: str
    body: str


def folder() -> Path:
    return next(place for place in _PLACES if place.is_dir())


@router.get("/docs/errors")
async def list_errors() -> HTMLResponse:
    return HTMLResponse(_PAGES.render("errors.html", documents=list(_documents().values())))


@router.get("/docs/errors/{code}")
async def explain_error(code: str) -> HTMLResponse:
    document = _documents().get(code)
    if document is None:
        raise NotFound("Error code not found.", param="code", hint="/docs/errors lists all codes.")
    return HTMLResponse(_PAGES.render("error.html", title=code, body=document.body))


@cache
def _documents() -> dict[str, Document]:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - sixty modules, for those who read these pages

    markdown = MarkdownIt()
    return {path.stem: _read(path, markdown) for path in sorted(folder().glob("*.md"))}


def _read(path: Path, markdown: Any) -> Document:
    text = path.read_text()
    beginning = _BEGINNING.search(text)
    if beginning is None:
        raise ValueError(f"{path} does not begin with its status and a sentence.")
    status = HTTPStatus(int(beginning[1]))
    body = _LINK.sub(r'href="/docs/errors/\1"', markdown.render(text))
    return Document(path.stem, f"{status.value} {status.phrase}", beginning[2], body)

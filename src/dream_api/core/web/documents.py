"""The pages that explain error codes: `docs/errors/<code>.md`, rendered."""

from functools import cache
from pathlib import Path

from fastapi import APIRouter
from markdown_it import MarkdownIt
from starlette.responses import HTMLResponse

from dream_api.core.errors import NotFound
from dream_api.core.web import pages

router = APIRouter(include_in_schema=False)

_HERE = Path(__file__).resolve().parent
# In an installed package beside this file, in a checkout in docs/.
_PLACES = (_HERE / "errors", _HERE.parents[3] / "docs" / "errors")


def folder() -> Path:
    return next(place for place in _PLACES if place.is_dir())


@router.get("/docs/errors")
async def list_errors() -> HTMLResponse:
    codes = sorted(path.stem for path in folder().glob("*.md"))
    return HTMLResponse(pages.render("errors.html", codes=codes))


@router.get("/docs/errors/{code}")
async def explain_error(code: str) -> HTMLResponse:
    page = _rendered().get(code)
    if page is None:
        raise NotFound("There is no such error code.", param="code", hint="See /docs/errors for all of them.")
    return HTMLResponse(pages.render("document.html", title=code, body=page))


@cache
def _rendered() -> dict[str, str]:
    markdown = MarkdownIt()
    return {path.stem: markdown.render(path.read_text()) for path in folder().glob("*.md")}

"""Shared by all sandbox pages: rendering, security headers, redirects and error pages."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Path, Request
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dream_api import catalog, platforms
from dream_api.billing import display
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import AppError
from dream_api.core.html import format as formats
from dream_api.core.html.renderer import TemplateRenderer
from dream_api.gateways.contract import GatewayAccount
from dream_api.gateways.sandbox import CARDS
from dream_api.hosted.headers import HEADERS, POLICY
from dream_api.hosted.sandbox import card_form

Id = Annotated[str, Path(alias="id", max_length=255, pattern=r"^[^\x00]*$")]

_PAGES = TemplateRenderer(
    "dream_api.hosted.sandbox",
    amount=formats.format_amount,
    day=formats.day,
    every=catalog.describe_interval,
    instant=formats.format_time,
    mood=display.status_tone,
    number=card_form.grouped,
    quantity=formats.number,
    rfc3339=clock.rfc3339,
    status=display.status_label,
)
_SEE_OTHER = 303
# What a Content-Security-Policy can name; it knows no IPv6.
_NAMEABLE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.:")


class PageRoute(APIRoute):
    """Formats numbers and dates as the browser's language does; an error is a page as well, with the same headers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            with formats.in_locale(formats.negotiate_locale(request.headers.get("accept-language", ""))):
                try:
                    return await handle(request)
                except AppError as error:
                    return _refused(request, error)

        return answer


def page(template: str, status: int = 200, *, leads_to: tuple[str, ...] = (), **values: Any) -> Response:
    """`leads_to`: where a form of the page may send people, besides our own pages."""
    # Browsers hold a form's policy also against the redirect that answers it.
    targets = " ".join(["'self'", *sorted({_source(url) for url in leads_to})])
    headers = {**HEADERS, "Content-Security-Policy": POLICY + targets}
    return HTMLResponse(_PAGES.render(template, cards=CARDS, **values), status, headers)


def redirect(url: str) -> Response:
    """What was asked for is done: the browser gets the page that shows it."""
    return RedirectResponse(url, _SEE_OTHER, HEADERS)


async def seller_of(tx: Tx, account: GatewayAccount) -> str:
    """The seller's name, as customers know it."""
    project = await platforms.find_project(tx, account.project_id)
    return project.name


def _refused(request: Request, error: AppError) -> Response:
    response = page("error.html", error.status, error=error, seller="Sandbox", request_id=request.state.request_id)
    response.headers.update(error.headers)
    return response


def _source(url: str) -> str:
    """The URL's origin as the policy names it."""
    parts = urlsplit(url)
    is_nameable = _NAMEABLE.issuperset(parts.netloc.lower())
    return f"{parts.scheme}://{parts.netloc}" if is_nameable else f"{parts.scheme}:"

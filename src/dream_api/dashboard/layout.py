"""The layout of dashboard pages: navigation, rendering, redirects and error pages."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dream_api.auth.browser_sessions import SignedInUser, SignInRequired
from dream_api.core import clock
from dream_api.core.errors import AppError, NotFound, ValidationFailed
from dream_api.core.html import format as words
from dream_api.core.html.renderer import TemplateRenderer
from dream_api.dashboard import charts
from dream_api.dashboard.dependencies import PlatformContext, ProjectContext
from dream_api.platforms import Permission

_HERE = "dream_api.dashboard"
_SEE_OTHER = 303
_LOST = "Check the address, or begin at the dashboard."
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex",
}
# What a page may be shown with; sections add filters of their own.
_FILTERS: dict[str, Callable[..., Any]] = {
    "ago": words.ago,
    "amount": words.format_amount,
    "amounts": words.amounts,
    "compact": words.compact,
    "day": words.day,
    "filled": charts.progress,
    "instant": words.instant,
    "major": words.major,
    "number": words.number,
    "percent": words.percent,
    "rfc3339": clock.rfc3339,
    "tone": charts.severity,
}


@dataclass(frozen=True, slots=True)
class NavItem:
    """A line of the navigation; `here` is what pages say to be marked."""

    here: str
    label: str
    path: str
    # Who sees the line: the page itself refuses the others.
    permission: Permission = "view"
    only_for: str | None = None


# Behind /dashboard/{projectId}/{mode}; those of a platform behind /dashboard/{platformId}.
_IN_PROJECT: tuple[tuple[str, tuple[NavItem, ...]], ...] = (
    (
        "",
        (
            NavItem("overview", "Overview", ""),
            NavItem("customers", "Customers", "/customers"),
            NavItem("usage", "Usage", "/usage", only_for="saas"),
        ),
    ),
    (
        "Sell",
        (
            NavItem("tiers", "Tiers", "/tiers", only_for="saas"),
            NavItem("tiers", "Products", "/tiers", only_for="store"),
            NavItem("subscriptions", "Subscriptions", "/subscriptions", only_for="saas"),
            NavItem("orders", "Orders", "/orders", only_for="store"),
        ),
    ),
    (
        "Build",
        (
            NavItem("keys", "Keys", "/keys"),
            NavItem("events", "Events", "/events"),
            NavItem("settings", "Project settings", "/settings", "sell"),
        ),
    ),
)
_AT_PLATFORM: tuple[NavItem, ...] = (
    NavItem("projects", "Projects", "/projects"),
    NavItem("team", "Members", "/team"),
    NavItem("level", "Level", "/level"),
    NavItem("log", "Security log", "/security-log", "manage"),
    NavItem("platform", "Settings", "/settings", "manage"),
)
_OF_OPERATOR: tuple[NavItem, ...] = (
    NavItem("platforms", "Platforms", "/operator/platforms"),
    NavItem("levels", "Levels", "/operator/levels"),
    NavItem("mail", "Mail", "/operator/mail"),
)


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str
    is_here: bool


def project_url(visit: ProjectContext, path: str = "") -> str:
    return f"/dashboard/{visit.project.id}/{visit.mode}{path}"


def navigation(visit: PlatformContext, here: str) -> list[tuple[str, list[Link]]]:
    """The groups of links that the role allows; those of a project stay while its platform is looked at."""
    groups: list[tuple[str, list[Link]]] = []
    back = visit.current.return_query(visit.projects) if visit.current else ""
    if visit.current is not None:
        for label, entries in _IN_PROJECT:
            shown = [entry for entry in entries if entry.only_for in (None, visit.current.project.type)]
            groups.append((label, _links(visit, shown, visit.current.url, here)))
    groups.append(("Team", _links(visit, _AT_PLATFORM, f"/dashboard/{visit.platform_id}", here, back)))
    if visit.is_operators:
        groups.append(("Instance", _links(visit, _OF_OPERATOR, "/dashboard", here, back)))
    return groups


def _links(
    visit: PlatformContext, entries: tuple[NavItem, ...] | list[NavItem], base: str, here: str, back: str = ""
) -> list[Link]:
    return [Link(one.label, base + one.path + back, one.here == here) for one in entries if visit.may(one.permission)]


class PageRenderer:
    """Renders the pages of one section in the dashboard's layout; templates extend `dashboard.html`."""

    def __init__(self, package: str, **filters: Callable[..., Any]) -> None:
        self._pages = TemplateRenderer(package, _HERE, **{**_FILTERS, **filters})

    def render(self, visit: PlatformContext, template: str, *, here: str, status: int = 200, **values: Any) -> Response:
        """The page; `here` names the line of the navigation that it belongs to."""
        context = {
            "visit": visit,
            "here": here,
            "groups": navigation(visit, here),
            "in_project": isinstance(visit, ProjectContext),
            "base": project_url(visit) if isinstance(visit, ProjectContext) else f"/dashboard/{visit.platform_id}",
            "csrf": visit.user.csrf,
        }
        return HTMLResponse(self._pages.render(template, **context, **values), status, _HEADERS)

    def render_public(
        self, template: str, user: SignedInUser | None = None, *, status: int = 200, csrf: str = "", **values: Any
    ) -> Response:
        """A page without navigation, of `plain.html`: for those who are not signed in, or not at work on a platform."""
        csrf = csrf if user is None else user.csrf
        return HTMLResponse(self._pages.render(template, user=user, csrf=csrf, **values), status, _HEADERS)


def redirect(url: str) -> Response:
    """What was asked for is done: the browser gets the page that shows it."""
    return RedirectResponse(url, _SEE_OTHER, {"Cache-Control": "no-store"})


_own = PageRenderer("dream_api.dashboard")


class PageRoute(APIRoute):
    """Who is not signed in is sent to do that; an error is a page as well."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                _refuse_nul(request)
                return await handle(request)
            except SignInRequired:
                asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                back = f"?next={quote(asked, safe='')}" if request.method == "GET" and asked != "/dashboard" else ""
                return redirect(f"/account/sign-in{back}")
            except RequestValidationError as problem:
                if all(error["loc"][0] != "path" for error in problem.errors()):
                    raise
                # An address that cannot be is one where nothing is.
                return _refused(request, NotFound("There is no such page.", hint=_LOST))
            except AppError as error:
                return _refused(request, error)

        return answer


def _refuse_nul(request: Request) -> None:
    """No text has one, and PostgreSQL takes none: not even to look for it."""
    if "\x00" in request.scope["path"]:
        raise NotFound("There is no such page.")
    if b"%00" in request.scope["query_string"]:
        raise ValidationFailed("What is asked for cannot be read.")


def _refused(request: Request, error: AppError) -> Response:
    response = _own.render_public("error.html", status=error.status, error=error, request_id=request.state.request_id)
    response.headers.update(error.headers)
    return response

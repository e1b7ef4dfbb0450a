"""The layout of dashboard pages: navigation, rendering, redirects and error pages."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dream_api import catalog
from dream_api.auth.browser_sessions import SignedInUser, SignInRequired
from dream_api.core import clock, metadata
from dream_api.core.errors import AppError, NotFound, ValidationFailed
from dream_api.core.html import format as formats
from dream_api.core.html.renderer import TemplateRenderer
from dream_api.dashboard import charts, price_format, statuses
from dream_api.dashboard.dependencies import PlatformContext, ProjectContext
from dream_api.platforms import Permission

_SEE_OTHER = 303
_LOST = "Check the address, or start from the dashboard."
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex",
}
# All pages have the same filters, and all templates are in one folder, with one of its own for each section.
_PAGES = TemplateRenderer(
    "dream_api.dashboard",
    ago=formats.ago,
    amount=formats.format_amount,
    amounts=formats.amounts,
    compact=formats.compact,
    day=formats.day,
    discount=price_format.format_discount,
    every=catalog.describe_interval,
    filled=charts.progress,
    instant=formats.instant,
    limit=price_format.format_limit,
    major=formats.major,
    number=formats.number,
    pairs=metadata.load,
    percent=formats.percent,
    price=price_format.format_price,
    rfc3339=clock.rfc3339,
    state=statuses.state,
    tone=charts.severity,
)


@dataclass(frozen=True, slots=True)
class NavItem:
    """A link of the navigation; a page is marked by its `here`."""

    here: str
    label: str
    path: str
    # Who sees the link; the page itself checks again.
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
            NavItem("tiers", "Plans", "/tiers", only_for="saas"),
            NavItem("tiers", "Products", "/tiers", only_for="store"),
            NavItem("subscriptions", "Subscriptions", "/subscriptions", only_for="saas"),
            NavItem("orders", "Orders", "/orders", only_for="store"),
        ),
    ),
    (
        "Build",
        (
            NavItem("keys", "API keys", "/keys"),
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
    NavItem("platform", "Platform settings", "/settings", "manage"),
)
_OF_OPERATOR: tuple[NavItem, ...] = (
    NavItem("platforms", "Platforms", "/operator/platforms"),
    NavItem("levels", "Levels", "/operator/levels"),
    NavItem("mail", "Emails", "/operator/mail", "manage"),
)


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str
    is_here: bool


def project_url(visit: ProjectContext, path: str = "") -> str:
    return visit.base + path


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


def render_page(visit: PlatformContext, template: str, *, here: str, status: int = 200, **values: Any) -> Response:
    """A page in the dashboard's layout (`dashboard.html`); `here` names its line of the navigation."""
    context = {
        "visit": visit,
        "here": here,
        "groups": navigation(visit, here),
        "in_project": isinstance(visit, ProjectContext),
        "base": visit.base,
        "csrf": visit.user.csrf,
        "sold": visit.sold if isinstance(visit, ProjectContext) else "",
        "real_now": visit.real_now,
    }
    if isinstance(visit, ProjectContext):
        context["project_now"] = visit.project_now
    return HTMLResponse(_PAGES.render(template, **context, **values), status, _HEADERS)


def render_public(
    template: str, user: SignedInUser | None = None, *, status: int = 200, csrf: str = "", **values: Any
) -> Response:
    """A page without navigation (`plain.html`): for those who are not signed in, or not on a platform's page."""
    csrf = csrf if user is None else user.csrf
    return HTMLResponse(_PAGES.render(template, user=user, csrf=csrf, real_now=clock.now(), **values), status, _HEADERS)


def redirect(url: str) -> Response:
    """After a form: the browser requests the page that shows the result."""
    return RedirectResponse(url, _SEE_OTHER, {"Cache-Control": "no-store"})


class PageRoute(APIRoute):
    """Redirects to the sign-in page those who are not signed in; an error is a page as well."""

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
                # A path that no page can have.
                return _refused(request, NotFound("Page not found.", hint=_LOST))
            except AppError as error:
                return _refused(request, error)

        return answer


def _refuse_nul(request: Request) -> None:
    """No text has one, and PostgreSQL takes none: not even to look for it."""
    if "\x00" in request.scope["path"]:
        raise NotFound("Page not found.")
    if b"%00" in request.scope["query_string"]:
        raise ValidationFailed("The query string is not valid.")


def _refused(request: Request, error: AppError) -> Response:
    response = render_public("error.html", status=error.status, error=error, request_id=request.state.request_id)
    response.headers.update(error.headers)
    return response

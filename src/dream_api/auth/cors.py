"""CORS: browsers on a developer's website may call some paths and read the response, from listed origins only.

Error responses may be read by every website; otherwise its developer would not see why the call failed.
"""

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dream_api import platforms
from dream_api.auth.principals import ProjectPrincipal
from dream_api.core.http import add_header

_READABLE = "Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
_SENT = "Authorization, Content-Type, Idempotency-Key, X-Publishable-Key"
_TWO_HOURS = "7200"
_ALLOWED = "Access-Control-Allow-Origin"
_EXPOSED = "Access-Control-Expose-Headers"
_FIRST_ERROR_STATUS = 400


def add_preflight_route(router: APIRouter, path: str, *methods: str) -> None:
    """Let browsers call the path from other websites.

    The preflight request carries no key and is always allowed; the call itself checks whether the origin is listed.
    """

    async def allow() -> Response:
        headers = {
            _ALLOWED: "*",
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": _SENT,
            "Access-Control-Max-Age": _TWO_HOURS,
        }
        return Response(status_code=204, headers=headers)

    router.add_api_route(path, allow, methods=["OPTIONS"], include_in_schema=False)


def allow_origin(request: Request, acting: ProjectPrincipal) -> None:
    """Let the calling website read the response; raises OriginNotAllowed where its origin is not listed."""
    add_header(request, "Vary", "Origin")
    origin = request.headers.get("origin")
    if origin is not None:
        platforms.require_allowed_origin(acting.project, acting.mode, origin)
        add_header(request, _ALLOWED, origin)
        add_header(request, _EXPOSED, _READABLE)


class CORSErrorMiddleware:
    """Middleware that lets every website read error responses, also those from before the key is known. They are safe
    to read: without cookies, which no website may send along, a website learns what any program would."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or all(name != b"origin" for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return

        async def send_readable(message: Message) -> None:
            is_error = message["type"] == "http.response.start" and message["status"] >= _FIRST_ERROR_STATUS
            if is_error and _is_open(scope):
                names = {name for name, _ in message["headers"]}
                more = [(name.lower().encode(), value.encode()) for name, value in _ERROR_HEADERS.items()]
                message["headers"] = [*message["headers"], *(pair for pair in more if pair[0] not in names)]
            await send(message)

        await self._app(scope, receive, send_readable)


_ERROR_HEADERS = {_ALLOWED: "*", _EXPOSED: _READABLE}


def _is_open(scope: Scope) -> bool:
    """Whether the path has a preflight route."""
    asking = {**scope, "method": "OPTIONS"}
    return any(_may_be_asked(route) and route.matches(asking)[0] is Match.FULL for route in scope["app"].routes)


def _may_be_asked(route: BaseRoute) -> bool:
    """Whether the route may answer OPTIONS, whatever its path; a mount of several routes may."""
    methods = getattr(route, "methods", None)
    return methods is None or "OPTIONS" in methods

"""Calls that browsers make from a developer's website: asked about before, and answered to listed origins only."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import platforms
from dream_api.core.http import add_header
from dream_api.gate.acting import Acting

_READABLE = "Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
_SENT = "Authorization, Content-Type, Idempotency-Key, X-Publishable-Key"
_TWO_HOURS = "7200"


def open_to_browsers(router: APIRouter, path: str, *methods: str) -> None:
    """Let browsers call the path from other websites.

    Before a call they ask in general, without a key; whether this website may is decided with the call itself.
    """

    async def allow() -> Response:
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": _SENT,
            "Access-Control-Max-Age": _TWO_HOURS,
        }
        return Response(status_code=204, headers=headers)

    router.add_api_route(path, allow, methods=["OPTIONS"], include_in_schema=False)


def admit_website(request: Request, acting: Acting) -> None:
    """Lets the website read the answer that the call came from; raises OriginNotAllowed where it is not listed."""
    add_header(request, "Vary", "Origin")
    origin = request.headers.get("origin")
    if origin is not None:
        platforms.refuse_browser(acting.project, acting.mode, origin)
        add_header(request, "Access-Control-Allow-Origin", origin)
        add_header(request, "Access-Control-Expose-Headers", _READABLE)

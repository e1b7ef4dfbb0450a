"""Protection against cross-site request forgery: tokens in forms, and calls by cookie from own pages only."""

import hashlib
import hmac
from typing import Protocol
from urllib.parse import urlsplit

from fastapi import Request

from dream_api.core.http import CSRFFailed, Form, read_form
from dream_api.core.settings import Settings


class HasToken(Protocol):
    """A user or page viewer whose forms carry a CSRF token."""

    @property
    def csrf(self) -> str: ...


# An editor's, with a row for each price and limit.
_LARGEST_FORM = 262_144
_MOST_FIELDS = 500
_HINT = "Send the request from a page of this instance, or use a personal token instead of the cookie."


def csrf_token_for(session_token: str) -> str:
    """The CSRF token of a session's forms: only its pages and the server can know it."""
    return hashlib.sha256(b"form of " + session_token.encode()).hexdigest()


def require_own_page(request: Request, settings: Settings) -> None:
    """Raises CSRFFailed unless the browser's headers say that a page of this instance made the call."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_ours = origin == instance_origin(settings) if site is None else site == "same-origin"
    if not is_ours:
        raise CSRFFailed(
            "The request has a session cookie, but does not come from a page of this instance.", hint=_HINT
        )


def instance_origin(settings: Settings) -> str:
    """The instance's own origin, as browsers send it in the Origin header."""
    parts = urlsplit(settings.link_base)
    return f"{parts.scheme}://{parts.netloc}"


async def read_csrf_form(request: Request, user: HasToken) -> Form:
    """The fields of the form without its CSRF token; raises CSRFFailed where that is not the user's."""
    form = await read_form(request, largest=_LARGEST_FORM, most_fields=_MOST_FIELDS)
    if not hmac.compare_digest(form.pop("csrf", "").encode(), user.csrf.encode()):
        raise CSRFFailed("The form has expired or is not from this session.")
    return form

"""Protection against cross-site request forgery: tokens in forms, and calls by cookie from own pages only."""

import hashlib
import hmac
from typing import Protocol
from urllib.parse import urlsplit

from fastapi import Request

from dream_api.core.errors import Forbidden
from dream_api.core.http import CSRFRejected, Form, read_form
from dream_api.core.settings import Settings


class HasToken(Protocol):
    """Somebody whose forms carry a token that no other website knows."""

    @property
    def csrf(self) -> str: ...


# An editor's, with a row for each price and limit.
_LARGEST_FORM = 262_144
_MOST_FIELDS = 500


class CrossSiteCall(Forbidden):
    code = "foreign_call"
    hint = "Call from a page of this instance, or with a personal token instead of the cookie."


def csrf_of(session_token: str) -> str:
    """What a form must carry to be this session's own: only its pages and the server can know it."""
    return hashlib.sha256(b"form of " + session_token.encode()).hexdigest()


def refuse_foreign_call(request: Request, settings: Settings) -> None:
    """Browsers say from where a call comes; without that word a cookie changes nothing."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_ours = origin == origin_of(settings) if site is None else site == "same-origin"
    if not is_ours:
        raise CrossSiteCall("A session's cookie came with a call that no page of this instance made.")


def origin_of(settings: Settings) -> str:
    """The instance's own origin, as browsers tell it."""
    parts = urlsplit(settings.link_base)
    return f"{parts.scheme}://{parts.netloc}"


async def read_csrf_form(request: Request, visitor: HasToken) -> Form:
    """The form, where it comes from a page that this visitor was shown; raises ForeignForm."""
    form = await read_form(request, largest=_LARGEST_FORM, most_fields=_MOST_FIELDS)
    if not hmac.compare_digest(form.pop("csrf", "").encode(), visitor.csrf.encode()):
        raise CSRFRejected("The form is not one of this session's.")
    return form

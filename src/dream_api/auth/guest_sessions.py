"""Who looks at a page that is there for everybody: somebody signed in, or a guest whose forms are known as well."""

import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from dream_api.auth.authenticator import Authenticator
from dream_api.auth.browser_sessions import SignedInUser, SignInRequired, cookie_of, require_signed_in
from dream_api.auth.csrf import csrf_of
from dream_api.core.http import CSRFRejected, Form, read_form, require_same_origin
from dream_api.core.http.dependencies import settings_of, state_of
from dream_api.core.settings import Settings

_LONGEST = 100
_SIGNED_IN_SECONDS = 30 * 86_400


@dataclass(frozen=True, slots=True)
class AnonymousVisitor:
    """`secret`: what the browser keeps and no other website knows, of which its forms carry the digest."""

    visitor: SignedInUser | None
    csrf: str
    secret: str


async def _guest(request: Request) -> AnonymousVisitor:
    settings = settings_of(request)
    try:
        visitor = await require_signed_in(request)
        return AnonymousVisitor(visitor, visitor.csrf, "")
    except SignInRequired:
        pass
    if request.method not in ("GET", "HEAD"):
        require_same_origin(request.headers, settings.link_base)
    kept = request.cookies.get(own_name(settings, "dream_form"), "")
    secret = kept if len(kept) <= _LONGEST else ""
    if request.method in ("GET", "HEAD"):
        secret = secret or secrets.token_urlsafe(24)
    return AnonymousVisitor(None, csrf_of(secret) if secret else "", secret)


AnyGuest = Annotated[AnonymousVisitor, Depends(_guest)]


async def read_guest_form(request: Request, guest: AnonymousVisitor) -> Form:
    """The form, where it comes from a page that this browser was shown; raises ForeignForm."""
    form = await read_form(request)
    if not guest.csrf or not hmac.compare_digest(form.pop("csrf", "").encode(), guest.csrf.encode()):
        raise CSRFRejected("The form is not one that this browser was shown.")
    return form


def own_name(settings: Settings, name: str) -> str:
    """A cookie's name; over TLS one that browsers take from this very host alone."""
    return f"__Host-{name}" if settings.link_base.startswith("https:") else name


def set_cookie(request: Request, answer: Response, name: str, text: str, *, seconds: int | None = None) -> Response:
    """The browser keeps the text, where no script and no other website's form can reach it."""
    settings = settings_of(request)
    answer.set_cookie(
        own_name(settings, name),
        text,
        max_age=seconds,
        path="/",
        secure=settings.link_base.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


def keep_secret(request: Request, answer: Response, guest: AnonymousVisitor) -> Response:
    """To be called on every page with a form for guests."""
    return set_cookie(request, answer, "dream_form", guest.secret) if guest.secret else answer


def set_session_cookie(request: Request, answer: Response, token: str) -> Response:
    """The browser is signed in, in a session that it did not have before."""
    delete_cookie(request, answer, "dream_form")
    return set_cookie(request, answer, "dream_session", token, seconds=_SIGNED_IN_SECONDS)


def delete_cookie(request: Request, answer: Response, name: str) -> Response:
    """The browser keeps it no longer."""
    return set_cookie(request, answer, name, "", seconds=0)


async def session_left(request: Request) -> tuple[str, str] | None:
    """The ids of the user and the session in which the browser is signed in."""
    authenticator: Authenticator = state_of(request, "authenticator")
    session = await authenticator.session(request.cookies.get(cookie_of(settings_of(request)), ""))
    return None if session is None else (session.user_id, session.id)

"""Public pages: their viewers, signed in or anonymous, the CSRF cookie of their forms, and cookies in general."""

import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from dream_api.auth.authenticator import Authenticator
from dream_api.auth.browser_sessions import SignedInUser, SignInRequired, require_signed_in, session_cookie_name
from dream_api.auth.csrf import csrf_token_for
from dream_api.core.http import CSRFFailed, Form, read_form, require_same_origin
from dream_api.core.http.dependencies import settings_of, state_of
from dream_api.core.settings import Settings

_LONGEST = 100
_SIGNED_IN_SECONDS = 30 * 86_400


@dataclass(frozen=True, slots=True)
class PageViewer:
    """Somebody who looks at a public page, signed in (`user`) or anonymous.

    `secret`: the text of an anonymous viewer's form cookie, whose hash is the CSRF token of their forms.
    """

    user: SignedInUser | None
    csrf: str
    secret: str


async def _page_viewer(request: Request) -> PageViewer:
    settings = settings_of(request)
    try:
        user = await require_signed_in(request)
        return PageViewer(user, user.csrf, "")
    except SignInRequired:
        pass
    if request.method not in ("GET", "HEAD"):
        require_same_origin(request.headers, settings.link_base)
    kept = request.cookies.get(cookie_name(settings, "dream_form"), "")
    secret = kept if len(kept) <= _LONGEST else ""
    if request.method in ("GET", "HEAD"):
        secret = secret or secrets.token_urlsafe(24)
    return PageViewer(None, csrf_token_for(secret) if secret else "", secret)


AnyViewer = Annotated[PageViewer, Depends(_page_viewer)]


async def read_public_form(request: Request, viewer: PageViewer) -> Form:
    """The fields of the form without its CSRF token; raises CSRFFailed where that is not the viewer's."""
    form = await read_form(request)
    if not viewer.csrf or not hmac.compare_digest(form.pop("csrf", "").encode(), viewer.csrf.encode()):
        raise CSRFFailed("The form has expired or is not from this browser.")
    return form


def cookie_name(settings: Settings, name: str) -> str:
    """The cookie's name; over TLS with the prefix `__Host-`, so that browsers accept it from this host only."""
    return f"__Host-{name}" if settings.link_base.startswith("https:") else name


def set_cookie(request: Request, answer: Response, name: str, text: str, *, seconds: int | None = None) -> Response:
    """The browser keeps the text, where no script and no other website's form can reach it."""
    settings = settings_of(request)
    answer.set_cookie(
        cookie_name(settings, name),
        text,
        max_age=seconds,
        path="/",
        secure=settings.link_base.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


def set_form_cookie(request: Request, answer: Response, viewer: PageViewer) -> Response:
    """Set an anonymous viewer's form cookie; to be called on every public page with a form."""
    return set_cookie(request, answer, "dream_form", viewer.secret) if viewer.secret else answer


def set_session_cookie(request: Request, answer: Response, token: str) -> Response:
    """Sign the browser in with a new session; its form cookie is deleted."""
    delete_cookie(request, answer, "dream_form")
    return set_cookie(request, answer, "dream_session", token, seconds=_SIGNED_IN_SECONDS)


def delete_cookie(request: Request, answer: Response, name: str) -> Response:
    """Delete the cookie in the browser."""
    return set_cookie(request, answer, name, "", seconds=0)


async def current_session_ids(request: Request) -> tuple[str, str] | None:
    """The user id and session id of the session cookie; None where nobody is signed in."""
    authenticator: Authenticator = state_of(request, "authenticator")
    session = await authenticator.find_session(request.cookies.get(session_cookie_name(settings_of(request)), ""))
    return None if session is None else (session.user_id, session.id)

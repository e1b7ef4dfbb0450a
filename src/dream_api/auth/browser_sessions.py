"""Sessions of browsers: a developer who is signed in, by the cookie that their browser sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from dream_api import platforms
from dream_api.accounts import Session
from dream_api.auth.authenticator import Authenticator
from dream_api.auth.csrf import csrf_of, refuse_foreign_call
from dream_api.core.errors import Unauthorized
from dream_api.core.http import require_same_origin
from dream_api.core.http.dependencies import settings_of, state_of
from dream_api.core.settings import Settings
from dream_api.platforms import Membership

_READING = ("GET", "HEAD")


class SignInRequired(Unauthorized):
    code = "sign_in_required"
    hint = "Sign in under /account/sign-in; programs send a key or a personal token instead."


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """Somebody who is signed in. `csrf`: what every form of theirs carries."""

    session: Session
    csrf: str
    memberships: Sequence[Membership]

    @property
    def caller(self) -> str:
        """Whose idempotency keys these are."""
        return f"user:{self.session.user_id}"

    def membership_on(self, platform_id: str) -> Membership | None:
        return next((each for each in self.memberships if each.platform.id == platform_id), None)


def cookie_of(settings: Settings) -> str:
    """The session cookie's name; over TLS one that browsers take from this very host alone."""
    return "__Host-dream_session" if settings.link_base.startswith("https:") else "dream_session"


async def require_signed_in(request: Request) -> SignedInUser:
    """Raises SignInRequired; refuses forms that another website sent, also with the visitor's own cookie."""
    visitor = await signed_in(request)
    if visitor is None:
        raise SignInRequired("Nobody is signed in.")
    if request.method not in _READING:
        require_same_origin(request.headers, settings_of(request).link_base)
    return visitor


async def signed_in(request: Request) -> SignedInUser | None:
    """Whoever is signed in, if anybody."""
    authenticator: Authenticator = state_of(request, "authenticator")
    sent = request.cookies.get(cookie_of(settings_of(request)), "")
    session = await authenticator.session(sent)
    if session is None:
        return None
    await authenticator.touch_session(session)
    async with authenticator.database.read() as tx:
        memberships = await platforms.memberships_of(tx, session.user_id)
    return SignedInUser(session, csrf_of(sent), memberships)


async def session_from_cookie(request: Request) -> SignedInUser | None:
    """Whoever calls the API by the cookie of their session; None where no cookie came.

    Raises SignInRequired for a session that is over, ForeignCall where another website may have made the call.
    """
    settings = settings_of(request)
    if cookie_of(settings) not in request.cookies:
        return None
    visitor = await signed_in(request)
    if visitor is None:
        raise SignInRequired("The session is over.")
    if request.method not in _READING:
        refuse_foreign_call(request, settings)
    return visitor


SignedIn = Annotated[SignedInUser, Depends(require_signed_in)]

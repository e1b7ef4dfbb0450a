"""Browser sessions: the signed-in user of a session cookie."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from dream_api import platforms
from dream_api.accounts import Session
from dream_api.auth.authenticator import Authenticator
from dream_api.auth.csrf import csrf_token_for, require_own_page
from dream_api.core.errors import Unauthorized
from dream_api.core.http import require_same_origin
from dream_api.core.http.dependencies import settings_of, state_of
from dream_api.core.settings import Settings
from dream_api.platforms import Membership

_READING = ("GET", "HEAD")


class SignInRequired(Unauthorized):
    code = "sign_in_required"
    hint = "Sign in at /account/sign-in. Programs send an API key or a personal token instead."


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """Somebody who is signed in. `csrf`: what every form of theirs carries."""

    session: Session
    csrf: str
    memberships: Sequence[Membership]

    @property
    def caller(self) -> str:
        """The owner of the request's idempotency keys."""
        return f"user:{self.session.user_id}"

    def membership_on(self, platform_id: str) -> Membership | None:
        return next((each for each in self.memberships if each.platform.id == platform_id), None)


def session_cookie_name(settings: Settings) -> str:
    """The session cookie's name; over TLS one that browsers take from this very host alone."""
    return "__Host-dream_session" if settings.link_base.startswith("https:") else "dream_session"


async def require_signed_in(request: Request) -> SignedInUser:
    """The signed-in user; raises SignInRequired, and CSRFFailed for forms that another website sent."""
    user = await find_signed_in_user(request)
    if user is None:
        raise SignInRequired("Sign in to continue.")
    if request.method not in _READING:
        require_same_origin(request.headers, settings_of(request).link_base)
    return user


async def find_signed_in_user(request: Request) -> SignedInUser | None:
    """The user whose session the cookie names; None where nobody is signed in."""
    authenticator: Authenticator = state_of(request, "authenticator")
    sent = request.cookies.get(session_cookie_name(settings_of(request)), "")
    session = await authenticator.find_session(sent)
    if session is None:
        return None
    await authenticator.touch_session(session)
    async with authenticator.database.read() as tx:
        memberships = await platforms.memberships_of(tx, session.user_id)
    return SignedInUser(session, csrf_token_for(sent), memberships)


async def session_from_cookie(request: Request) -> SignedInUser | None:
    """The user who calls the API by their session cookie; None where no cookie came.

    Raises SignInRequired for a session that is over, CSRFFailed where another website may have made the call.
    """
    settings = settings_of(request)
    if session_cookie_name(settings) not in request.cookies:
        return None
    user = await find_signed_in_user(request)
    if user is None:
        raise SignInRequired("Your session has expired.")
    if request.method not in _READING:
        require_own_page(request, settings)
    return user


SignedIn = Annotated[SignedInUser, Depends(require_signed_in)]

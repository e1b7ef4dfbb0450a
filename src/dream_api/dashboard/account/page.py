"""Shared by account pages: rendering, cookies, audit actors and starting sessions."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote

from fastapi import Request
from starlette.responses import Response

from dream_api import accounts, identity, platforms
from dream_api.accounts import User
from dream_api.audit import Actor
from dream_api.auth.browser_sessions import SignedInUser
from dream_api.auth.public_pages import (
    PageViewer,
    cookie_name,
    delete_cookie,
    set_cookie,
    set_form_cookie,
    set_session_cookie,
)
from dream_api.auth.rate_limit import client_address
from dream_api.core import clock
from dream_api.core.db import Database, Tx
from dream_api.core.http import Form
from dream_api.core.settings import Settings
from dream_api.dashboard.forms import FormErrors
from dream_api.dashboard.layout import redirect, render_public
from dream_api.identity import PasswordHasher

HOME = "/dashboard"
INVITATIONS = "/account/invitations"
INVALID = 422
# The browser that has shown its password, and has a code to show.
CODE_COOKIE = "dream_code"
# Where somebody wanted to go before they made an account, and who it is that may sign in now.
NEXT_COOKIE, ADDRESS_COOKIE = "dream_next", "dream_address"
# With the token that was emailed to the invited address.
_INVITATION = "/account/invitation/"
_CODE_MINUTES = 10
_ADDRESS_SECONDS = 600
_LONGEST_PATH = 2_000


def page(request: Request, viewer: PageViewer, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page for everybody, whose forms this browser may send."""
    shown = render_public(f"account/{template}", viewer.user, status=status, csrf=viewer.csrf, **values)
    return set_form_cookie(request, shown, viewer)


def form_page(template: str) -> Callable[[SignedInUser, Form, FormErrors], Response]:
    """Shows a form of the signed-in user once more, with what was typed but secrets."""

    def again(user: SignedInUser, form: Form, problems: FormErrors) -> Response:
        return render_public(f"account/{template}", user, status=INVALID, form=without_secrets(form), problems=problems)

    return again


def without_secrets(form: Form) -> Form:
    """What was typed, without what nobody may see again."""
    return {name: value for name, value in form.items() if name not in ("password", "current", "code")}


def own_path(text: str) -> str:
    """The path, where it is one of ours; the dashboard, where it leads elsewhere or cannot be understood."""
    is_own = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if is_own and text.isascii() and text.isprintable() and len(text) <= _LONGEST_PATH else HOME


async def invited_address(tx: Tx, path: str) -> str | None:
    """The email address of the invitation at the path; None where the path leads to no open invitation."""
    if path.startswith(_INVITATION):
        with suppress(platforms.InvitationExpired):
            return (await platforms.find_invitation(tx, path.removeprefix(_INVITATION))).email
    return None


def address_of(request: Request) -> str:
    return client_address(request.scope) or ""


def actor_of(request: Request, user_id: str, email: str) -> Actor:
    return Actor("user", user_id, email, address_of(request))


def actor(request: Request, user: SignedInUser) -> Actor:
    return actor_of(request, user.session.user_id, user.session.email)


async def begin_session(tx: Tx, request: Request, user: User, how: str) -> str:
    """The text of a new session; `how` they came stands in the log."""
    agent = request.headers.get("user-agent", "")
    opened = await accounts.start_session(tx, user, address=address_of(request), agent=agent)
    by = actor_of(request, user.id, user.email)
    await platforms.audit_for_user(tx, user.id, "session.opened", by=by, about=opened.id, details={"how": how})
    return opened.token


async def complete_sign_in(tx: Tx, request: Request, user: User, how: str, path: str) -> Response:
    """To where they wanted to go, or to their open invitations; who has a second factor shows a code first."""
    if path == HOME and user.verified_at is not None and await platforms.list_open_invitations(tx, user.email):
        path = INVITATIONS
    if await identity.has_second_factor(tx, user.id):
        lasts = _CODE_MINUTES * clock.MINUTE
        token = await identity.issue_link(tx, accounts.CODE_LINK, user.id, lasts=lasts, payload=path)
        return set_cookie(request, redirect("/account/code"), CODE_COOKIE, token, seconds=_CODE_MINUTES * 60)
    return set_session_cookie(request, redirect(path), await begin_session(tx, request, user, how))


def read_cookie(request: Request, settings: Settings, cookie: str) -> str:
    """The value of a cookie that this instance set; empty where it is missing."""
    return request.cookies.get(cookie_name(settings, cookie), "")


def to_sign_in(request: Request, settings: Settings, done: str, email: str, path: str = "") -> Response:
    """Redirects to the sign-in page with the email address filled in, which is kept out of the URL.

    `path`: where to go afterwards; without it, where they wanted to go before they made an account.
    """
    path = path or own_path(unquote(read_cookie(request, settings, NEXT_COOKIE)))
    back = "" if path == HOME else f"&next={quote(path, safe='')}"
    answer = delete_cookie(request, redirect(f"/account/sign-in?done={done}{back}"), NEXT_COOKIE)
    return set_cookie(request, answer, ADDRESS_COOKIE, quote(email), seconds=_ADDRESS_SECONDS)


async def require_password(
    request: Request, db: Database, passwords: PasswordHasher, user: SignedInUser, form: Form
) -> None:
    """Re-authenticates the signed-in user by their password; raises ValidationFailed."""
    user_id, database = user.session.user_id, db
    try:
        await accounts.confirm_password(database, passwords, user_id, form.get("current", ""))
    except accounts.PasswordIncorrect as error:
        if error.locks:
            async with database.write() as tx:
                await platforms.audit_for_user(tx, user_id, "account.locked", by=actor(request, user))
        raise

"""`/account`: a developer's profile, sessions and personal tokens."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, identity, platforms
from dream_api.auth.browser_sessions import SignedIn, SignedInUser
from dream_api.auth.csrf import read_csrf_form
from dream_api.auth.token_roles import lower_role
from dream_api.core import clock
from dream_api.core.db import Row
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.account.page import actor
from dream_api.dashboard.account.user_agents import browser_named
from dream_api.dashboard.layout import PageRoute, redirect, render_public
from dream_api.platforms import Membership

router = APIRouter(prefix="/account", route_class=PageRoute, include_in_schema=False)

_DONE = {
    "name": "Name changed.",
    "email": "Check the inbox of the new address: open the link we sent there to confirm the change.",
    "password": "Password changed. All other sessions are signed out.",
    "session": "Session signed out.",
    "sessions": "All other sessions are signed out.",
    "factor-off": "Two-factor authentication is off.",
    "token": "Token revoked.",
}


@dataclass(frozen=True, slots=True)
class SessionRow:
    id: str
    browser: str
    address: str
    last_used_at: int
    is_this: bool


@dataclass(frozen=True, slots=True)
class TokenRow:
    """`role`: what it may do now."""

    id: str
    name: str
    shown: str
    platform: str
    role: str
    expires_at: int | None
    last_used_at: int | None


@router.get("")
async def show_account(db: Db, user: SignedIn, done: str = "") -> Response:
    user_id = user.session.user_id
    async with db.read() as tx:
        account = await accounts.find_user(tx, user_id)
        sessions = await accounts.list_sessions(tx, user_id)
        tokens = await accounts.list_user_tokens(tx, user_id)
        has_factor = await identity.has_second_factor(tx, user_id)
        codes_left = await identity.count_recovery_codes(tx, user_id)
        invitations = await platforms.list_open_invitations(tx, user.session.email)
    now = clock.now()
    open_ones = [row for row in sessions if row.expires_at > now]
    working = [row for row in tokens if row.revoked_at is None and (row.expires_at is None or row.expires_at > now)]
    own = {each.platform.no: each for each in user.memberships}
    return render_public(
        "account/account.html",
        user,
        account=account,
        notice=_DONE.get(done, ""),
        sessions=[_session(row, user) for row in open_ones],
        tokens=[_token(row, own[row.platform_no]) for row in working if row.platform_no in own],
        has_factor=has_factor,
        codes_left=codes_left,
        has_invitations=user.session.is_verified and bool(invitations),
    )


def _session(row: Row[Any], user: SignedInUser) -> SessionRow:
    is_this = row.id == user.session.id
    return SessionRow(row.id, browser_named(row.agent), row.address, row.last_used_at, is_this)


def _token(row: Row[Any], membership: Membership) -> TokenRow:
    role = lower_role(row.role, membership.role)
    return TokenRow(row.id, row.name, row.shown, membership.platform.name, role, row.expires_at, row.last_used_at)


@router.post("/sessions/end")
async def end_other_sessions(request: Request, db: Db, user: SignedIn) -> Response:
    await read_csrf_form(request, user)
    session = user.session
    async with db.write() as tx:
        await accounts.end_sessions(tx, session.user_id, but=(session.id,))
        await platforms.audit_for_user(tx, session.user_id, "sessions.ended", by=actor(request, user))
    return redirect("/account?done=sessions")


@router.post("/sessions/{session_id}/end")
async def end_session(request: Request, db: Db, user: SignedIn, session_id: str) -> Response:
    await read_csrf_form(request, user)
    user_id = user.session.user_id
    async with db.write() as tx:
        await accounts.end_session(tx, user_id, session_id)
        by = actor(request, user)
        await platforms.audit_for_user(tx, user_id, "session.ended", by=by, about=session_id)
    return redirect("/account?done=session")

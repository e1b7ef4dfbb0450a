"""`/account/invitation/{token}`: accept an invitation to a team."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from dream_api import platforms
from dream_api.auth.browser_sessions import SignedIn, find_signed_in_user
from dream_api.auth.csrf import read_csrf_form
from dream_api.auth.rate_limit import client_address
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.layout import PageRoute, redirect, render_public
from dream_api.dashboard.platform.page import ROLE_WORDS, unreferred
from dream_api.tenancy import membership

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Token = Annotated[str, Path(max_length=100, pattern="^[A-Za-z0-9_-]+$")]


@router.get("/account/invitation/{token}")
async def show_invitation(request: Request, db: Db, token: Token) -> Response:
    user = await find_signed_in_user(request)
    async with db.read() as tx:
        invitation = await platforms.find_invitation(tx, token)
    shown = render_public(
        "platform/invitation.html",
        user,
        invitation=invitation,
        words=ROLE_WORDS[invitation.role],
        here=f"/account/invitation/{token}",
        is_theirs=user is not None and user.session.email == invitation.email,
    )
    return unreferred(shown)


@router.post("/account/invitation/{token}")
async def accept(request: Request, db: Db, settings: SettingsDep, user: SignedIn, token: Token) -> Response:
    await read_csrf_form(request, user)
    mode = settings.home_mode
    async with db.write() as tx:
        address = client_address(request.scope)
        platform = await membership.accept(tx, token, user.session, mode, address=address)
    return redirect(f"/dashboard/{platform.id}/projects")

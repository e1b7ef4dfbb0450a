"""`/account/invitations`: the open invitations of the signed-in user's address."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from dream_api import platforms
from dream_api.auth.browser_sessions import SignedIn, SignedInUser
from dream_api.auth.rate_limit import client_address
from dream_api.core.db import Database
from dream_api.core.errors import AppError
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.forms import SentForm, submits
from dream_api.dashboard.layout import PageRoute, render_public
from dream_api.dashboard.platform.page import ROLE_WORDS
from dream_api.tenancy import membership

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/account/invitations")

InvitationId = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]*$")]


@router.get("")
async def list_invitations(db: Db, user: SignedIn) -> Response:
    return await _show(db, user)


async def _show(db: Database, user: SignedInUser, error: AppError | None = None) -> Response:
    async with db.read() as tx:
        waiting = await platforms.list_open_invitations(tx, user.session.email) if user.session.is_verified else ()
    return render_public(
        "platform/invitations.html",
        user,
        status=200 if error is None else error.status,
        invitations=waiting,
        role_words=ROLE_WORDS,
        error=error,
    )


@submits(router, "/{invitation_id}/accept", _show, errors=AppError)
async def accept(
    request: Request, db: Db, settings: SettingsDep, user: SignedIn, invitation_id: InvitationId, form: SentForm
) -> str:
    """The invitation was sent to the address that the user has verified: its link proves nothing more."""
    address = client_address(request.scope)
    async with db.write() as tx:
        platform = await membership.accept_waiting(tx, invitation_id, user.session, settings.home_mode, address=address)
    return f"/dashboard/{platform.id}/projects"


@submits(router, "/{invitation_id}/decline", _show, errors=AppError)
async def decline(request: Request, db: Db, user: SignedIn, invitation_id: InvitationId, form: SentForm) -> str:
    async with db.write() as tx:
        await membership.decline(tx, invitation_id, user.session, address=client_address(request.scope))
    return "/account/invitations"

"""`/account/sign-up`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dream_api import accounts
from dream_api.accounts.views.showing import (
    INVALID,
    address_of,
    database_of,
    kept,
    own_path,
    page,
    passwords_of,
    told,
)
from dream_api.core.errors import Forbidden, Refusal
from dream_api.core.settings import Settings
from dream_api.dashboard.frame import PageRoute, see
from dream_api.gate.guests import AnyGuest, read_guest_form

router = APIRouter(prefix="/account", route_class=PageRoute, include_in_schema=False)

Next = Annotated[str, Query(max_length=2_000)]


class SignUpClosed(Forbidden):
    code = "sign_up_closed"
    hint = "Ask somebody who works here to invite you, or whoever runs this instance."


@router.get("/sign-up")
async def show_sign_up(request: Request, guest: AnyGuest, next: Next = "") -> Response:
    path = own_path(next)
    if guest.visitor is not None:
        return see(path)
    _refuse_closed(request, path)
    return page(request, guest, "sign_up.html", form={"next": path}, problems={}, provider=request.app.state.provider)


@router.post("/sign-up")
async def sign_up(request: Request, guest: AnyGuest) -> Response:
    form = await read_guest_form(request, guest)
    path = own_path(form.get("next", ""))
    _refuse_closed(request, path)
    try:
        await accounts.sign_up(
            database_of(request),
            passwords_of(request),
            email=form.get("email", ""),
            name=form.get("name", ""),
            password=form.get("password", ""),
            address=address_of(request),
        )
    except Refusal as refusal:
        shown = {"form": {**kept(form), "next": path}, "problems": told(refusal)}
        return page(request, guest, "sign_up.html", status=INVALID, **shown, provider=request.app.state.provider)
    return page(request, guest, "signed_up.html", email=form["email"], next=path)


def _refuse_closed(request: Request, path: str) -> None:
    """Who was invited comes with the invitation as the place to go to afterwards."""
    settings: Settings = request.app.state.settings
    is_invited = settings.sign_up == "invited" and path.startswith("/account/invitation/")
    if settings.sign_up != "open" and not is_invited:
        raise SignUpClosed("New accounts are not open to everybody here.")

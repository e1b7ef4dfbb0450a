"""`/account/reset`: another password by a link that only the owner of the address gets."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, identity, platforms
from dream_api.auth.dependencies import PasswordsDep
from dream_api.auth.guest_sessions import AnyGuest, drop, read_guest_form
from dream_api.core.errors import ValidationFailed
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.account.page import INVALID, actor_of, address_of, kept, page, to_sign_in, told
from dream_api.dashboard.layout import PageRoute

router = APIRouter(prefix="/account/reset", route_class=PageRoute, include_in_schema=False)


@router.get("")
async def show_reset(request: Request, guest: AnyGuest) -> Response:
    email = "" if guest.visitor is None else guest.visitor.session.email
    return page(request, guest, "reset.html", form={"email": email}, problems={})


@router.post("")
async def ask(request: Request, db: Db, guest: AnyGuest) -> Response:
    """The same answer and the same work for every address: whether somebody has it, the job finds out."""
    form = await read_guest_form(request, guest)
    try:
        email = accounts.proper_email(form.get("email", ""))
    except ValidationFailed as refusal:
        return page(request, guest, "reset.html", status=INVALID, form=kept(form), problems=told(refusal))
    async with db.write() as tx:
        await accounts.ask_for_reset(tx, email, address_of(request))
    return page(request, guest, "reset_asked.html", email=email)


@router.get("/{token}")
async def show_link(request: Request, db: Db, guest: AnyGuest, token: str) -> Response:
    async with db.read() as tx:
        await identity.look_up_link(tx, accounts.RESET_LINK, token)
    return page(request, guest, "reset_link.html", token=token, problems={})


@router.post("/{token}")
async def reset(
    request: Request, db: Db, settings: SettingsDep, passwords: PasswordsDep, guest: AnyGuest, token: str
) -> Response:
    form = await read_guest_form(request, guest)
    async with db.read() as tx:
        link = await identity.look_up_link(tx, accounts.RESET_LINK, token)
        user = await accounts.find_user(tx, link.subject)
    try:
        password = identity.proper_password(form.get("password", ""), "" if user is None else user.email)
    except ValidationFailed as refusal:
        return page(request, guest, "reset_link.html", status=INVALID, token=token, problems=told(refusal))
    hashed = await passwords.hash(password)
    async with db.write() as tx:
        owner = await accounts.reset_password(tx, token, hashed)
        await accounts.notify(tx, owner.email, "Your password was changed")
        by = actor_of(request, owner.id, owner.email)
        await platforms.record_of_person(tx, owner.id, "password.reset", by=by)
    return drop(request, to_sign_in(request, settings, "reset", owner.email), "dream_session")

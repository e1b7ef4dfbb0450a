"""`/account/name`, `/email`, `/password` and `/close`: what people change of their accounts."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, audit, identity, platforms
from dream_api.auth.browser_sessions import SignedIn, Visitor
from dream_api.auth.csrf import read_own_form
from dream_api.auth.dependencies import PasswordsDep
from dream_api.auth.guest_sessions import drop
from dream_api.auth.principals import Developer
from dream_api.core.db import Database, Tx
from dream_api.core.errors import Refusal, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard.account.page import INVALID, actor, frame, kept, prove, told
from dream_api.dashboard.layout import PageRoute, see
from dream_api.identity import Passwords
from dream_api.platforms import Membership
from dream_api.tenancy import membership as teaming
from dream_api.tenancy.membership import Changing

router = APIRouter(prefix="/account", route_class=PageRoute, include_in_schema=False)

Change = Callable[[Request, Visitor, Form], Awaitable[Response]]


async def _change(request: Request, visitor: Visitor, template: str, change: Change) -> Response:
    """Does what the form asks for; the form again, with the reason, where that is refused."""
    form = await read_own_form(request, visitor)
    try:
        return await change(request, visitor, form)
    except Refusal as refusal:
        return frame.plain(template, visitor, status=INVALID, form=kept(form), problems=told(refusal))


@router.get("/name")
async def show_name(visitor: SignedIn) -> Response:
    return frame.plain("name.html", visitor, form={"name": visitor.session.name}, problems={})


@router.post("/name")
async def change_name(request: Request, db: Db, visitor: SignedIn) -> Response:
    return await _change(request, visitor, "name.html", partial(_rename, db))


async def _rename(db: Database, request: Request, visitor: Visitor, form: Form) -> Response:
    async with db.write() as tx:
        await accounts.rename(tx, visitor.session.user_id, form.get("name", ""))
        by = actor(request, visitor)
        await platforms.record_of_person(tx, visitor.session.user_id, "user.changed", by=by)
    return see("/account?done=name")


@router.get("/email")
async def show_email(visitor: SignedIn) -> Response:
    return frame.plain("email.html", visitor, form={}, problems={})


@router.post("/email")
async def change_email(request: Request, db: Db, passwords: PasswordsDep, visitor: SignedIn) -> Response:
    return await _change(request, visitor, "email.html", partial(_ask_for_email, db, passwords))


async def _ask_for_email(
    db: Database, passwords: Passwords, request: Request, visitor: Visitor, form: Form
) -> Response:
    """Whether somebody has the address is told by the letter's link alone, to whom reads its mail."""
    email = accounts.proper_email(form.get("email", ""))
    await prove(request, db, passwords, visitor, form)
    async with db.write() as tx:
        await accounts.ask_to_verify(tx, visitor.session.user_id, email)
    return see("/account?done=email")


@router.get("/password")
async def show_password(visitor: SignedIn) -> Response:
    return frame.plain("password.html", visitor, form={}, problems={})


@router.post("/password")
async def change_password(request: Request, db: Db, passwords: PasswordsDep, visitor: SignedIn) -> Response:
    return await _change(request, visitor, "password.html", partial(_set_password, db, passwords))


async def _set_password(db: Database, passwords: Passwords, request: Request, visitor: Visitor, form: Form) -> Response:
    session = visitor.session
    password = identity.proper_password(form.get("password", ""), session.email)
    await prove(request, db, passwords, visitor, form)
    hashed = await passwords.hash(password)
    async with db.write() as tx:
        await accounts.set_password(tx, session.user_id, hashed, but=session.id)
        await accounts.notify(tx, session.email, "Your password was changed")
        by = actor(request, visitor)
        await platforms.record_of_person(tx, session.user_id, "password.changed", by=by)
    return see("/account?done=password")


@router.get("/close")
async def show_close(visitor: SignedIn) -> Response:
    return frame.plain("close.html", visitor, form={}, problems={})


@router.post("/close")
async def close(
    request: Request, db: Db, settings: SettingsDep, passwords: PasswordsDep, visitor: SignedIn
) -> Response:
    return await _change(request, visitor, "close.html", partial(_close, db, settings, passwords))


async def _close(
    db: Database, settings: Settings, passwords: Passwords, request: Request, visitor: Visitor, form: Form
) -> Response:
    session = visitor.session
    if form.get("email", "").lower() != session.email:
        raise ValidationFailed("That is not the address of this account.", param="email")
    await prove(request, db, passwords, visitor, form)
    by = actor(request, visitor)
    async with db.write() as tx:
        # As they are now: somebody may have been let in or put out since the visitor was read.
        memberships = await platforms.memberships_of(tx, session.user_id)
        for membership in sorted(memberships, key=lambda each: each.platform.id):
            await _leave(tx, request, settings, visitor, membership)
        await accounts.close(tx, session.user_id)
        await audit.record(tx, session.user_id, "user.deleted", by=by)
    return drop(request, see("/account/sign-in?done=closed"), "dream_session")


async def _leave(tx: Tx, request: Request, settings: Settings, visitor: Visitor, membership: Membership) -> None:
    session, platform = visitor.session, membership.platform
    developer = Developer(platform, membership.role, visitor.caller, session.user_id, session.shown_name)
    changing = Changing(developer, actor(request, visitor), settings.home_mode)
    try:
        await teaming.leave(tx, changing, session.user_id)
    except platforms.LastOwner:
        sentence = f"Nobody would own {platform.name} without you. Hand it over or delete it first."
        raise ValidationFailed(sentence) from None

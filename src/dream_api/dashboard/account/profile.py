"""`/account/name`, `/email`, `/password` and `/close`: change or close an account."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, audit, identity, platforms
from dream_api.auth.browser_sessions import SignedIn, SignedInUser
from dream_api.auth.csrf import read_csrf_form
from dream_api.auth.dependencies import PasswordsDep
from dream_api.auth.principals import PlatformPrincipal
from dream_api.auth.public_pages import delete_cookie
from dream_api.core.db import Database, Tx
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard.account.page import INVALID, actor, form_errors, frame, require_password, without_secrets
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.identity import PasswordHasher
from dream_api.platforms import Membership
from dream_api.tenancy import membership as team_membership
from dream_api.tenancy.membership import TeamChange

router = APIRouter(prefix="/account", route_class=PageRoute, include_in_schema=False)

Change = Callable[[Request, SignedInUser, Form], Awaitable[Response]]


async def _change(request: Request, user: SignedInUser, template: str, change: Change) -> Response:
    """Does what the form asks for; the form again, with the reason, where that is refused."""
    form = await read_csrf_form(request, user)
    try:
        return await change(request, user, form)
    except AppError as error:
        return frame.render_public(
            template, user, status=INVALID, form=without_secrets(form), problems=form_errors(error)
        )


@router.get("/name")
async def show_name(user: SignedIn) -> Response:
    return frame.render_public("name.html", user, form={"name": user.session.name}, problems={})


@router.post("/name")
async def change_name(request: Request, db: Db, user: SignedIn) -> Response:
    return await _change(request, user, "name.html", partial(_rename, db))


async def _rename(db: Database, request: Request, user: SignedInUser, form: Form) -> Response:
    async with db.write() as tx:
        await accounts.rename_user(tx, user.session.user_id, form.get("name", ""))
        by = actor(request, user)
        await platforms.audit_for_user(tx, user.session.user_id, "user.changed", by=by)
    return redirect("/account?done=name")


@router.get("/email")
async def show_email(user: SignedIn) -> Response:
    return frame.render_public("email.html", user, form={}, problems={})


@router.post("/email")
async def change_email(request: Request, db: Db, passwords: PasswordsDep, user: SignedIn) -> Response:
    return await _change(request, user, "email.html", partial(_ask_for_email, db, passwords))


async def _ask_for_email(
    db: Database, passwords: PasswordHasher, request: Request, user: SignedInUser, form: Form
) -> Response:
    """Only the emailed link shows whether the address has an account, to the one who reads its mail."""
    email = accounts.normalize_email(form.get("email", ""))
    await require_password(request, db, passwords, user, form)
    async with db.write() as tx:
        await accounts.request_verification_email(tx, user.session.user_id, email)
    return redirect("/account?done=email")


@router.get("/password")
async def show_password(user: SignedIn) -> Response:
    return frame.render_public("password.html", user, form={}, problems={})


@router.post("/password")
async def change_password(request: Request, db: Db, passwords: PasswordsDep, user: SignedIn) -> Response:
    return await _change(request, user, "password.html", partial(_set_password, db, passwords))


async def _set_password(
    db: Database, passwords: PasswordHasher, request: Request, user: SignedInUser, form: Form
) -> Response:
    session = user.session
    password = identity.validate_password(form.get("password", ""), session.email)
    await require_password(request, db, passwords, user, form)
    hashed = await passwords.hash(password)
    async with db.write() as tx:
        await accounts.set_password(tx, session.user_id, hashed, but=session.id)
        await accounts.send_security_notice(tx, session.email, "Your password was changed")
        by = actor(request, user)
        await platforms.audit_for_user(tx, session.user_id, "password.changed", by=by)
    return redirect("/account?done=password")


@router.get("/close")
async def show_close(user: SignedIn) -> Response:
    return frame.render_public("close.html", user, form={}, problems={})


@router.post("/close")
async def close(request: Request, db: Db, settings: SettingsDep, passwords: PasswordsDep, user: SignedIn) -> Response:
    return await _change(request, user, "close.html", partial(_close, db, settings, passwords))


async def _close(
    db: Database, settings: Settings, passwords: PasswordHasher, request: Request, user: SignedInUser, form: Form
) -> Response:
    session = user.session
    if form.get("email", "").lower() != session.email:
        raise ValidationFailed("That is not the address of this account.", param="email")
    await require_password(request, db, passwords, user, form)
    by = actor(request, user)
    async with db.write() as tx:
        # As they are now: somebody may have been let in or put out since the user was read.
        memberships = await platforms.memberships_of(tx, session.user_id)
        for membership in sorted(memberships, key=lambda each: each.platform.id):
            await _leave(tx, request, settings, user, membership)
        await accounts.close_account(tx, session.user_id)
        await audit.record(tx, session.user_id, "user.deleted", by=by)
    return delete_cookie(request, redirect("/account/sign-in?done=closed"), "dream_session")


async def _leave(tx: Tx, request: Request, settings: Settings, user: SignedInUser, membership: Membership) -> None:
    session, platform = user.session, membership.platform
    developer = PlatformPrincipal(platform, membership.role, user.caller, session.user_id, session.shown_name)
    changing = TeamChange(developer, actor(request, user), settings.home_mode)
    try:
        await team_membership.leave(tx, changing, session.user_id)
    except platforms.LastOwner:
        sentence = f"Nobody would own {platform.name} without you. Hand it over or delete it first."
        raise ValidationFailed(sentence) from None

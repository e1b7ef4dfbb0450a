"""`/account/name`, `/email`, `/password` and `/close`: change or close an account."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, audit, identity, platforms
from dream_api.auth.browser_sessions import SignedIn, SignedInUser
from dream_api.auth.dependencies import PasswordsDep
from dream_api.auth.principals import PlatformPrincipal
from dream_api.auth.public_pages import delete_cookie
from dream_api.core.db import Tx
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard.account.page import actor, form_page, require_password
from dream_api.dashboard.forms import SentForm, submits
from dream_api.dashboard.layout import PageRoute, redirect, render_public
from dream_api.platforms import Membership
from dream_api.tenancy import membership as team_membership
from dream_api.tenancy.membership import TeamChange

router = APIRouter(prefix="/account", route_class=PageRoute, include_in_schema=False)


@router.get("/name")
async def show_name(user: SignedIn) -> Response:
    return render_public("account/name.html", user, form={"name": user.session.name}, problems={})


@submits(router, "/name", form_page("name.html"), errors=AppError)
async def change_name(request: Request, db: Db, user: SignedIn, form: SentForm) -> str:
    async with db.write() as tx:
        await accounts.rename_user(tx, user.session.user_id, form.get("name", ""))
        await platforms.audit_for_user(tx, user.session.user_id, "user.changed", by=actor(request, user))
    return "/account?done=name"


@router.get("/email")
async def show_email(user: SignedIn) -> Response:
    return render_public("account/email.html", user, form={}, problems={})


@submits(router, "/email", form_page("email.html"), errors=AppError)
async def change_email(request: Request, db: Db, passwords: PasswordsDep, user: SignedIn, form: SentForm) -> str:
    """Only the emailed link shows whether the address has an account, to the one who reads its mail."""
    email = accounts.normalize_email(form.get("email", ""))
    await require_password(request, db, passwords, user, form)
    async with db.write() as tx:
        await accounts.request_verification_email(tx, user.session.user_id, email)
    return "/account?done=email"


@router.get("/password")
async def show_password(user: SignedIn) -> Response:
    return render_public("account/password.html", user, form={}, problems={})


@submits(router, "/password", form_page("password.html"), errors=AppError)
async def change_password(request: Request, db: Db, passwords: PasswordsDep, user: SignedIn, form: SentForm) -> str:
    session = user.session
    password = identity.validate_password(form.get("password", ""), session.email)
    await require_password(request, db, passwords, user, form)
    hashed = await passwords.hash(password)
    async with db.write() as tx:
        await accounts.set_password(tx, session.user_id, hashed, but=session.id)
        await accounts.send_security_notice(tx, session.email, "Your password was changed")
        await platforms.audit_for_user(tx, session.user_id, "password.changed", by=actor(request, user))
    return "/account?done=password"


@router.get("/close")
async def show_close(user: SignedIn) -> Response:
    return render_public("account/close.html", user, form={}, problems={})


@submits(router, "/close", form_page("close.html"), errors=AppError)
async def close(
    request: Request, db: Db, settings: SettingsDep, passwords: PasswordsDep, user: SignedIn, form: SentForm
) -> Response:
    session = user.session
    if form.get("email", "").lower() != session.email:
        raise ValidationFailed("This is not the email address of this account.", param="email")
    await require_password(request, db, passwords, user, form)
    async with db.write() as tx:
        # As they are now: somebody may have been added or removed since the user was read.
        memberships = await platforms.memberships_of(tx, session.user_id)
        for membership in sorted(memberships, key=lambda each: each.platform.id):
            await _leave(tx, request, settings, user, membership)
        await accounts.close_account(tx, session.user_id)
        await audit.record(tx, audit.Stream(session.user_id), "user.deleted", by=actor(request, user))
    return delete_cookie(request, redirect("/account/sign-in?done=closed"), "dream_session")


async def _leave(tx: Tx, request: Request, settings: Settings, user: SignedInUser, membership: Membership) -> None:
    session, platform = user.session, membership.platform
    developer = PlatformPrincipal(platform, membership.role, user.caller, session.user_id, session.shown_name)
    changing = TeamChange(developer, actor(request, user), settings.home_mode)
    try:
        await team_membership.leave(tx, changing, session.user_id)
    except platforms.LastOwner:
        sentence = f"You are the only owner of {platform.name}. Transfer or delete it first."
        raise ValidationFailed(sentence) from None

"""`/account/sign-in`, its second step `/account/code`, and `/account/sign-out`."""

from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dream_api import accounts, identity, platforms
from dream_api.accounts import SignInFailed, User
from dream_api.auth.browser_sessions import SignedIn
from dream_api.auth.csrf import read_csrf_form
from dream_api.auth.dependencies import PasswordsDep, ProviderDep
from dream_api.auth.public_pages import AnyViewer, PageViewer, delete_cookie, read_public_form, set_session_cookie
from dream_api.billing.dependencies import InstanceKeyDep
from dream_api.core.db import Tx
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard.account.page import (
    ADDRESS_COOKIE,
    CODE_COOKIE,
    INVALID,
    actor,
    actor_of,
    address_of,
    begin_session,
    complete_sign_in,
    own_path,
    page,
    read_cookie,
    without_secrets,
)
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.identity import Provider

router = APIRouter(prefix="/account", route_class=PageRoute, include_in_schema=False)

Next = Annotated[str, Query(max_length=2_000)]
_DONE = {
    "reset": "Password changed. Sign in with your new password.",
    "known": "You already have an account with this email address. Sign in to continue.",
    "verified": "Email address verified. Sign in to continue.",
    "closed": "Your account is closed.",
    "out": "You are signed out.",
}
# After these, the address is known.
_FILLED_IN = ("reset", "verified", "known")
_CODE_WRONG = "Incorrect or already used code."


@router.get("/sign-in")
async def show_sign_in(
    request: Request, settings: SettingsDep, provider: ProviderDep, viewer: AnyViewer, next: Next = "", done: str = ""
) -> Response:
    path = own_path(next)
    if viewer.user is not None:
        return redirect(path)
    email = unquote(read_cookie(request, settings, ADDRESS_COOKIE)) if done in _FILLED_IN else ""
    return _page(request, settings, provider, viewer, {"next": path, "email": email}, notice=_DONE.get(done, ""))


@router.post("/sign-in")
async def sign_in(
    request: Request, db: Db, settings: SettingsDep, passwords: PasswordsDep, provider: ProviderDep, viewer: AnyViewer
) -> Response:
    form = await read_public_form(request, viewer)
    path = own_path(form.get("next", ""))

    async def then(tx: Tx, user: User) -> Response:
        if viewer.user is not None:
            await accounts.end_session(tx, viewer.user.session.user_id, viewer.user.session.id)
        return await complete_sign_in(tx, request, user, "password", path)

    typed = form.get("email", ""), form.get("password", "")
    try:
        return await accounts.sign_in(db, passwords, *typed, then)
    except SignInFailed as error:
        async with db.write() as tx:
            await platforms.enqueue_failed_sign_in(tx, error.user_id, address_of(request), locks=error.locks)
        return _page(
            request, settings, provider, viewer, {**without_secrets(form), "next": path}, problem=error.sentence
        )


def _page(
    request: Request,
    settings: Settings,
    provider: Provider | None,
    viewer: PageViewer,
    form: dict[str, str],
    *,
    notice: str = "",
    problem: str = "",
) -> Response:
    return page(
        request,
        viewer,
        "sign_in.html",
        status=INVALID if problem else 200,
        form=form,
        problems={"": problem} if problem else {},
        notice=notice,
        provider=provider,
        is_open=settings.sign_up == "open",
    )


@router.get("/code")
async def show_code(request: Request, db: Db, settings: SettingsDep, viewer: AnyViewer) -> Response:
    async with db.read() as tx:
        await identity.find_link(tx, accounts.CODE_LINK, _code_cookie(request, settings))
    return page(request, viewer, "code.html", problems={})


@router.post("/code")
async def show_that_one_has_it(
    request: Request, db: Db, settings: SettingsDep, instance_key: InstanceKeyDep, viewer: AnyViewer
) -> Response:
    form = await read_public_form(request, viewer)
    token = _code_cookie(request, settings)
    async with db.write() as tx:
        link = await identity.find_link(tx, accounts.CODE_LINK, token)
        user = await accounts.find_user(tx, link.subject)
        assert user is not None
        tried = await accounts.verify_second_factor(tx, user.id, instance_key, form.get("code", ""))
        if tried.kind is not None:
            await identity.use_link(tx, accounts.CODE_LINK, token)
            if tried.kind == "recovery":
                await _notify_recovery_used(tx, request, user)
            session = await begin_session(tx, request, user, "password and code")
            return delete_cookie(request, set_session_cookie(request, redirect(link.payload), session), CODE_COOKIE)
        await platforms.enqueue_failed_sign_in(tx, user.id, address_of(request), locks=tried.locks)
    return page(request, viewer, "code.html", status=INVALID, problems={"code": _CODE_WRONG})


async def _notify_recovery_used(tx: Tx, request: Request, user: User) -> None:
    """Notifies the owner of the recovery codes, as anyone who found one can use it."""
    await accounts.send_security_notice(tx, user.email, "A recovery code was used to sign in")
    by, left = actor_of(request, user.id, user.email), await identity.count_recovery_codes(tx, user.id)
    await platforms.audit_for_user(tx, user.id, "recovery.used", by=by, details={"left": str(left)})


def _code_cookie(request: Request, settings: Settings) -> str:
    return read_cookie(request, settings, CODE_COOKIE)


@router.post("/sign-out")
async def sign_out(request: Request, db: Db, user: SignedIn) -> Response:
    await read_csrf_form(request, user)
    session = user.session
    async with db.write() as tx:
        await accounts.end_session(tx, session.user_id, session.id)
        await platforms.audit_for_user(tx, session.user_id, "session.ended", by=actor(request, user), about=session.id)
    return delete_cookie(request, redirect("/account/sign-in?done=out"), "dream_session")

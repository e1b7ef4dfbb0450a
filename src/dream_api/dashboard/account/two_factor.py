"""`/account/factor`: two-factor sign-in by authenticator app, and recovery codes."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, identity, platforms
from dream_api.auth.browser_sessions import SignedIn, SignedInUser
from dream_api.auth.csrf import read_csrf_form
from dream_api.auth.dependencies import PasswordsDep
from dream_api.billing.dependencies import InstanceKeyDep
from dream_api.core.db import Database, Tx
from dream_api.core.errors import AppError
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.secrets import InstanceKey
from dream_api.core.settings import Settings
from dream_api.dashboard.account.page import INVALID, actor, form_errors, frame, require_password
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.identity import TOTPEnrollment

router = APIRouter(prefix="/account", route_class=PageRoute, include_in_schema=False)

_TWO = 2


@router.get("/factor")
async def show_factor(db: Db, settings: SettingsDep, instance_key: InstanceKeyDep, user: SignedIn) -> Response:
    return await _enrolment(db, settings, instance_key, user, {})


async def _enrolment(
    db: Database,
    settings: Settings,
    instance_key: InstanceKey,
    user: SignedInUser,
    problems: dict[str, str],
) -> Response:
    session = user.session
    if not session.is_verified:
        return redirect("/account/verify")
    async with db.write() as tx:
        if await identity.has_second_factor(tx, session.user_id):
            return redirect("/account")
        issuer = _issuer(settings)
        begun = await identity.enroll_totp(tx, session.user_id, instance_key, account=session.email, issuer=issuer)
    status = INVALID if problems else 200
    return frame.render_public("factor.html", user, status=status, **_shown(begun), problems=problems)


def _shown(begun: TOTPEnrollment) -> dict[str, str]:
    """The secret in groups of four, and as a picture for the app's camera."""
    groups = " ".join(begun.secret[at : at + 4] for at in range(0, len(begun.secret), 4))
    import segno  # noqa: PLC0415 - a megabyte, for those who turn codes on

    picture = segno.make(begun.link, micro=False).svg_data_uri(scale=4, dark="#14181f", light="#ffffff")
    return {"secret": groups, "picture": picture, "link": begun.link}


def _issuer(settings: Settings) -> str:
    """As the app lists it: the host where this instance is."""
    return settings.link_base.partition("://")[_TWO].partition("/")[0].replace(":", " ")


@router.post("/factor")
async def confirm_factor(
    request: Request,
    db: Db,
    settings: SettingsDep,
    passwords: PasswordsDep,
    instance_key: InstanceKeyDep,
    user: SignedIn,
) -> Response:
    form = await read_csrf_form(request, user)
    user_id = user.session.user_id
    try:
        await require_password(request, db, passwords, user, form)
        async with db.write() as tx:
            codes = await identity.confirm_totp(tx, user_id, instance_key, form.get("code", ""))
            await accounts.end_sessions(tx, user_id, but=(user.session.id,))
            await _note(tx, request, user, "totp.enabled", "Codes are asked for at sign-in from now on")
    except AppError as error:
        return await _enrolment(db, settings, instance_key, user, form_errors(error))
    return frame.render_public("codes.html", user, codes=codes)


@router.get("/factor/off")
async def show_off(user: SignedIn) -> Response:
    return frame.render_public("factor_off.html", user, problems={})


@router.post("/factor/off")
async def end_factor(request: Request, db: Db, passwords: PasswordsDep, user: SignedIn) -> Response:
    form = await read_csrf_form(request, user)
    try:
        await require_password(request, db, passwords, user, form)
    except AppError as error:
        return frame.render_public("factor_off.html", user, status=INVALID, problems=form_errors(error))
    async with db.write() as tx:
        await identity.disable_totp(tx, user.session.user_id)
        await _note(tx, request, user, "totp.disabled", "Codes are no longer asked for at sign-in")
    return redirect("/account?done=factor-off")


@router.get("/codes")
async def show_codes(user: SignedIn) -> Response:
    return frame.render_public("codes_new.html", user, problems={})


@router.post("/codes")
async def make_codes(request: Request, db: Db, passwords: PasswordsDep, user: SignedIn) -> Response:
    form = await read_csrf_form(request, user)
    try:
        await require_password(request, db, passwords, user, form)
        async with db.write() as tx:
            codes = await identity.renew_recovery_codes(tx, user.session.user_id)
            await _note(tx, request, user, "recovery.renewed", "There are new recovery codes")
    except AppError as error:
        return frame.render_public("codes_new.html", user, status=INVALID, problems=form_errors(error))
    return frame.render_public("codes.html", user, codes=codes)


async def _note(tx: Tx, request: Request, user: SignedInUser, action: str, what: str) -> None:
    await accounts.send_security_notice(tx, user.session.email, what)
    await platforms.audit_for_user(tx, user.session.user_id, action, by=actor(request, user))

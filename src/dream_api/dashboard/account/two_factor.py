"""`/account/factor`: two-factor sign-in by authenticator app, and recovery codes."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, identity, platforms
from dream_api.auth.browser_sessions import SignedIn, SignedInUser
from dream_api.auth.dependencies import PasswordsDep
from dream_api.billing.dependencies import InstanceKeyDep
from dream_api.core.db import Database, Tx
from dream_api.core.errors import AppError
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.secrets import InstanceKey
from dream_api.core.settings import Settings
from dream_api.dashboard.account.page import INVALID, actor, form_page, require_password
from dream_api.dashboard.forms import FormErrors, SentForm, submits
from dream_api.dashboard.layout import PageRoute, redirect, render_public
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
    problems: FormErrors,
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
    return render_public("account/factor.html", user, status=status, **_shown(begun), problems=problems)


def _shown(begun: TOTPEnrollment) -> dict[str, str]:
    """The secret in groups of four, and as a picture for the app's camera."""
    groups = " ".join(begun.secret[at : at + 4] for at in range(0, len(begun.secret), 4))
    import segno  # noqa: PLC0415 - a megabyte, for those who turn codes on

    picture = segno.make(begun.link, micro=False).svg_data_uri(scale=4, dark="#14181f", light="#ffffff")
    return {"secret": groups, "picture": picture, "link": begun.link}


def _issuer(settings: Settings) -> str:
    """As the app lists it: the host where this instance is."""
    return settings.link_base.partition("://")[_TWO].partition("/")[0].replace(":", " ")


async def _enrol_again(
    db: Db, settings: SettingsDep, instance_key: InstanceKeyDep, user: SignedIn, problems: FormErrors
) -> Response:
    return await _enrolment(db, settings, instance_key, user, problems)


@submits(router, "/factor", _enrol_again, errors=AppError)
async def confirm_factor(
    request: Request,
    db: Db,
    settings: SettingsDep,
    passwords: PasswordsDep,
    instance_key: InstanceKeyDep,
    user: SignedIn,
    form: SentForm,
) -> Response:
    user_id = user.session.user_id
    await require_password(request, db, passwords, user, form)
    async with db.write() as tx:
        codes = await identity.confirm_totp(tx, user_id, instance_key, form.get("code", ""))
        await accounts.end_sessions(tx, user_id, but=(user.session.id,))
        await _note(tx, request, user, "totp.enabled", "Two-factor authentication was turned on")
    return render_public("account/codes.html", user, codes=codes)


@router.get("/factor/off")
async def show_off(user: SignedIn) -> Response:
    return render_public("account/factor_off.html", user, problems={})


@submits(router, "/factor/off", form_page("factor_off.html"), errors=AppError)
async def end_factor(request: Request, db: Db, passwords: PasswordsDep, user: SignedIn, form: SentForm) -> str:
    await require_password(request, db, passwords, user, form)
    async with db.write() as tx:
        await identity.disable_totp(tx, user.session.user_id)
        await _note(tx, request, user, "totp.disabled", "Two-factor authentication was turned off")
    return "/account?done=factor-off"


@router.get("/codes")
async def show_codes(user: SignedIn) -> Response:
    return render_public("account/codes_new.html", user, problems={})


@submits(router, "/codes", form_page("codes_new.html"), errors=AppError)
async def make_codes(request: Request, db: Db, passwords: PasswordsDep, user: SignedIn, form: SentForm) -> Response:
    await require_password(request, db, passwords, user, form)
    async with db.write() as tx:
        codes = await identity.renew_recovery_codes(tx, user.session.user_id)
        await _note(tx, request, user, "recovery.renewed", "New recovery codes were created")
    return render_public("account/codes.html", user, codes=codes)


async def _note(tx: Tx, request: Request, user: SignedInUser, action: str, what: str) -> None:
    await accounts.send_security_notice(tx, user.session.email, what)
    await platforms.audit_for_user(tx, user.session.user_id, action, by=actor(request, user))

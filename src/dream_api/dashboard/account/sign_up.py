"""`/account/sign-up`: create an account."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dream_api import accounts, identity, platforms
from dream_api.auth.dependencies import PasswordsDep, ProviderDep
from dream_api.auth.public_pages import AnyViewer, PageViewer, set_cookie, set_session_cookie
from dream_api.core.db import Database
from dream_api.core.errors import Conflict, Invalid, TooMany, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard.account.page import (
    INVALID,
    NEXT_COOKIE,
    actor_of,
    address_of,
    begin_session,
    invited_address,
    own_path,
    page,
    to_sign_in,
    without_secrets,
)
from dream_api.dashboard.forms import FormErrors, SentPublicForm, submits
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.identity import PasswordHasher, Provider
from dream_api.platforms import InvitationExpired

router = APIRouter(prefix="/account", route_class=PageRoute, include_in_schema=False)

# As long as the email's link works.
_NEXT_SECONDS = 3 * 86_400
Next = Annotated[str, Query(max_length=2_000)]


@router.get("/sign-up")
async def show_sign_up(
    request: Request, db: Db, settings: SettingsDep, provider: ProviderDep, viewer: AnyViewer, next: Next = ""
) -> Response:
    path = own_path(next)
    if viewer.user is not None:
        return redirect(path)
    await _invited(db, settings, path)
    return _page(request, provider, viewer, {"next": path, "email": await _address_of(db, path) or ""}, {})


def _page(
    request: Request, provider: Provider | None, viewer: PageViewer, form: Form, problems: FormErrors
) -> Response:
    status = INVALID if problems else 200
    return page(request, viewer, "sign_up.html", status=status, form=form, problems=problems, provider=provider)


def _again(request: Request, provider: ProviderDep, viewer: AnyViewer, form: Form, problems: FormErrors) -> Response:
    return _page(request, provider, viewer, {**without_secrets(form), "next": own_path(form.get("next", ""))}, problems)


@submits(router, "/sign-up", _again, errors=(Invalid, Conflict, TooMany))
async def sign_up(
    request: Request,
    db: Db,
    settings: SettingsDep,
    passwords: PasswordsDep,
    provider: ProviderDep,
    viewer: AnyViewer,
    form: SentPublicForm,
) -> Response:
    path = own_path(form.get("next", ""))
    email = form.get("email", "")
    invited = await _invited(db, settings, path)
    if invited is not None and accounts.normalize_email(email) != invited:
        raise ValidationFailed("The invitation was sent to another address.", param="email")
    if accounts.normalize_email(email) == await _address_of(db, path):
        return await _sign_up_invited(request, db, settings, passwords, viewer, form, path)
    await accounts.sign_up(
        db,
        passwords,
        email=email,
        name=form.get("name", ""),
        password=form.get("password", ""),
        address=address_of(request),
    )
    answer = page(request, viewer, "signed_up.html", email=email)
    return set_cookie(request, answer, NEXT_COOKIE, quote(path), seconds=_NEXT_SECONDS)


async def _sign_up_invited(
    request: Request,
    db: Database,
    settings: Settings,
    passwords: PasswordHasher,
    viewer: PageViewer,
    form: Form,
    path: str,
) -> Response:
    """The token of the invitation was emailed to this address: it proves what a verification email would."""
    email = accounts.normalize_email(form.get("email", ""))
    hashed = await passwords.hash(identity.validate_password(form.get("password", ""), email))
    async with db.write() as tx:
        # Once more: it may have ended meanwhile.
        if await invited_address(tx, path) != email:
            raise InvitationExpired("This invitation has expired or was revoked.")
        user = await accounts.sign_up_verified(tx, email=email, name=form.get("name", ""), password_hash=hashed)
        if user is None:
            return to_sign_in(request, settings, "known", email, path)
        if viewer.user is not None:
            await accounts.end_session(tx, viewer.user.session.user_id, viewer.user.session.id)
        by = actor_of(request, user.id, user.email)
        await platforms.audit_for_user(tx, user.id, "user.signed_up", by=by, details={"how": "invitation"})
        session = await begin_session(tx, request, user, "invitation")
    return set_session_cookie(request, redirect(path), session)


async def _invited(db: Database, settings: Settings, path: str) -> str | None:
    """The only address that may join, where not everybody may: the one whose invitation is the place to go to."""
    if settings.sign_up == "open":
        return None
    invited = await _address_of(db, path) if settings.sign_up == "invited" else None
    return accounts.require_invitation(invited)


async def _address_of(db: Database, path: str) -> str | None:
    async with db.read() as tx:
        return await invited_address(tx, path)

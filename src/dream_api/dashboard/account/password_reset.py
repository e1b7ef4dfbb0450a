"""`/account/reset`: password reset by an emailed link."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, identity, platforms
from dream_api.auth.dependencies import PasswordsDep
from dream_api.auth.public_pages import AnyViewer, delete_cookie
from dream_api.core.errors import ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.account.page import (
    INVALID,
    actor_of,
    address_of,
    page,
    to_sign_in,
    without_secrets,
)
from dream_api.dashboard.forms import FormErrors, SentPublicForm, submits
from dream_api.dashboard.layout import PageRoute

router = APIRouter(prefix="/account/reset", route_class=PageRoute, include_in_schema=False)


@router.get("")
async def show_reset(request: Request, viewer: AnyViewer) -> Response:
    email = "" if viewer.user is None else viewer.user.session.email
    return page(request, viewer, "reset.html", form={"email": email}, problems={})


async def _ask_again(request: Request, viewer: AnyViewer, form: Form, problems: FormErrors) -> Response:
    return page(request, viewer, "reset.html", status=INVALID, form=without_secrets(form), problems=problems)


@submits(router, "", _ask_again, errors=ValidationFailed)
async def ask(request: Request, db: Db, viewer: AnyViewer, form: SentPublicForm) -> Response:
    """The same response and the same work for every address: the job finds out whether it has an account."""
    email = accounts.normalize_email(form.get("email", ""))
    async with db.write() as tx:
        await accounts.request_password_reset(tx, email, address_of(request))
    return page(request, viewer, "reset_requested.html", email=email)


@router.get("/{token}")
async def show_link(request: Request, db: Db, viewer: AnyViewer, token: str) -> Response:
    async with db.read() as tx:
        await identity.find_link(tx, accounts.RESET_LINK, token)
    return page(request, viewer, "reset_link.html", token=token, problems={})


async def _reset_again(request: Request, viewer: AnyViewer, token: str, problems: FormErrors) -> Response:
    return page(request, viewer, "reset_link.html", status=INVALID, token=token, problems=problems)


@submits(router, "/{token}", _reset_again, errors=ValidationFailed)
async def reset(
    request: Request,
    db: Db,
    settings: SettingsDep,
    passwords: PasswordsDep,
    viewer: AnyViewer,
    token: str,
    form: SentPublicForm,
) -> Response:
    async with db.read() as tx:
        link = await identity.find_link(tx, accounts.RESET_LINK, token)
        user = await accounts.find_user(tx, link.subject)
    password = identity.validate_password(form.get("password", ""), "" if user is None else user.email)
    hashed = await passwords.hash(password)
    async with db.write() as tx:
        owner = await accounts.reset_password(tx, token, hashed)
        await accounts.send_security_notice(tx, owner.email, "Your password was changed")
        by = actor_of(request, owner.id, owner.email)
        await platforms.audit_for_user(tx, owner.id, "password.reset", by=by)
    return delete_cookie(request, to_sign_in(request, settings, "reset", owner.email), "dream_session")

"""`/account/operator/{token}`: the first operator of an instance signs up by a link that works once."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, identity, platforms
from dream_api.accounts import User
from dream_api.auth.dependencies import PasswordsDep
from dream_api.auth.public_pages import AnyViewer, PageViewer, set_session_cookie
from dream_api.core.db import Database, Tx
from dream_api.core.errors import Conflict, Invalid
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.account.page import HOME, INVALID, actor_of, begin_session, page, without_secrets
from dream_api.dashboard.forms import FormErrors, SentPublicForm, submits
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.identity import PasswordHasher

router = APIRouter(prefix="/account/operator", route_class=PageRoute, include_in_schema=False)


@router.get("/{token}")
async def show_operator(request: Request, db: Db, viewer: AnyViewer, token: str) -> Response:
    async with db.read() as tx:
        await platforms.check_operator_link(tx, token)
    return page(request, viewer, "operator.html", token=token, form={}, problems={})


async def _again(request: Request, viewer: AnyViewer, token: str, form: Form, problems: FormErrors) -> Response:
    shown = {"token": token, "form": without_secrets(form), "problems": problems}
    return page(request, viewer, "operator.html", status=INVALID, **shown)


@submits(router, "/{token}", _again, errors=(Invalid, Conflict))
async def become_operator(
    request: Request, db: Db, passwords: PasswordsDep, viewer: AnyViewer, token: str, form: SentPublicForm
) -> Response:
    async with db.read() as tx:
        await platforms.check_operator_link(tx, token)
    if viewer.user is not None:
        return await _take_over(request, db, viewer, token)
    return await _make(request, db, passwords, form, token)


async def _take_over(request: Request, db: Database, viewer: PageViewer, token: str) -> Response:
    """By somebody who is signed in."""
    assert viewer.user is not None
    session = viewer.user.session
    async with db.write() as tx:
        await _join(tx, request, token, session.user_id, session.email)
    return redirect(HOME)


async def _make(request: Request, db: Database, passwords: PasswordHasher, form: Form, token: str) -> Response:
    """By somebody new: anyone who reads the server's terminal need not show that mail reaches them."""
    email = accounts.normalize_email(form.get("email", ""))
    password = identity.validate_password(form.get("password", ""), email)
    hashed = await passwords.hash(password)
    async with db.write() as tx:
        user: User = await accounts.create_user(tx, email, form.get("name", ""), verified=True, password_hash=hashed)
        await _join(tx, request, token, user.id, user.email)
        session = await begin_session(tx, request, user, "operator's link")
    return set_session_cookie(request, redirect(HOME), session)


async def _join(tx: Tx, request: Request, token: str, user_id: str, email: str) -> None:
    platform = await platforms.become_operator(tx, token, user_id)
    by = actor_of(request, user_id, email)
    await platforms.audit_for_user(tx, user_id, "member.joined", by=by, about=platform.id, details={"role": "owner"})

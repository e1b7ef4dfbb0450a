"""`/account/verify`: verification of email addresses."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, identity, platforms
from dream_api.auth.browser_sessions import SignedIn
from dream_api.auth.csrf import read_csrf_form
from dream_api.auth.public_pages import AnyViewer, read_public_form
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.account.page import HOME, actor_of, page, to_sign_in
from dream_api.dashboard.layout import PageRoute, redirect

router = APIRouter(prefix="/account/verify", route_class=PageRoute, include_in_schema=False)


@router.get("")
async def show_verify(request: Request, viewer: AnyViewer, sent: bool = False) -> Response:
    return page(request, viewer, "verify.html", is_sent=sent)


@router.post("")
async def send_again(request: Request, db: Db, user: SignedIn) -> Response:
    await read_csrf_form(request, user)
    async with db.write() as tx:
        await accounts.request_verification_email(tx, user.session.user_id, user.session.email)
    return redirect("/account/verify?sent=true")


@router.get("/{token}")
async def show_link(request: Request, db: Db, viewer: AnyViewer, token: str) -> Response:
    """Asks before it acts: programs that look at emails before people do open every link in them."""
    async with db.read() as tx:
        link = await identity.find_link(tx, accounts.VERIFY_LINK, token)
    return page(request, viewer, "verify_link.html", email=link.payload, token=token)


@router.post("/{token}")
async def verify(request: Request, db: Db, settings: SettingsDep, viewer: AnyViewer, token: str) -> Response:
    await read_public_form(request, viewer)
    async with db.write() as tx:
        before, after = await accounts.verify_email(tx, token)
        by = actor_of(request, after.id, after.email)
        if before.email == after.email:
            await platforms.audit_for_user(tx, after.id, "user.verified", by=by)
        else:
            what = "Your email address was changed"
            await accounts.send_security_notice(tx, before.email, what)
            details = {"email": after.email}
            await platforms.audit_for_user(tx, after.id, "user.email_changed", by=by, details=details)
    is_in = viewer.user is not None and viewer.user.session.user_id == after.id
    return redirect(HOME) if is_in else to_sign_in(request, settings, "verified", after.email)

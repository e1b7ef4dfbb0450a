"""`/account/oidc`: sign-in by an OpenID Connect provider."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dream_api import accounts, platforms
from dream_api.accounts import ExternalSignIn
from dream_api.auth.dependencies import ProviderDep
from dream_api.auth.public_pages import AnyViewer, cookie_name, delete_cookie, set_cookie
from dream_api.billing.dependencies import InstanceKeyDep
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import AppError, NotFound
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.account.page import (
    INVALID,
    actor_of,
    complete_sign_in,
    invited_address,
    own_path,
    page,
)
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.identity import Flow, Provider

router = APIRouter(prefix="/account/oidc", route_class=PageRoute, include_in_schema=False)

Next = Annotated[str, Query(max_length=2_000)]
_COOKIE = "dream_oidc"
_SECONDS = 600


@router.get("/start")
async def start(request: Request, provider: ProviderDep, instance_key: InstanceKeyDep, next: Next = "") -> Response:
    flow, url = await _provider(provider).begin(own_path(next))
    return set_cookie(request, redirect(url), _COOKIE, flow.seal(instance_key), seconds=_SECONDS)


@router.get("/callback")
async def finish(
    request: Request,
    db: Db,
    settings: SettingsDep,
    provider: ProviderDep,
    instance_key: InstanceKeyDep,
    viewer: AnyViewer,
) -> Response:
    provider = _provider(provider)
    path = ""
    try:
        flow = Flow.unseal(request.cookies.get(cookie_name(settings, _COOKIE), ""), instance_key)
        path = flow.next
        claims = await provider.finish(flow, dict(request.query_params))
        async with db.write() as tx:
            email = claims.email.strip().lower()
            is_invited = settings.sign_up == "invited" and await platforms.is_invited(tx, email, clock.now())
            arrival = await accounts.sign_in_external(
                tx,
                claims,
                may_join=settings.sign_up == "open" or is_invited,
                is_email_proved=email == await invited_address(tx, path),
            )
            await _record(tx, request, arrival, provider.name)
            answer = await complete_sign_in(tx, request, arrival.user, provider.name, path)
    except AppError as error:
        values = {"form": {"next": own_path(path)}, "problems": {"": error.sentence}, "notice": ""}
        is_open = settings.sign_up == "open"
        answer = page(request, viewer, "sign_in.html", status=INVALID, **values, provider=provider, is_open=is_open)
    return delete_cookie(request, answer, _COOKIE)


async def _record(tx: Tx, request: Request, arrival: ExternalSignIn, how: str) -> None:
    """What the person's account has not had before: itself, or this way in."""
    user = arrival.user
    if not arrival.is_linked:
        return
    if not arrival.is_new:
        await accounts.send_security_notice(tx, user.email, f"A sign-in through {how} was added")
    action, by = "user.signed_up" if arrival.is_new else "identity.linked", actor_of(request, user.id, user.email)
    await platforms.audit_for_user(tx, user.id, action, by=by, details={"how": how})


def _provider(provider: Provider | None) -> Provider:
    if provider is None:
        raise NotFound("Single sign-on is not configured.", hint="The operator may set DREAM_OIDC_ISSUER.")
    return provider

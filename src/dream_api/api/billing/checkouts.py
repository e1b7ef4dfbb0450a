"""`POST /api/create-checkout`, `/create-checkout` and `/api/customer-portal`: URLs of hosted checkouts and portals."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import Field
from starlette.responses import Response

from dream_api import billing, catalog, customers, platforms
from dream_api.api.billing.models import ResponseModel
from dream_api.auth.dependencies import CanManageBilling, CanSell, IdempotencyKey
from dream_api.auth.tenant_resolution import PLATFORM_AUTH_ERRORS, PROJECT_AUTH_ERRORS
from dream_api.billing import BillingContext
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock
from dream_api.core.errors import ValidationFailed
from dream_api.core.http import (
    JSON_BODY_ERRORS,
    RequestModel,
    error_responses,
    example_response,
    idempotency_key_of,
    json_response,
    mark_replayed,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.idempotency import IdempotentRequest
from dream_api.gateways import GATEWAY_ERRORS
from dream_api.platforms import Project, RedirectNotAllowed, SaasProjectRequired

router = APIRouter(tags=["Selling"])

_LONGEST_URL = 2_048
_URL = Field(max_length=_LONGEST_URL, description="Of one of the project's origins; in test mode also of this machine.")
UserId = Annotated[
    str,
    Header(alias="X-User-Id", description="Your own id of the user, who becomes a customer.", examples=["user_123"]),
]


class CheckoutCreate(RequestModel):
    """What the customer is to subscribe to, and where they go afterwards."""

    tier: str = Field(min_length=1, max_length=63, description="The tier's name.")
    price_id: str | None = Field(None, max_length=64, description="Which of the tier's prices, where it has several.")
    quantity: int = Field(1, description="How many, such as seats; 1 for a flat price.")
    coupon: str | None = Field(None, max_length=64, description="A coupon's code.")
    success_url: str = _URL
    cancel_url: str = _URL


class LevelCheckoutCreate(RequestModel):
    """Which level the platform is to be on."""

    level: int = Field(ge=0, le=999, description="The level's number; see `dream-api levels`.")
    success_url: str = _URL
    cancel_url: str = _URL


class PortalCreate(RequestModel):
    """Where the customer goes afterwards."""

    return_url: str = _URL


class Checkout(ResponseModel):
    """A page on which the customer can pay."""

    id: str
    url: str
    expires_at: str


class Portal(ResponseModel):
    """A page on which the customer sees and changes what they have."""

    url: str


_EXAMPLE: dict[str, Any] = {
    "tier": "pro",
    "successUrl": "https://myapp.com/success",
    "cancelUrl": "https://myapp.com/cancel",
}
_ANSWER = {
    "id": "chk_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "url": "https://api.example.com/sandbox/checkout/cs_test_…",
    "expiresAt": "2026-11-21T09:44:00Z",
}
_SELLING = (
    *PROJECT_AUTH_ERRORS,
    *GATEWAY_ERRORS,
    *JSON_BODY_ERRORS,
    SaasProjectRequired,
    RedirectNotAllowed,
    catalog.UnknownPlan,
    catalog.UnknownPrice,
    catalog.PriceAmbiguous,
    catalog.PriceMissing,
    catalog.CouponInvalid,
    billing.GatewayMissing,
    billing.AlreadySubscribed,
    customers.CustomerBlocked,
)


@router.post(
    "/api/create-checkout",
    summary="Sell a subscription",
    response_model=Checkout,
    responses={**example_response(200, _ANSWER), **error_responses(*_SELLING)},
    openapi_extra=request_body(CheckoutCreate, _EXAMPLE),
)
async def create_checkout(
    request: Request, billing_context: BillingDep, acting: CanSell, user_id: UserId, _: IdempotencyKey = None
) -> Response:
    """Send the customer to the answer's `url`; the plan is theirs as soon as the gateway says that they paid."""
    body, raw = await read_json_body(request, CheckoutCreate)
    user_id = customers.validate_user_id(user_id, "X-User-Id")
    once = idempotency_key_of(
        request, platform_id=acting.platform_id, caller=acting.caller, body=user_id.encode() + b"\n" + raw
    )
    if acting.project.type != "saas":
        raise SaasProjectRequired("Subscriptions are sold by saas projects; this one is a store.", hint=_CART)
    return await _sell(billing_context, acting.project, acting.scope, user_id, body.tier, body, once)


@router.post(
    "/create-checkout",
    summary="Buy a level for the platform",
    response_model=Checkout,
    responses={
        **example_response(200, _ANSWER),
        **error_responses(
            *PLATFORM_AUTH_ERRORS,
            *GATEWAY_ERRORS,
            *JSON_BODY_ERRORS,
            RedirectNotAllowed,
            catalog.PriceAmbiguous,
            catalog.PriceMissing,
            billing.GatewayMissing,
            billing.AlreadySubscribed,
        ),
    },
    openapi_extra=request_body(
        LevelCheckoutCreate,
        {"level": 1, "successUrl": "http://localhost:8787/dashboard", "cancelUrl": "http://localhost:8787/dashboard"},
    ),
)
async def buy_level(
    request: Request,
    db: Db,
    settings: SettingsDep,
    billing_context: BillingDep,
    developer: CanManageBilling,
    _: IdempotencyKey = None,
) -> Response:
    """The platform is a customer of the operator's project home, and pays like any customer."""
    body, raw = await read_json_body(request, LevelCheckoutCreate)
    mode = settings.home_mode
    platform = developer.platform
    once = idempotency_key_of(request, platform_id=platform.id, caller=developer.caller, body=raw)
    async with db.read() as tx:
        home = (await catalog.find_home(tx)).project
        if platform.id == home.platform_id:
            raise ValidationFailed("The operator's own platform has no level.", param="level")
        level = next((each for each in await catalog.list_levels(tx, mode) if each.number == body.level), None)
        if level is None:
            raise ValidationFailed("There is no level of that number; see `dream-api levels`.", param="level")
    scope = platforms.ProjectScope(home.platform_id, home.platform_no, home.id, mode)
    return await _sell(billing_context, home, scope, platform.id, level.name, body, once)


async def _sell(
    billing_context: BillingContext,
    project: Project,
    scope: platforms.ProjectScope,
    user_id: str,
    tier: str,
    body: CheckoutCreate | LevelCheckoutCreate,
    once: IdempotentRequest | None,
) -> Response:
    plan = body if isinstance(body, CheckoutCreate) else None
    async with billing_context.database.write() as tx:
        account = await billing.ensure_account(tx, scope)
        before = await billing.find_started_checkout(tx, account, once)
        checkout = before or await billing.create_subscription_checkout(
            tx,
            project,
            scope,
            user_id=user_id,
            tier=tier,
            price_id=None if plan is None else plan.price_id,
            quantity=1 if plan is None else plan.quantity,
            coupon=None if plan is None else plan.coupon,
            success_url=body.success_url,
            cancel_url=body.cancel_url,
            once=once,
        )
    checkout = await billing.open_page(billing_context, account, checkout)
    answer = Checkout(id=checkout.id, url=checkout.url, expires_at=clock.rfc3339(checkout.expires_at))
    return mark_replayed(json_response(answer), before)


@router.post(
    "/api/customer-portal",
    summary="Open the customer's portal",
    response_model=Portal,
    responses={
        **example_response(200, {"url": "https://api.example.com/sandbox/portal/bps_…"}),
        **error_responses(
            *PROJECT_AUTH_ERRORS,
            *GATEWAY_ERRORS,
            *JSON_BODY_ERRORS,
            RedirectNotAllowed,
            billing.CustomerNeverPaid,
            billing.GatewayMissing,
        ),
    },
    openapi_extra=request_body(PortalCreate, {"returnUrl": "https://myapp.com/account"}),
)
async def open_portal(request: Request, billing_context: BillingDep, acting: CanSell, user_id: UserId) -> Response:
    """There the customer changes the plan or the card, cancels, resumes, and finds the invoices; for an hour."""
    body, _ = await read_json_body(request, PortalCreate)
    user_id = customers.validate_user_id(user_id, "X-User-Id")
    platforms.require_allowed_redirect(acting.project, acting.mode, body.return_url, "returnUrl")
    async with billing_context.database.read() as tx:
        await customers.find(tx, acting.scope, f"userId:{user_id}", param="X-User-Id")
        account, gateway_customer = await billing.find_payer(tx, acting.scope, user_id, param="X-User-Id")
    opened = await billing_context.gateway_of(account).open_portal(account, gateway_customer, body.return_url)
    return json_response(Portal(url=opened.url))


_CART = "Sell a store's goods with POST /api/cart/checkout."

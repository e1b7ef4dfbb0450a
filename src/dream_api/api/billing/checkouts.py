"""`POST /api/create-checkout`, `/create-checkout` and `/api/customer-portal`: URLs of hosted checkouts and portals."""

from typing import Annotated, Any

from fastapi import Header
from pydantic import Field

from dream_api import billing, catalog, customers, platforms
from dream_api.api.endpoint import Endpoints, JsonBody, Post, PostRequest
from dream_api.api.models import ResponseModel, StoredMetadata, Timestamp, example
from dream_api.auth.dependencies import CanManageBilling, CanSell
from dream_api.billing import BillingContext
from dream_api.billing.dependencies import BillingDep
from dream_api.core import metadata
from dream_api.core.errors import ValidationFailed
from dream_api.core.http import ModelResponse, RequestModel, json_response
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.idempotency import IdempotentRequest
from dream_api.core.metadata import MetadataUpdate
from dream_api.gateways import GATEWAY_ERRORS
from dream_api.platforms import Project, ProjectScope, RedirectNotAllowed, SaasProjectRequired

endpoints = Endpoints("Checkouts")

RedirectUrl = Annotated[
    str,
    Field(
        max_length=2_048, description="A URL on one of the project's origins. In test mode, localhost is also allowed."
    ),
]
UserId = Annotated[
    str,
    Header(
        alias="X-User-Id",
        description="Your own user ID of the customer. The customer is created if needed.",
        examples=["user_123"],
    ),
]
_CART_HINT = "To sell products of a store, use POST /api/cart/checkout."
_REDIRECTS = {"successUrl": "https://myapp.com/success", "cancelUrl": "https://myapp.com/cancel"}


CHECKOUT_METADATA: Any = Field(
    None,
    description="Of what is bought too: up to 50 keys (1 to 40 characters) with text (up to 500 characters).",
)


class CheckoutCreate(RequestModel, json_schema_extra=example({"tier": "pro", **_REDIRECTS})):
    """The plan to subscribe to, and the URLs to return to."""

    tier: str = Field(min_length=1, max_length=63, description="The plan's name.")
    price_id: str | None = Field(None, max_length=64, description="One of the plan's prices, if it has several.")
    quantity: int = Field(1, description="The quantity, such as the number of seats. 1 for a flat price.")
    coupon: str | None = Field(None, max_length=64, description="A coupon's code.")
    metadata: MetadataUpdate | None = CHECKOUT_METADATA
    success_url: RedirectUrl
    cancel_url: RedirectUrl


class LevelCheckoutCreate(
    RequestModel,
    json_schema_extra=example(
        {"level": 1, "successUrl": "http://localhost:8787/dashboard", "cancelUrl": "http://localhost:8787/dashboard"}
    ),
):
    """The level to buy."""

    level: int = Field(ge=0, le=999, description="The number of the level. `dream-api levels` lists all levels.")
    success_url: RedirectUrl
    cancel_url: RedirectUrl


class PortalSessionCreate(RequestModel, json_schema_extra=example({"returnUrl": "https://myapp.com/account"})):
    """The URL to return to."""

    return_url: RedirectUrl


class Checkout(
    ResponseModel,
    json_schema_extra=example(
        {
            "id": "chk_01k9q3v8zd0g2m4n6p8r0t2v4w",
            "url": "https://api.example.com/sandbox/checkout/cs_test_…",
            "metadata": {},
            "expiresAt": "2026-11-21T09:44:00Z",
        }
    ),
):
    """A page on which the customer can pay."""

    id: str
    url: str
    metadata: StoredMetadata
    expires_at: Timestamp


class PortalSession(ResponseModel, json_schema_extra=example({"url": "https://api.example.com/sandbox/portal/bps_…"})):
    """A page on which customers manage their subscriptions."""

    url: str


_CHECKOUT_ERRORS = (
    *GATEWAY_ERRORS,
    RedirectNotAllowed,
    catalog.PriceAmbiguous,
    catalog.PriceMissing,
    billing.GatewayMissing,
    billing.AlreadySubscribed,
)


@endpoints.post(
    "/api/create-checkout",
    "checkouts.create",
    "Create a checkout",
    errors=(
        *_CHECKOUT_ERRORS,
        SaasProjectRequired,
        catalog.UnknownPlan,
        catalog.UnknownPrice,
        catalog.CouponInvalid,
        customers.CustomerBlocked,
    ),
)
async def create_checkout(
    billing_context: BillingDep, acting: CanSell, user_id: UserId, post: Post[CheckoutCreate]
) -> ModelResponse[Checkout]:
    """Send the customer to the `url` of the response. They get the plan as soon as the gateway reports the payment."""
    user_id = customers.validate_user_id(user_id, "X-User-Id")
    once = post.once(acting, headers=user_id.encode() + b"\n")
    if acting.project.type != "saas":
        raise SaasProjectRequired(
            "Only saas projects sell subscriptions, and this project is a store.", hint=_CART_HINT
        )
    wanted = post.body.model_dump() | {"metadata": metadata.create(post.body.metadata)}
    return await _open_checkout(billing_context, post, acting.project, acting.scope, once, user_id=user_id, **wanted)


@endpoints.post("/create-checkout", "levels.checkout", "Create a checkout for a level", errors=_CHECKOUT_ERRORS)
async def create_level_checkout(
    db: Db,
    settings: SettingsDep,
    billing_context: BillingDep,
    developer: CanManageBilling,
    post: Post[LevelCheckoutCreate],
) -> ModelResponse[Checkout]:
    """The platform is a customer of the operator's project, and pays like any customer."""
    mode = settings.home_mode
    platform = developer.platform
    once = post.once(developer)
    async with db.read() as tx:
        home = (await catalog.find_home(tx)).project
        if platform.no == home.platform_no:
            raise ValidationFailed("The operator's own platform has no level.", param="level")
        await platforms.require_open(tx, platform.no, lock=False)
        level = next((each for each in await catalog.list_levels(tx, mode) if each.number == post.body.level), None)
        if level is None:
            raise ValidationFailed("No level has this number. `dream-api levels` lists all levels.", param="level")
    scope = ProjectScope(home.platform_no, home.id, mode)
    wanted = post.body.model_dump(exclude={"level"})
    return await _open_checkout(
        billing_context, post, home, scope, once, user_id=platform.id, tier=level.name, **wanted
    )


async def _open_checkout(
    billing_context: BillingContext,
    post: PostRequest[Any],
    project: Project,
    scope: ProjectScope,
    once: IdempotentRequest | None,
    **wanted: Any,
) -> ModelResponse[Checkout]:
    async with billing_context.database.write() as tx:
        account = await billing.ensure_account(tx, scope)
        before = await billing.find_started_checkout(tx, account, once)
        checkout = before or await billing.create_subscription_checkout(tx, project, scope, once=once, **wanted)
    opened = await billing.open_page(billing_context, account, checkout)
    return post.reply(Checkout.model_validate(opened), is_replay=before is not None)


@endpoints.post(
    "/api/customer-portal",
    "portalSessions.create",
    "Create a portal session",
    errors=(*GATEWAY_ERRORS, RedirectNotAllowed, billing.CustomerNeverPaid, billing.GatewayMissing),
)
async def create_portal_session(
    billing_context: BillingDep, acting: CanSell, user_id: UserId, body: JsonBody[PortalSessionCreate]
) -> ModelResponse[PortalSession]:
    """Customers change plan and card, cancel, resume and see invoices in the portal. The session lasts an hour."""
    user_id = customers.validate_user_id(user_id, "X-User-Id")
    platforms.require_allowed_redirect(acting.project, acting.mode, body.return_url, "returnUrl")
    async with billing_context.database.read() as tx:
        await customers.find(tx, acting.scope, f"userId:{user_id}", param="X-User-Id")
        account, gateway_customer = await billing.find_payer(tx, acting.scope, user_id, param="X-User-Id")
    opened = await billing_context.gateway_of(account).open_portal(account, gateway_customer, body.return_url)
    return json_response(PortalSession.model_validate(opened))

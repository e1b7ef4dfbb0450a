"""`POST /api/cart/checkout`: a hosted checkout for a cart."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from dream_api import billing, catalog, customers, store
from dream_api.api.store.models import ResponseModel
from dream_api.api.store.params import NO_NUL
from dream_api.auth.dependencies import CanSell, IdempotencyKey
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock
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
from dream_api.gateways import GATEWAY_ERRORS
from dream_api.platforms import RedirectNotAllowed

router = APIRouter(tags=["Store"])

_LONGEST_URL = 2_048
_LONGEST_EMAIL = 254
_URL = Field(max_length=_LONGEST_URL, description="Of one of the project's origins; in test mode also of this machine.")


class CartItem(RequestModel):
    """So many of a product."""

    price_id: str = Field(max_length=64, pattern=NO_NUL, description="One of the product's prices.")
    quantity: int = Field(1, ge=1, le=store.MOST_OF_ONE)


class CartCheckoutCreate(RequestModel):
    """What somebody wants to pay for, and where they go afterwards."""

    email: str = Field(max_length=_LONGEST_EMAIL, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$", description="The buyer's.")
    items: list[CartItem] = Field(
        min_length=1, max_length=store.MOST_ITEMS, description="All of one currency; the same price twice is summed."
    )
    user_id: str | None = Field(
        None, min_length=1, description="Your own id of the buyer, who becomes a customer; nobody's where left out."
    )
    coupon: str | None = Field(None, max_length=64, description="A coupon's code.")
    success_url: str = _URL
    cancel_url: str = _URL


class CartCheckout(ResponseModel):
    """A page on which the buyer can pay until it expires; so long the goods are held for them."""

    url: str
    order_id: str
    expires_at: str


_EXAMPLE: dict[str, Any] = {
    "email": "ada@example.com",
    "items": [{"priceId": "price_01k9q3v8zd0g2m4n6p8r0t2v4w", "quantity": 2}],
    "successUrl": "https://myapp.com/thanks",
    "cancelUrl": "https://myapp.com/cart",
}
_ANSWER = {
    "url": "https://api.example.com/sandbox/checkout/cs_test_…",
    "orderId": "ord_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "expiresAt": "2026-11-21T09:44:00Z",
}


@router.post(
    "/api/cart/checkout",
    summary="Sell a cart",
    response_model=CartCheckout,
    responses={
        **example_response(200, _ANSWER),
        **error_responses(
            *PROJECT_AUTH_ERRORS,
            *GATEWAY_ERRORS,
            *JSON_BODY_ERRORS,
            RedirectNotAllowed,
            catalog.UnknownPrice,
            catalog.CouponInvalid,
            catalog.AmountTooLarge,
            billing.GatewayMissing,
            customers.CustomerBlocked,
            store.StoreOnly,
            store.SoldOut,
            store.MixedCurrencies,
        ),
    },
    openapi_extra=request_body(CartCheckoutCreate, _EXAMPLE),
)
async def create_cart_checkout(
    request: Request, billing_context: BillingDep, acting: CanSell, _: IdempotencyKey = None
) -> Response:
    """Send the buyer to the answer's `url`. All of the cart is held for them until then, or nothing is written."""
    body, raw = await read_json_body(request, CartCheckoutCreate)
    once = idempotency_key_of(request, platform_id=acting.platform_id, caller=acting.caller, body=raw)
    async with billing_context.database.write() as tx:
        account = await billing.ensure_account(tx, acting.scope)
        before = await billing.find_started_checkout(tx, account, once)
        checkout = before or await store.create_checkout(tx, acting.project, acting.scope, _cart_of(body), once=once)
        order = await store.order_of_checkout(tx, acting.scope, checkout.id)
    assert order is not None
    opened = await billing.open_page(billing_context, account, checkout)
    answer = CartCheckout(url=opened.url, order_id=order.id, expires_at=clock.rfc3339(opened.expires_at))
    return mark_replayed(json_response(answer), before)


def _cart_of(body: CartCheckoutCreate) -> store.Cart:
    return store.Cart(
        email=body.email,
        items=[store.Item(item.price_id, item.quantity) for item in body.items],
        success_url=body.success_url,
        cancel_url=body.cancel_url,
        user_id=None if body.user_id is None else customers.validate_user_id(body.user_id, "userId"),
        coupon=body.coupon,
    )

"""`POST /api/cart/checkout`: a hosted checkout for a cart."""

from pydantic import Field

from dream_api import billing, catalog, customers, store
from dream_api.api.billing.checkouts import CHECKOUT_METADATA, RedirectUrl
from dream_api.api.endpoint import Endpoints, Post
from dream_api.api.models import NO_NUL, ResponseModel, StoredMetadata, Timestamp, example
from dream_api.auth.dependencies import CanSell
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock, metadata
from dream_api.core.http import ModelResponse, RequestModel
from dream_api.core.metadata import MetadataUpdate
from dream_api.gateways import GATEWAY_ERRORS
from dream_api.platforms import RedirectNotAllowed

endpoints = Endpoints("Store", "/api/cart")


class CartItem(RequestModel):
    """A product of the cart and its quantity."""

    price_id: str = Field(max_length=64, pattern=NO_NUL, description="One of the product's prices.")
    quantity: int = Field(1, ge=1, le=store.MOST_OF_ONE)


class CartCheckoutCreate(
    RequestModel,
    json_schema_extra=example(
        {
            "email": "ada@example.com",
            "items": [{"priceId": "price_01k9q3v8zd0g2m4n6p8r0t2v4w", "quantity": 2}],
            "successUrl": "https://myapp.com/thanks",
            "cancelUrl": "https://myapp.com/cart",
        }
    ),
):
    """The products to pay for, and the URLs to return to."""

    email: str = Field(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$", description="The buyer's.")
    items: list[CartItem] = Field(
        min_length=1,
        max_length=store.MOST_ITEMS,
        description="The items, all in the same currency. Quantities of the same price are added up.",
    )
    user_id: str | None = Field(
        None,
        min_length=1,
        description="Your own user ID of the buyer. The customer is created if needed. null: no customer is created.",
    )
    coupon: str | None = Field(None, max_length=64, description="A coupon's code.")
    metadata: MetadataUpdate | None = CHECKOUT_METADATA
    success_url: RedirectUrl
    cancel_url: RedirectUrl


class CartCheckout(
    ResponseModel,
    json_schema_extra=example(
        {
            "url": "https://api.example.com/sandbox/checkout/cs_test_…",
            "orderId": "ord_01k9q3v8zd0g2m4n6p8r0t2v4w",
            "metadata": {},
            "expiresAt": "2026-11-21T09:44:00Z",
        }
    ),
):
    """A page on which the buyer can pay. The stock is held until the checkout expires."""

    url: str
    order_id: str
    metadata: StoredMetadata
    expires_at: Timestamp


@endpoints.post(
    "/checkout",
    "carts.checkout",
    "Create a checkout for a cart",
    errors=(
        *GATEWAY_ERRORS,
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
)
async def create_cart_checkout(
    billing_context: BillingDep, acting: CanSell, post: Post[CartCheckoutCreate]
) -> ModelResponse[CartCheckout]:
    """Send the buyer to the `url` of the response. Stock is held for all items, or for none."""
    once = post.once(acting)
    async with billing_context.database.write() as tx:
        account = await billing.ensure_account(tx, acting.scope)
        before = await billing.find_started_checkout(tx, account, once)
        checkout = before or await store.create_checkout(tx, acting.project, acting.scope, _cart(post.body), once=once)
        order = await store.order_of_checkout(tx, acting.scope, checkout.id)
    assert order is not None
    opened = await billing.open_page(billing_context, account, checkout)
    page = CartCheckout(
        url=opened.url,
        order_id=order.id,
        metadata=metadata.load(opened.metadata),
        expires_at=clock.rfc3339(opened.expires_at),
    )
    return post.reply(page, is_replay=before is not None)


def _cart(body: CartCheckoutCreate) -> store.Cart:
    return store.Cart(
        email=body.email,
        items=[store.Item(item.price_id, item.quantity) for item in body.items],
        success_url=body.success_url,
        cancel_url=body.cancel_url,
        user_id=None if body.user_id is None else customers.validate_user_id(body.user_id, "userId"),
        coupon=body.coupon,
        metadata=metadata.create(body.metadata),
    )

"""Subscription checkout: validates tier, price and coupon, and creates the checkout."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from dream_api import catalog, customers, platforms
from dream_api.billing import checkouts, gateway_accounts, queries
from dream_api.catalog import Price, TierWithPrices
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, ValidationFailed
from dream_api.core.idempotency import IdempotentRequest
from dream_api.core.metadata import Metadata
from dream_api.gateways import usage_prices
from dream_api.gateways.contract import LineItem, NewCheckout
from dream_api.platforms import Project, ProjectScope

LARGEST_QUANTITY = 10_000


class AlreadySubscribed(Conflict):
    code = "already_subscribed"
    hint = (
        "Change the subscription with POST /api/subscriptions/{id}/change, or send the customer to the customer portal."
    )


async def create_subscription_checkout(
    tx: Tx,
    project: Project,
    scope: ProjectScope,
    *,
    user_id: str,
    tier: str,
    price_id: str | None = None,
    quantity: int = 1,
    coupon: str | None = None,
    success_url: str,
    cancel_url: str,
    are_own_pages: bool = False,
    metadata: Metadata | None = None,
    once: IdempotentRequest | None = None,
    checkout_id: str | None = None,
) -> Row[Any]:
    """The checkout by which the customer will pay for the tier; the customer is made where there is none.

    `are_own_pages`: both URLs are pages of this instance, whose origin no project needs to list. `checkout_id`: where
    they contain it.
    """
    if not are_own_pages:
        platforms.require_allowed_redirect(project, scope.mode, success_url, "successUrl")
        platforms.require_allowed_redirect(project, scope.mode, cancel_url, "cancelUrl")
    account = await gateway_accounts.ensure_account(tx, scope)
    now = await gateway_accounts.account_now(tx, account)
    offer = await catalog.find_tier_for_sale(tx, scope.platform_no, scope.project_id, scope.mode, tier)
    price = catalog.select_price(offer, price_id=price_id)
    lines = checkout_lines(offer, price, quantity)
    customer = await customers.ensure(tx, scope, user_id, now=now)
    customers.require_active(customer.status)
    await _require_no_subscription(tx, scope, customer)
    found = None
    if coupon is not None:
        found = await catalog.find_coupon(tx, scope.platform_no, scope.project_id, scope.mode, coupon, now)
        if found.currency not in (None, price.currency):
            raise catalog.CouponInvalid("The coupon is for a currency other than the price's.", param="coupon")
    wanted = NewCheckout(
        lines=lines,
        currency=price.currency,
        customer=await queries.gateway_customer_of(tx, scope.platform_no, account.id, customer.id),
        email=customer.email,
        success_url=success_url,
        cancel_url=cancel_url,
        expires_at=now + checkouts.OPEN_FOR,
        trial_days=0 if await queries.had_trial(tx, scope.platform_no, customer.id) else offer.trial_days or 0,
        coupon=found,
        metadata=gateway_metadata(customer.id, lines),
    )
    subtotal = catalog.amount_of(price, quantity)
    return await checkouts.create_checkout(
        tx,
        account,
        wanted,
        purpose="subscription",
        subtotal=subtotal,
        customer_id=customer.id,
        metadata=metadata or {},
        once=once,
        now=now,
        checkout_id=checkout_id,
    )


def checkout_lines(offer: TierWithPrices, price: Price, quantity: int) -> tuple[LineItem, ...]:
    """The price, and what the tier bills by usage with it."""
    if not 1 <= quantity <= LARGEST_QUANTITY:
        raise ValidationFailed(f"The quantity must be a whole number from 1 to {LARGEST_QUANTITY:,}.", param="quantity")
    if price.billing_scheme == "flat_rate" and quantity != 1:
        raise ValidationFailed("The quantity of a flat rate is always 1.", param="quantity")
    if catalog.amount_of(price, quantity) > catalog.LARGEST_CHARGE:
        catalog.require_chargeable(catalog.amount_of(price, quantity), price.currency, param="quantity")
    metered = catalog.usage_prices_of(price, offer.prices)
    name = offer.display_name
    return (LineItem(price, name, quantity), *(LineItem(each, f"{name}: {each.meter}", 0) for each in metered))


def gateway_metadata(customer_id: str, lines: Sequence[LineItem]) -> dict[str, str]:
    """Metadata that the gateway returns with every object of the subscription."""
    return {"customer": customer_id} | usage_prices.to_metadata(usage_prices.usage_price_ids(lines))


async def _require_no_subscription(tx: Tx, scope: ProjectScope, customer: Row[Any]) -> None:
    holding = await queries.granting_subscriptions(tx, scope.platform_no, customer.id)
    if holding:
        raise AlreadySubscribed(
            f"{customer.user_id} already has a subscription to {holding[0].plan}: {holding[0].id}.", param="X-User-Id"
        )

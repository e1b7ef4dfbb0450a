"""Plan changes, cancellation and resumption of subscriptions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api import catalog, platforms
from dream_api.billing import (
    event_sync,
    gateway_accounts,
    queries,
    sandbox_delivery,
    subscription_checkout,
    usage_segments,
)
from dream_api.billing.context import BillingContext
from dream_api.billing.usage_segments import OwedUsage
from dream_api.catalog import Price, TierWithPrices
from dream_api.core import ids
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound, ValidationFailed
from dream_api.gateways.contract import GatewayAccount, GatewayRefused, Preview, SubscriptionChange
from dream_api.platforms import ProjectScope


async def find_subscription(tx: Tx, scope: ProjectScope, subscription_id: str) -> tuple[GatewayAccount, Row[Any]]:
    """The subscription and where it is paid."""
    subscription = await queries.subscription_in(tx, scope, subscription_id)
    if subscription is None:
        raise NotFound("Subscription not found.", param="id")
    account = await gateway_accounts.find_account(tx, subscription.account)
    assert account is not None
    return account, subscription


async def build_change(
    tx: Tx, scope: ProjectScope, subscription: Row[Any], *, tier: str | None, price_id: str | None, quantity: int | None
) -> SubscriptionChange:
    """What the subscription is to become; what is left out stays. Raises PlatformClosing."""
    await platforms.require_open(tx, scope.platform_no, scope.project_id, lock=False)
    require_not_ended(subscription)
    offer, price = await _priced(tx, scope, subscription, tier, price_id)
    if price.currency != subscription.currency:
        raise ValidationFailed("The currency of a subscription cannot be changed.", param="priceId")
    kept: int = 1 if price.billing_scheme == "flat_rate" else subscription.quantity
    lines = subscription_checkout.checkout_lines(offer, price, kept if quantity is None else quantity)
    if (price.id, lines[0].quantity) == (subscription.price_id, subscription.quantity):
        raise ValidationFailed("The subscription is already on this plan and quantity.", param="tier")
    return SubscriptionChange(lines, subscription_checkout.gateway_metadata(subscription.customer_id, lines))


async def _price(tx: Tx, scope: ProjectScope, price_id: str) -> Price:
    """A price that is sold, or was."""
    price = await catalog.price_by_id(tx, scope.platform_no, scope.project_id, scope.mode, price_id)
    assert price is not None
    return price


async def _priced(
    tx: Tx, scope: ProjectScope, subscription: Row[Any], tier: str | None, price_id: str | None
) -> tuple[TierWithPrices, Price]:
    offer = await catalog.find_tier_for_sale(
        tx, scope.platform_no, scope.project_id, scope.mode, tier or subscription.plan
    )
    if price_id is not None:
        return offer, catalog.select_price(offer, price_id=price_id)
    present = await _price(tx, scope, subscription.price_id)
    return offer, present if tier is None else catalog.select_next_price(offer, present)


def require_not_ended(subscription: Row[Any]) -> None:
    if subscription.status == "canceled":
        raise GatewayRefused(
            "The subscription has ended.", hint="Create a new subscription with POST /api/create-checkout."
        )


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """What a change would cost at this moment; `usage`: what the next invoice bills of this period so far."""

    cost: Preview
    usage: Sequence[OwedUsage]


async def preview(
    billing: BillingContext, account: GatewayAccount, subscription: Row[Any], change: SubscriptionChange
) -> ChangePreview:
    cost = await billing.gateway_of(account).preview_change(account, subscription.gateway_id, change)
    async with billing.database.read() as tx:
        return ChangePreview(cost, await usage_segments.owed_usage(tx, account, subscription))


async def change(
    billing: BillingContext,
    account: GatewayAccount,
    subscription: Row[Any],
    change: SubscriptionChange,
    key: str | None,
) -> None:
    """In force at once, also at the metered calls; CardRefused where it could not be paid, and nothing has changed."""
    await billing.gateway_of(account).change_subscription(account, subscription.gateway_id, change, key=_key(key))
    await _sync(billing, account, subscription)


async def cancel(
    billing: BillingContext,
    account: GatewayAccount,
    subscription: Row[Any],
    *,
    at_period_end: bool,
    reason: str | None,
    key: str | None,
    bills_usage: bool = True,
) -> None:
    """`bills_usage`: whether one that ends now is invoiced for its usage."""
    require_not_ended(subscription)
    await billing.gateway_of(account).cancel_subscription(
        account,
        subscription.gateway_id,
        at_period_end=at_period_end,
        reason=reason,
        key=_key(key),
        bills_usage=bills_usage,
    )
    await _sync(billing, account, subscription)


async def resume(billing: BillingContext, account: GatewayAccount, subscription: Row[Any], key: str | None) -> None:
    """Take back a cancellation at the period's end; raises PlatformClosing."""
    require_not_ended(subscription)
    async with billing.database.read() as tx:
        await platforms.require_open(tx, account.platform_no, account.project_id, lock=False)
    await billing.gateway_of(account).resume_subscription(account, subscription.gateway_id, key=_key(key))
    await _sync(billing, account, subscription)


async def pause(billing: BillingContext, account: GatewayAccount, subscription: Row[Any]) -> None:
    """Its periods pass without an invoice, and without its plan."""
    await billing.gateway_of(account).pause_collection(account, subscription.gateway_id, key=_key(None))
    await _sync(billing, account, subscription)


async def end_pause(billing: BillingContext, account: GatewayAccount, subscription: Row[Any]) -> None:
    """Charge for it again, from the next period on that is not paid for."""
    await billing.gateway_of(account).resume_collection(account, subscription.gateway_id, key=_key(None))
    await _sync(billing, account, subscription)


async def _sync(billing: BillingContext, account: GatewayAccount, subscription: Row[Any]) -> None:
    """Apply the change here before the caller gets its response, with the sandbox's invoices."""
    await event_sync.sync_object(billing, account, "subscription", subscription.gateway_id)
    if account.gateway == "sandbox":
        await sandbox_delivery.deliver_events(billing, account)


def _key(key: str | None) -> str:
    """The outgoing idempotency key: the caller's, so that its retries are one call."""
    return ids.new("req") if key is None else key

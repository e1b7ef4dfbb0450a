"""Syncs subscriptions from the gateway and sets the customer's plan."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api import catalog, customers, webhooks
from dream_api.billing import gateway_accounts, queries, usage_segments
from dream_api.billing.context import PLAN_CHANGED
from dream_api.catalog import Price
from dream_api.core import clock, ids, metadata, money
from dream_api.core.db import Tx
from dream_api.core.events import Events
from dream_api.gateways import usage_prices
from dream_api.gateways.contract import GatewayAccount, SubscriptionSnapshot
from dream_api.webhooks import Event

# How long a plan goes on while the gateway tries to be paid.
DUNNING_PERIOD = 14 * clock.DAY


@dataclass(frozen=True, slots=True)
class GrantedPlan:
    """What a customer has by their subscriptions: the plan, and the time that was paid for."""

    plan: str
    period: tuple[int, int]
    # Whose usage is billed begins to count with the subscription; others go on in a period that they left.
    continues: bool


@dataclass(frozen=True, slots=True)
class GrantStatus:
    """Whether a subscription grants its plan at a moment; depends on its snapshot only."""

    holds: bool
    lapses_at: int | None


def grant_status(snapshot: SubscriptionSnapshot, now: int) -> GrantStatus:
    """Trialing and active hold the plan; past due does for 14 days since the unpaid invoice."""
    if snapshot.status in ("trialing", "active"):
        return GrantStatus(holds=True, lapses_at=None)
    if snapshot.status != "past_due":
        return GrantStatus(holds=False, lapses_at=None)
    unpaid_since = snapshot.period_starts_at if snapshot.unpaid_since is None else snapshot.unpaid_since
    # The gateway's first try comes an hour after the invoice was made.
    lapses_at = unpaid_since + clock.HOUR + DUNNING_PERIOD
    return GrantStatus(holds=now < lapses_at, lapses_at=lapses_at)


def granted_plan(subscriptions: Iterable[Row[Any]]) -> GrantedPlan | None:
    """The plan that these subscriptions of one customer give: that of the last one begun which holds."""
    holding = [each for each in subscriptions if each.holds]
    if not holding:
        return None
    last = max(holding, key=lambda each: (each.started_at, each.gateway_id))
    continues = not json.loads(last.usage_prices)
    return GrantedPlan(last.plan, (last.period_starts_at, last.period_ends_at), continues)


async def sync_subscription(
    tx: Tx, events: Events, account: GatewayAccount, snapshot: SubscriptionSnapshot, now: int
) -> None:
    """Write down how the subscription stands; its customer's plan follows where that changes it."""
    known = await queries.subscription_by_gateway_id(tx, account, snapshot.id)
    customer_id = snapshot.metadata.get("customer") if known is None else known.customer_id
    if customer_id is None:
        return  # made at the gateway by hand: it sells nothing of ours
    customer = await customers.lock(tx, gateway_accounts.scope_of(account), customer_id)
    price = await catalog.price_by_id(tx, account.platform_no, account.project_id, account.mode, snapshot.price_id)
    if customer is None or price is None:
        return
    before = granted_plan(await queries.subscriptions_of(tx, account.platform_no, customer.id))
    await queries.put_gateway_customer(tx, account, snapshot.customer, customer.id, now)
    plan = await catalog.get_tier_name(tx, account.platform_no, price.tier_id)
    values = _values(snapshot, price, plan, grant_status(snapshot, now), now)
    values["monthly_amount"] -= await _lasting_discount(tx, account, snapshot, price, values["amount"])
    if known is None:
        written = await queries.insert_subscription(
            tx,
            account,
            values
            | {
                "id": ids.new("sub"),
                "customer_id": customer.id,
                "user_id": customer.user_id,
                "metadata": await queries.metadata_of_checkout(tx, account, snapshot.metadata.get("checkout")),
            },
        )
    elif _stands(known, values):
        written = known
    else:
        written = await queries.update_subscription(tx, account.platform_no, known.id, values)
    await usage_segments.record_segments(tx, account, customer.no, known, written, snapshot, now)
    await _emit_event(tx, account, known, written, now)
    await sync_plan(tx, events, account, customer, before, now)


async def sync_plan(
    tx: Tx, events: Events, account: GatewayAccount, customer: Row[Any], before: GrantedPlan | None, now: int
) -> None:
    """Put the customer on what their subscriptions give, where that is something else than before."""
    after = granted_plan(await queries.subscriptions_of(tx, account.platform_no, customer.id))
    if after == before:
        return  # a plan that was set by hand since stays
    scope = gateway_accounts.scope_of(account)
    if after is None:
        await customers.set_plan(tx, scope, customer.user_id, None, now=now)
    else:
        await customers.set_plan(
            tx, scope, customer.user_id, after.plan, period=after.period, continues=after.continues, now=now
        )
    plan = None if after is None else after.plan
    if plan != (None if before is None else before.plan):
        await events.emit(tx, PLAN_CHANGED, account=account, user_id=customer.user_id, plan=plan)


async def _lasting_discount(
    tx: Tx, account: GatewayAccount, snapshot: SubscriptionSnapshot, price: Price, amount: int
) -> int:
    """What a coupon that lasts for ever takes off by the month."""
    checkout_id = snapshot.metadata.get("checkout")
    checkout = None if checkout_id is None else await queries.checkout_by_id(tx, account.platform_no, checkout_id)
    if checkout is None or checkout.coupon_id is None:
        return 0
    coupon = await catalog.coupon_by_id(tx, account.platform_no, checkout.coupon_id)
    if coupon is None or coupon.duration != "forever":
        return 0
    assert price.interval is not None
    [off] = catalog.discount_of(coupon, [amount], step=money.step(price.currency))
    return catalog.monthly_amount(off, price.interval, price.interval_count)


def _values(snapshot: SubscriptionSnapshot, price: Price, plan: str, grant: GrantStatus, now: int) -> dict[str, Any]:
    amount = catalog.amount_of(price, snapshot.quantity)
    assert price.interval is not None
    return {
        "plan": plan,
        "price_id": price.id,
        "product_id": price.tier_id,
        "usage_prices": json.dumps(usage_prices.from_metadata(snapshot.metadata)),
        "amount": amount,
        "monthly_amount": catalog.monthly_amount(amount, price.interval, price.interval_count),
        "currency": price.currency,
        "quantity": snapshot.quantity,
        "status": snapshot.status,
        "holds": grant.holds,
        "lapses_at": grant.lapses_at,
        "started_at": snapshot.started_at,
        "ended_at": snapshot.ended_at,
        "period_starts_at": snapshot.period_starts_at,
        "period_ends_at": snapshot.period_ends_at,
        "usage_period_starts_at": snapshot.usage_period_starts_at,
        "trial_ends_at": snapshot.trial_ends_at,
        "cancel_at": snapshot.cancel_at,
        "canceled_at": snapshot.canceled_at,
        "cancel_reason": snapshot.cancel_reason,
        "gateway_id": snapshot.id,
        "gateway_customer": snapshot.customer,
        "updated_at": now,
    }


def _stands(known: Row[Any], values: dict[str, Any]) -> bool:
    """Whether all of it is written down already: then nothing changes, and the time of the last change stays true."""
    return all(getattr(known, name) == value for name, value in values.items() if name != "updated_at")


async def _emit_event(tx: Tx, account: GatewayAccount, before: Row[Any] | None, after: Row[Any], now: int) -> None:
    """Record the webhook event of a new subscription, or of a changed status or plan."""
    if before is None:
        kind = "subscription.created"
    elif after.status == "canceled" and before.status != "canceled":
        kind = "subscription.canceled"
    elif any(getattr(before, name) != getattr(after, name) for name in _WATCHED_COLUMNS):
        kind = "subscription.updated"
    else:
        return
    await webhooks.record_events(
        tx,
        [
            Event(
                account.platform_no,
                account.project_id,
                account.mode,
                kind,
                {
                    "subscriptionId": after.id,
                    "userId": after.user_id,
                    "plan": after.plan,
                    "status": after.status,
                    "currentPeriodStart": clock.rfc3339(after.period_starts_at),
                    "currentPeriodEnd": clock.rfc3339(after.period_ends_at),
                    "cancelAt": None if after.cancel_at is None else clock.rfc3339(after.cancel_at),
                    "metadata": metadata.load(after.metadata),
                },
                now,
            )
        ],
    )


_WATCHED_COLUMNS = ("status", "plan", "quantity", "period_starts_at", "cancel_at")


async def next_lapse(tx: Tx, account: GatewayAccount) -> int | None:
    """When the next plan ends because nobody paid."""
    return await queries.next_lapse(tx, account.platform_no, account.id)


async def lapse(tx: Tx, events: Events, account: GatewayAccount, now: int) -> bool:
    """End the plan of the first subscription whose dunning is over; whether there was one."""
    due = await queries.first_lapsed(tx, account.platform_no, account.id, now)
    if due is None:
        return False
    customer = await customers.lock(tx, gateway_accounts.scope_of(account), due.customer_id)
    assert customer is not None
    before = granted_plan(await queries.subscriptions_of(tx, account.platform_no, customer.id))
    await queries.update_subscription(tx, account.platform_no, due.id, {"holds": False, "updated_at": now})
    await sync_plan(tx, events, account, customer, before, now)
    return True

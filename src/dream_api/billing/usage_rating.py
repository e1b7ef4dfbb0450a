"""Usage rating: invoices each meter's count in a closed period of a subscription, in integers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from dream_api import customers, usage, webhooks
from dream_api.billing import gateway_accounts, queries, usage_segments
from dream_api.billing.context import BillingContext
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.gateways.contract import GatewayAccount, GatewayRefused, InvoiceSnapshot, LineItem
from dream_api.usage import Meter
from dream_api.webhooks import Event

# Invoices of these are made when a period has ended.
_CLOSING = ("subscription_cycle", "subscription_cancel")


async def rate(tx: Tx, account: GatewayAccount, invoice: Row[Any], now: int) -> None:
    """Close the period that the draft is for, and store what its usage costs, once."""
    if invoice.subscription_id is None or invoice.reason not in _CLOSING:
        return
    subscription = await queries.subscription_by_id(tx, account.platform_no, invoice.subscription_id)
    assert subscription is not None
    customer = await customers.lock(tx, gateway_accounts.scope_of(account), subscription.customer_id)
    assert customer is not None
    segments = await queries.segments_of(tx, account.platform_no, subscription.id)
    priced = usage_segments.priced_meters(segments, invoice.period_starts_at)
    for meter in await usage_segments.meters_named(tx, account, list(priced)):
        await _rate_meter(tx, account, subscription, customer.no, invoice, meter, priced[meter.name], now)


async def _rate_meter(
    tx: Tx,
    account: GatewayAccount,
    subscription: Row[Any],
    customer_no: int,
    invoice: Row[Any],
    meter: Meter,
    segments: Sequence[Row[Any]],
    now: int,
) -> None:
    starts_at, ends_at = invoice.period_starts_at, invoice.period_ends_at
    quantity = 0
    for opened, closed in usage_segments.months_of(starts_at, ends_at):
        quantity += await usage.close_period(tx, account.platform_no, customer_no, meter.no, opened, closed)
    parts = usage_segments.split(segments, starts_at, quantity)
    prices = await usage_segments.prices_of(tx, account, parts)
    for part, amount in zip(parts, usage_segments.amounts_of(parts, prices), strict=True):
        is_new = await queries.insert_usage_bill(
            tx,
            account.platform_no,
            {
                "subscription_id": subscription.id,
                "meter": meter.name,
                "period_starts_at": starts_at,
                "segment": part.number,
                "period_ends_at": ends_at,
                "price_id": part.price_id,
                "customer_no": customer_no,
                "meter_no": meter.no,
                "quantity": part.quantity,
                "amount": amount,
                "invoice": invoice.gateway_id,
                "created_at": now,
            },
        )
        if is_new and amount is None:
            await _report_unbillable(tx, account, subscription, meter, starts_at, part.quantity, now)


async def _report_unbillable(
    tx: Tx, account: GatewayAccount, subscription: Row[Any], meter: Meter, starts_at: int, quantity: int, now: int
) -> None:
    """The usage is kept without an amount; `doctor` names it too."""
    data: dict[str, object] = {
        "subscriptionId": subscription.id,
        "userId": subscription.user_id,
        "meter": meter.name,
        "quantity": quantity,
        "periodStart": clock.rfc3339(starts_at),
    }
    event = Event(account.platform_no, account.project_id, account.mode, "usage.not_billable", data, at=now)
    await webhooks.record_events(tx, [event])


async def send(billing: BillingContext, account: GatewayAccount, snapshot: InvoiceSnapshot) -> None:
    """Put what is rated and not sent yet on the draft; a draft that was finished meanwhile leaves it to the next."""
    async with billing.database.read() as tx:
        bills = await queries.unsent_bills(tx, account, snapshot.subscription)
        prices = await usage_segments.load_prices(tx, account, [bill.price_id for bill in bills])
    for bill in bills:
        try:
            await billing.gateway_of(account).add_invoice_line(
                account,
                snapshot.id,
                LineItem(prices[bill.price_id], f"{bill.quantity:,} {bill.meter}", bill.quantity),
                amount=bill.amount,
                line_key=f"usage:{bill.meter}:{bill.period_starts_at}:{bill.segment}",
                key=f"{bill.subscription_id}:{bill.meter}:{bill.period_starts_at}:{bill.segment}",
            )
        except GatewayRefused:
            return
        async with billing.database.write() as tx:
            now = await gateway_accounts.account_now(tx, account)
            await queries.mark_sent(tx, account.platform_no, bill, snapshot.id, now)

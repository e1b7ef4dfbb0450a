"""Usage rating: invoices each meter's count in a closed period of a subscription, in integers."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row

from dream_api import catalog, customers, platforms, usage
from dream_api.billing import gateway_accounts, queries
from dream_api.billing.context import BillingContext
from dream_api.catalog import Price
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.gateways.contract import GatewayAccount, GatewayRefused, InvoiceSnapshot, LineItem
from dream_api.gateways.usage_prices import UsagePrices
from dream_api.usage import Meter

# Invoices of these are made when a period has ended.
_CLOSING = ("subscription_cycle", "subscription_cancel")


async def rate(tx: Tx, account: GatewayAccount, invoice: Row[Any]) -> None:
    """Close the period that the draft is for, and note what its usage costs, once."""
    if invoice.subscription_id is None or invoice.reason not in _CLOSING:
        return
    subscription = await queries.subscription_by_id(tx, account.platform_no, invoice.subscription_id)
    assert subscription is not None
    customer = await customers.lock(tx, gateway_accounts.scope_of(account), subscription.customer_id)
    assert customer is not None
    project = await platforms.find_project(tx, account.project_id)
    meters = await usage.meters_of(tx, project.platform_no, project.no)
    found = [
        await catalog.price_by_id(tx, account.platform_no, account.project_id, account.mode, price_id)
        for price_id in UsagePrices.from_json(subscription.usage_prices).of_period(invoice.period_starts_at)
    ]
    priced = [(meters[price.meter], price) for price in found if price is not None and price.meter is not None]
    # In the order of their numbers, in which everybody locks them.
    for meter, price in sorted(priced, key=lambda each: each[0].no):
        await _rate_meter(tx, account, subscription, customer.no, invoice, meter, price)


async def _rate_meter(
    tx: Tx,
    account: GatewayAccount,
    subscription: Row[Any],
    customer_no: int,
    invoice: Row[Any],
    meter: Meter,
    price: Price,
) -> None:
    starts_at, ends_at = invoice.period_starts_at, invoice.period_ends_at
    quantity = 0
    for opened, closed in _months(starts_at, ends_at):
        quantity += await usage.close_period(tx, account.platform_no, customer_no, meter.no, opened, closed)
    await queries.insert_usage_bill(
        tx,
        account.platform_no,
        {
            "subscription_id": subscription.id,
            "meter": meter.name,
            "period_starts_at": starts_at,
            "period_ends_at": ends_at,
            "price_id": price.id,
            "customer_no": customer_no,
            "meter_no": meter.no,
            "quantity": quantity,
            "amount": catalog.amount_of(price, quantity),
            "invoice": invoice.gateway_id,
            "created_at": clock.now(),
        },
    )


async def send(billing: BillingContext, account: GatewayAccount, snapshot: InvoiceSnapshot) -> None:
    """Put what is rated and not sent yet on the draft; a draft that was finished meanwhile leaves it to the next."""
    async with billing.database.read() as tx:
        bills = await queries.unsent_bills(tx, account, snapshot.subscription)
        prices = {
            bill.price_id: await catalog.price_by_id(
                tx, account.platform_no, account.project_id, account.mode, bill.price_id
            )
            for bill in bills
        }
    for bill in bills:
        price = prices[bill.price_id]
        assert price is not None
        try:
            await billing.gateway_of(account).add_invoice_line(
                account,
                snapshot.id,
                LineItem(price, f"{bill.quantity:,} {bill.meter}", bill.quantity),
                amount=bill.amount,
                line_key=f"usage:{bill.meter}:{bill.period_starts_at}",
                key=f"{bill.subscription_id}:{bill.meter}:{bill.period_starts_at}",
            )
        except GatewayRefused:
            return
        async with billing.database.write() as tx:
            await queries.mark_sent(tx, account.platform_no, bill, snapshot.id, clock.now())


def _months(starts_at: int, ends_at: int) -> Iterator[tuple[int, int]]:
    """The periods that usage was counted in: a month each, counted from the start; a paid week is one period."""
    opened, months = starts_at, 0
    while opened < ends_at:
        months += 1
        closed = min(clock.add_months(starts_at, months), ends_at)
        yield opened, closed
        opened = closed

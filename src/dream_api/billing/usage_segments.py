"""Usage segments: the part of a billing period in which a meter's usage has one price.

A change of the plan ends a segment of each meter whose price changes: what was counted until then is billed at the old
price, what is counted afterwards at the new one. Reservations count in the segment in which they are settled, and calls
with a timestamp of the past in the one in which they arrive. During a trial, usage has no price.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Row

from dream_api import catalog, customers, platforms, usage
from dream_api.billing import gateway_accounts, queries
from dream_api.catalog import Price
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.gateways import usage_prices
from dream_api.gateways.contract import GatewayAccount, SubscriptionSnapshot
from dream_api.usage import Meter


@dataclass(frozen=True, slots=True)
class BilledSegment:
    """A quantity of one meter and period; `price_id` None: it costs nothing."""

    number: int
    price_id: str | None
    quantity: int


@dataclass(frozen=True, slots=True)
class OwedUsage:
    """What a meter's usage in one segment costs."""

    meter: str
    quantity: int
    # None: more than one payment can be.
    amount: int | None


async def record_segments(
    tx: Tx,
    account: GatewayAccount,
    customer_no: int,
    before: Row[Any] | None,
    subscription: Row[Any],
    snapshot: SubscriptionSnapshot,
    now: int,
) -> None:
    """Begin a segment of each meter whose price is another one than before; the customer must be locked."""
    if snapshot.status == "canceled":
        return  # what was used until then keeps its price
    wanted = await _wanted_prices(tx, account, snapshot)
    segments = await queries.segments_of(tx, account.platform_no, subscription.id)
    last = {segment.meter: segment for segment in segments}
    changed = [name for name in {*wanted, *last} if wanted.get(name) != (last[name].price_id if name in last else None)]
    if not changed:
        return
    starts_at = snapshot.usage_period_starts_at
    begins_period = before is None or before.usage_period_starts_at != starts_at
    for meter in await meters_named(tx, account, changed):
        quantity = 0
        if not begins_period:
            quantity = await count_so_far(tx, account, customer_no, meter, starts_at)
        await queries.insert_segment(
            tx,
            account.platform_no,
            {
                "subscription_id": subscription.id,
                "meter": meter.name,
                "number": last[meter.name].number + 1 if meter.name in last else 1,
                "period_starts_at": starts_at,
                "starts_at_quantity": quantity,
                "price_id": wanted.get(meter.name),
                "created_at": now,
            },
        )


async def _wanted_prices(tx: Tx, account: GatewayAccount, snapshot: SubscriptionSnapshot) -> dict[str, str]:
    """The ids of the usage prices by their meters."""
    if snapshot.status == "trialing":
        return {}
    found = [
        await catalog.price_by_id(tx, account.platform_no, account.project_id, account.mode, price_id)
        for price_id in usage_prices.from_metadata(snapshot.metadata)
    ]
    return {price.meter: price.id for price in found if price is not None and price.meter is not None}


async def meters_named(tx: Tx, account: GatewayAccount, names: Sequence[str]) -> list[Meter]:
    """In the order of their numbers, in which everybody locks them."""
    project = await platforms.find_project(tx, account.project_id)
    meters = await usage.meters_of(tx, project.platform_no, project.no)
    return sorted((meters[name] for name in names), key=lambda meter: meter.no)


async def count_so_far(
    tx: Tx, account: GatewayAccount, customer_no: int, meter: Meter, period_starts_at: int, *, lock: bool = True
) -> int:
    """What the meter has counted in the billing period; `lock`: nothing is added to it before the transaction ends."""
    count = usage.count_in_period if lock else usage.used_in_period
    now = await gateway_accounts.account_now(tx, account)
    months = [opened for opened, _ in months_of(period_starts_at, now + 1)]
    return sum([await count(tx, account.platform_no, customer_no, meter.no, opened) for opened in months])


async def owed_usage(tx: Tx, account: GatewayAccount, subscription: Row[Any]) -> list[OwedUsage]:
    """What the current period costs by its usage so far, by meter, oldest segment first."""
    starts_at = subscription.usage_period_starts_at
    customer = await customers.find(tx, gateway_accounts.scope_of(account), subscription.customer_id)
    priced = priced_meters(await queries.segments_of(tx, account.platform_no, subscription.id), starts_at)
    owed: list[OwedUsage] = []
    for meter in await meters_named(tx, account, list(priced)):
        quantity = await count_so_far(tx, account, customer.no, meter, starts_at, lock=False)
        parts = split(priced[meter.name], starts_at, quantity)
        amounts = amounts_of(parts, await prices_of(tx, account, parts))
        owed += [
            OwedUsage(meter.name, part.quantity, amount)
            for part, amount in zip(parts, amounts, strict=True)
            if part.price_id is not None and (part.quantity or amount)
        ]
    return owed


async def prices_of(tx: Tx, account: GatewayAccount, parts: Sequence[BilledSegment]) -> dict[str, Price]:
    """By their ids, also those that are not sold any more."""
    return await load_prices(tx, account, [part.price_id for part in parts])


async def load_prices(tx: Tx, account: GatewayAccount, price_ids: Iterable[str | None]) -> dict[str, Price]:
    found: dict[str, Price] = {}
    for price_id in filter(None, price_ids):
        price = await catalog.price_by_id(tx, account.platform_no, account.project_id, account.mode, price_id)
        assert price is not None
        found[price_id] = price
    return found


def months_of(starts_at: int, ends_at: int) -> Iterator[tuple[int, int]]:
    """The periods that usage was counted in: a month each, counted from the start; a paid week is one period."""
    opened, months = starts_at, 0
    while opened < ends_at:
        months += 1
        closed = min(clock.add_months(starts_at, months), ends_at)
        yield opened, closed
        opened = closed


def priced_meters(segments: Sequence[Row[Any]], period_starts_at: int) -> dict[str, list[Row[Any]]]:
    """The meters that have a price at some time in the period, each with its segments of the period, oldest first.

    The first begins with the period: it may be older.
    """
    found: dict[str, list[Row[Any]]] = {}
    for meter, of_meter in groupby(segments, key=lambda segment: segment.meter):
        begun = [segment for segment in of_meter if segment.period_starts_at <= period_starts_at]
        earlier = [segment for segment in begun if segment.period_starts_at < period_starts_at]
        in_period = [*earlier[-1:], *begun[len(earlier) :]]
        if any(segment.price_id is not None for segment in in_period):
            found[meter] = in_period
    return found


def split(segments: Sequence[Row[Any]], period_starts_at: int, quantity: int) -> list[BilledSegment]:
    """The quantity of a period, split into its segments; a correction takes from the last ones."""
    ends_at = quantity
    parts: list[BilledSegment] = []
    for segment in reversed(segments):
        begins = segment.starts_at_quantity if segment.period_starts_at == period_starts_at else 0
        begins = min(begins, ends_at)
        parts.append(BilledSegment(segment.number, segment.price_id, ends_at - begins))
        ends_at = begins
    parts.reverse()
    if ends_at:  # counted in the period before the first segment: without a price
        parts.insert(0, BilledSegment(0, None, ends_at))
    return parts


def amounts_of(parts: Sequence[BilledSegment], prices: Mapping[str, Price]) -> list[int | None]:
    """What each part costs; None: more than one payment can be.

    Of parts without usage, only the last one asks for the flat amount of its price.
    """
    used = any(part.quantity for part in parts)
    last = parts[-1] if parts else None
    return [
        0
        if part.price_id is None or (part.quantity == 0 and (used or part is not last))
        else _amount_of(prices[part.price_id], part.quantity)
        for part in parts
    ]


def _amount_of(price: Price, quantity: int) -> int | None:
    try:
        amount = catalog.amount_of(price, quantity)
    except catalog.AmountTooLarge:
        return None
    return amount if amount <= catalog.LARGEST_CHARGE else None

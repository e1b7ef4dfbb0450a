"""Recomputation of billed usage, for `doctor`: from segments, counts and prices, by an arithmetic of its own."""

import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Table, select

from dream_api import platforms
from dream_api.billing.tables import usage_bills, usage_segments
from dream_api.catalog.tables import prices
from dream_api.core.db import Tx

_AT_ONCE = 200
_LARGEST_PAYMENT = 99_999_999
_Rows = dict[str, list[Row[Any]]]


async def find_wrong_bills(tx: Tx, limit: int) -> Sequence[dict[str, Any]]:
    """Bills whose quantity, price or amount is not what their segments come to; so many at most."""
    found: list[dict[str, Any]] = []
    for platform in await platforms.all_platforms(tx):
        async for ids in _pages_of_subscriptions(tx, platform.no):
            bills = await _rows_of(tx, platform.no, usage_bills, ids)
            segments = await _rows_of(tx, platform.no, usage_segments, ids)
            terms = await _terms_of(tx, platform.no, [bill for of_one in bills.values() for bill in of_one])
            for subscription_id, of_one in bills.items():
                found += _wrong_of(of_one, segments.get(subscription_id, []), terms)
            if len(found) >= limit:
                return found[:limit]
    return found


async def _pages_of_subscriptions(tx: Tx, platform_no: int) -> AsyncGenerator[list[str]]:
    b = usage_bills.c
    after = ""
    while True:
        query = select(b.subscription_id).where(b.platform_no == platform_no, b.subscription_id > after).distinct()
        ids = [row.subscription_id for row in await tx.all(query.order_by(b.subscription_id).limit(_AT_ONCE))]
        if not ids:
            return
        yield ids
        after = ids[-1]


async def _rows_of(tx: Tx, platform_no: int, table: Table, ids: Sequence[str]) -> _Rows:
    """By subscription, in the order of their keys."""
    grouped: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    whose = select(table).where(table.c.platform_no == platform_no, table.c.subscription_id.in_(ids))
    for row in await tx.all(whose.order_by(*table.primary_key)):
        grouped[row.subscription_id].append(row)
    return grouped


async def _terms_of(tx: Tx, platform_no: int, bills: Sequence[Row[Any]]) -> dict[str, Row[Any]]:
    wanted = sorted({bill.price_id for bill in bills if bill.price_id is not None})
    rows = await tx.all(select(prices).where(prices.c.platform_no == platform_no, prices.c.id.in_(wanted)))
    return {row.id: row for row in rows}


def _wrong_of(
    bills: Sequence[Row[Any]], segments: Sequence[Row[Any]], terms: Mapping[str, Row[Any]]
) -> list[dict[str, Any]]:
    periods: defaultdict[tuple[str, int], list[Row[Any]]] = defaultdict(list)
    for bill in bills:
        periods[bill.meter, bill.period_starts_at].append(bill)
    wrong: list[dict[str, Any]] = []
    for (meter, starts_at), of_period in periods.items():
        begun = [row for row in segments if row.meter == meter and row.period_starts_at <= starts_at]
        expected = _expected(begun, starts_at, sum(bill.quantity for bill in of_period)) if begun else {}
        was_used = any(bill.quantity for bill in of_period)
        for bill in of_period:
            price_id, quantity = expected.get(bill.segment, (bill.price_id, bill.quantity))
            amount: int | None = 0
            if price_id is not None and (quantity or (not was_used and bill is of_period[-1])):
                amount = _amount(terms.get(price_id), quantity)
                amount = None if amount is None or amount > _LARGEST_PAYMENT else amount
            if (bill.price_id, bill.quantity, bill.amount) != (price_id, quantity, amount):
                wrong.append(_contradiction(bill, price_id, quantity, amount))
    return wrong


def _contradiction(bill: Row[Any], price_id: str | None, quantity: int, amount: int | None) -> dict[str, Any]:
    return {
        "platform_no": bill.platform_no,
        "subscription_id": bill.subscription_id,
        "meter": bill.meter,
        "period_starts_at": bill.period_starts_at,
        "segment": bill.segment,
        "billed": f"{bill.quantity} at {bill.price_id}: {bill.amount}",
        "expected": f"{quantity} at {price_id}: {amount}",
    }


def _expected(begun: Sequence[Row[Any]], starts_at: int, total: int) -> dict[int, tuple[str | None, int]]:
    """Price and quantity by the segment's number; 0: before the first."""
    # Each unit belongs to the last segment that had begun when it was counted.
    starts: list[tuple[int, int, str | None]] = [(0, 0, None)]
    for row in begun:
        first_unit = row.starts_at_quantity if row.period_starts_at == starts_at else 0
        starts.append((first_unit, row.number, row.price_id))
    quantities: dict[int, tuple[str | None, int]] = {}
    for place, (first_unit, number, price_id) in enumerate(starts):
        lowest_later = min([total, *(later for later, _, _ in starts[place + 1 :])])
        quantities[number] = (price_id, max(lowest_later - min(first_unit, total), 0))
    return quantities


def _amount(terms: Row[Any] | None, quantity: int) -> int | None:
    """None: the price is unknown."""
    if terms is None:
        return None
    steps: list[dict[str, Any]] = json.loads(terms.tiers or "[]")
    match terms.billing_scheme:
        case "per_unit":
            packages, rest = divmod(quantity, terms.per)
            return int((packages + (1 if rest else 0)) * terms.unit_amount)
        case "volume":
            reached = next(step for step in steps if step["upTo"] is None or quantity <= step["upTo"])
            return int(quantity * reached["unitAmount"] + reached["flatAmount"])
        case _:
            return _graduated_amount(steps, quantity)


def _graduated_amount(steps: Sequence[Mapping[str, Any]], quantity: int) -> int:
    asked, lower = 0, 0
    for step in steps:
        if lower and quantity <= lower:
            break
        upper = quantity if step["upTo"] is None else min(quantity, step["upTo"])
        asked += (upper - lower) * step["unitAmount"] + step["flatAmount"]
        lower = upper
    return asked

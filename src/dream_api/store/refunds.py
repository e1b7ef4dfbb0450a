"""Refunds of an order: by units, by amount, or all that is left."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row

from dream_api import billing, gateways
from dream_api.billing import RefundTooLarge
from dream_api.core import money
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, ValidationFailed
from dream_api.core.idempotency import IdempotentRequest
from dream_api.core.metadata import Metadata
from dream_api.platforms import ProjectScope
from dream_api.store import order_queries as queries
from dream_api.store import orders
from dream_api.store.refund_amounts import (
    Lines,
    ReturnedUnits,
    Returns,
    paid_amounts,
    refund_memo,
    refundable_units,
    sum_returns,
)

_HOW_MANY = "Read the order and its refunds to see which units were refunded or have a pending refund."
_FAILED = "failed"


class OrderNotPaid(Conflict):
    code = "order_not_paid"
    hint = "There is nothing to refund. An order that is processing can be canceled: POST /api/orders/{id}/cancel."


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """Units by their lines, or an amount; neither: all that is left. `restock`: the units go back on sale."""

    units: Sequence[tuple[int, int]] = ()
    amount: int | None = None
    restock: bool = False
    reason: str | None = None
    metadata: Metadata = field(default_factory=dict[str, str])


async def find_payment(tx: Tx, scope: ProjectScope, order: Row[Any]) -> tuple[gateways.GatewayAccount, Row[Any]]:
    """What the order was paid with, and whose it is; OrderNotPaid where no money came in."""
    if order.payment_id is None:
        raise OrderNotPaid("This order is not paid.", param="id")
    return await billing.find_payment(tx, scope, order.payment_id)


async def create_refund(
    tx: Tx,
    account: gateways.GatewayAccount,
    order: Row[Any],
    asked: RefundRequest,
    *,
    once: IdempotentRequest | None = None,
    send_at_once: bool = False,
) -> Row[Any]:
    """The new refund, for `billing.send_refund`; never more than was paid, also under concurrent refunds."""
    _refuse_improper(order, asked)
    await billing.lock_payment(tx, order.platform_no, order.payment_id)
    refunds = await billing.refunds_of(tx, order.platform_no, order.payment_id)
    lines = await queries.lines_of(tx, order.platform_no, order.id)
    # What is on its way has gone as well, until it turns out that it did not arrive.
    gone = sum_returns(refund for refund in refunds if refund.status != _FAILED)
    returns = _returns(order, lines, gone, asked)
    refund = await billing.create_refund(
        tx,
        account,
        order.payment_id,
        _amount(asked, returns),
        reason=asked.reason,
        memo=refund_memo(order.id, returns),
        metadata=asked.metadata,
        once=once,
        send_at_once=send_at_once,
    )
    now = await billing.account_now(tx, account)
    await orders.add_event(tx, order, "refund_asked", now, refund=refund.id, amount=refund.amount)
    return refund


def _refuse_improper(order: Row[Any], asked: RefundRequest) -> None:
    if asked.amount is not None and asked.units:
        raise ValidationFailed("Enter either quantities or an amount, not both.", param="amount")
    if asked.amount is not None and asked.restock:
        raise ValidationFailed("Only refunds by quantity can return units to stock.", param="restock")
    if asked.restock and order.status == "failed":
        raise ValidationFailed("The order failed: its units are still in stock.", param="restock")


def _returns(order: Row[Any], lines: Lines, gone: Returns, asked: RefundRequest) -> Returns:
    """Which units go back, and for how much."""
    if asked.amount is not None:
        return {}
    left = {line.line: line.quantity - gone.get(line.line, ReturnedUnits()).quantity for line in lines}
    wanted = _wanted(asked, left)
    step = money.step(order.currency)
    paid = paid_amounts(lines, order.discount, step)
    returns: dict[int, ReturnedUnits] = {}
    for line in lines:
        if wanted[line.line]:
            units = refundable_units(
                line, wanted[line.line], paid[line.line], gone.get(line.line, ReturnedUnits()), step
            )
            returns[line.line] = replace(units, restocked=units.quantity if asked.restock else 0)
    return returns


def _wanted(asked: RefundRequest, left: dict[int, int]) -> Counter[int]:
    """How many of each line; all that is left where none is named."""
    if not asked.units:
        return Counter(left)
    wanted: Counter[int] = Counter()
    for line, quantity in asked.units:
        wanted[line] += quantity
    for line, quantity in wanted.items():
        if line not in left:
            raise ValidationFailed(f"The order has no line {line}.", param="lines")
        if quantity > left[line]:
            raise RefundTooLarge(
                f"The refund quantity of line {line} can be at most {left[line]:,}.", param="lines", hint=_HOW_MANY
            )
    return wanted


def _amount(asked: RefundRequest, returns: Returns) -> int | None:
    """None: all that is left."""
    if not asked.units:
        return asked.amount
    amount = sum(each.amount for each in returns.values())
    if amount == 0:
        raise ValidationFailed("Nothing was paid for these units.", param="lines")
    return amount

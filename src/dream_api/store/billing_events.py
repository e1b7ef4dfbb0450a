"""Handlers of billing's events; idempotent and independent of their order."""

from typing import Any

from sqlalchemy import Row

from dream_api import billing, gateways
from dream_api.core.db import Tx
from dream_api.platforms import ProjectScope
from dream_api.store import inventory, orders, stock_holds
from dream_api.store import order_queries as queries
from dream_api.store import refunds as refunding
from dream_api.store.refund_amounts import ReturnedUnits, sum_returns
from dream_api.store.refunds import RefundRequest
from dream_api.webhooks import EventType

_CART = "cart"
_SUCCEEDED = "succeeded"
_ENDED: dict[orders.EndStatus, EventType] = {
    "completed": "order.completed",
    "failed": "order.failed",
    "canceled": "order.canceled",
}


async def on_checkout_completed(tx: Tx, *, checkout: Row[Any], payment: Row[Any] | None, now: int) -> None:
    """A checkout was paid: its order is completed, or fails and gives the money back where nothing is left to sell."""
    if checkout.purpose != _CART:
        return
    if payment is not None:  # locked before the order, as in `on_refund`: no deadlock
        payment = await billing.lock_payment(tx, checkout.platform_no, payment.id)
    order = await queries.lock_order_of_checkout(tx, checkout.platform_no, checkout.id)
    assert order is not None
    if order.paid_at is not None:
        return
    account = await _account_of(tx, checkout)
    scope = billing.scope_of(account)
    paid = {
        "paid_at": now,
        "payment_id": None if payment is None else payment.id,
        "email": checkout.email or order.email,
        "discount": order.subtotal - checkout.total,
        "total": checkout.total,
    }
    if await stock_holds.settle(tx, scope, checkout.id, now):
        await _end(tx, order, "completed", now, paid)
    else:
        failed = await _end(tx, order, "failed", now, paid, reason="sold_out")
        if payment is not None and payment.refunded < payment.amount:
            await refunding.create_refund(tx, account, failed, RefundRequest(), send_at_once=True)
    if payment is not None and payment.refunded:
        await _sync_refunds(tx, scope, payment, now)


async def on_checkout_expired(tx: Tx, *, checkout: Row[Any], failed: bool, now: int) -> None:
    """Nobody can pay a checkout any more: what it held is free again, and its order is canceled or has failed."""
    if checkout.purpose != _CART:
        return
    order = await queries.lock_order_of_checkout(tx, checkout.platform_no, checkout.id)
    assert order is not None
    if order.status != "processing":
        return
    await stock_holds.release(tx, billing.scope_of(await _account_of(tx, checkout)), checkout.id, now)
    if failed:
        await _end(tx, order, "failed", now, {}, reason="not_paid")
    else:
        await _end(tx, order, "canceled", now, {})


async def on_refund(tx: Tx, *, refund: Row[Any], payment: Row[Any], now: int) -> None:
    """Money went back, or could not: the order is what all refunds of its payment make of it."""
    if payment.checkout_id is None:
        return
    account = await billing.find_account(tx, payment.account)
    assert account is not None
    order = await _sync_refunds(tx, billing.scope_of(account), payment, now)
    if order is not None and refund.status == "failed":
        await orders.add_event_once(tx, order, "refund_failed", now, refund=refund.id, amount=refund.amount)


async def _sync_refunds(tx: Tx, scope: ProjectScope, payment: Row[Any], now: int) -> Row[Any] | None:
    """The order as it is now; None where the payment is of none, or of one that is still to be completed."""
    order = await queries.lock_order_of_checkout(tx, payment.platform_no, payment.checkout_id)
    if order is None or order.payment_id != payment.id:
        return None
    known = await billing.refunds_of(tx, payment.platform_no, payment.id)
    refunds = [refund for refund in known if refund.status == _SUCCEEDED]
    refunded = sum(refund.amount for refund in refunds)
    if refunded == order.refunded_amount:
        return order
    await _record_returns(tx, scope, order, refunds, now)
    amount, values = refunded - order.refunded_amount, {"refunded_amount": refunded}
    is_whole = refunded == order.total
    if order.status == ("completed" if is_whole else "refunded"):
        order = await orders.set_status(tx, order, "refunded" if is_whole else "completed", now, values)
    else:
        order = await queries.update_order(tx, order.platform_no, order.id, values | {"updated_at": now})
    await orders.add_event(tx, order, "refunded", now, amount=amount, refundedAmount=refunded)
    await orders.emit_order_event(tx, order, "order.refunded", now)
    return order


async def _record_returns(tx: Tx, scope: ProjectScope, order: Row[Any], refunds: list[Row[Any]], now: int) -> None:
    """Count on each line what was refunded; units that go back on sale do so once, also if the money did not arrive."""
    returns = sum_returns(refunds)
    restocking: dict[str, int] = {}
    for line in await queries.lines_of(tx, order.platform_no, order.id):
        returned = returns.get(line.line, ReturnedUnits())
        restocked = max(line.restocked_quantity, returned.restocked)
        await queries.update_line(
            tx, order.platform_no, order.id, line.line, refunded=returned.quantity, restocked=restocked
        )
        if restocked > line.restocked_quantity:
            restocking[line.tier_id] = restocking.get(line.tier_id, 0) + restocked - line.restocked_quantity
    await inventory.restock(tx, scope, restocking, now)


async def _end(
    tx: Tx, order: Row[Any], status: orders.EndStatus, now: int, values: dict[str, Any], **why: object
) -> Row[Any]:
    """The order with its new status; records the history row and the webhook event."""
    ended = await orders.set_status(tx, order, status, now, values)
    await orders.add_event(tx, ended, status, now, **why)
    await orders.emit_order_event(tx, ended, _ENDED[status], now)
    return ended


async def _account_of(tx: Tx, checkout: Row[Any]) -> gateways.GatewayAccount:
    account = await billing.find_account(tx, checkout.account)
    assert account is not None
    return account

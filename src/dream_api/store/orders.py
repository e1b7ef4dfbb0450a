"""Orders: creation, status transitions and history."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import Row

from dream_api import platforms, webhooks
from dream_api.core import ids
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, NotFound
from dream_api.core.metadata import Metadata, dump, load, merge
from dream_api.platforms import ProjectScope
from dream_api.store import order_queries as queries
from dream_api.webhooks import Event, EventType

Status = Literal["processing", "completed", "failed", "canceled", "refunded"]
# What may become of one that is processing.
EndStatus = Literal["completed", "failed", "canceled"]

# Which status may follow which. A checkout may be paid at the very moment at which it is given up: hence those after
# canceled and failed. A bank may return a refund weeks later: hence the last.
TRANSITIONS: dict[Status, tuple[Status, ...]] = {
    "processing": ("completed", "failed", "canceled"),
    "canceled": ("completed", "failed"),
    "failed": ("completed", "failed"),
    "completed": ("refunded",),
    "refunded": ("completed",),
}

OrderEventType = Literal["created", "completed", "failed", "canceled", "refund_asked", "refunded", "refund_failed"]


class OrderPaid(Conflict):
    code = "order_paid"
    hint = "Refund the order instead: POST /api/orders/{id}/refunds."


class IllegalTransition(RuntimeError):
    """An order was to become what it cannot: a bug of ours."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """So many of a product at a price: what they cost before any discount."""

    tier_id: str
    price_id: str
    name: str
    quantity: int
    unit_amount: int | None
    amount: int


async def create_order(
    tx: Tx,
    scope: ProjectScope,
    order_id: str,
    checkout: Row[Any],
    lines: Sequence[OrderLine],
    *,
    email: str,
    discount: int,
    metadata: Metadata,
    now: int,
) -> Row[Any]:
    """The order that the checkout will be paid for, with the next number of the project and mode."""
    subtotal = sum(line.amount for line in lines)
    row = {
        "id": order_id,
        "number": await platforms.next_number(tx, scope.platform_no, f"orders:{scope.project_id}:{scope.mode}"),
        "checkout_id": checkout.id,
        "customer_id": checkout.customer_id,
        "email": email,
        "status": "processing",
        "currency": checkout.currency,
        "subtotal": subtotal,
        "discount": discount,
        "total": subtotal - discount,
        "refunded_amount": 0,
        "metadata": dump(metadata),
        "created_at": now,
        "updated_at": now,
    }
    order = await queries.insert_order(tx, scope, row)
    await queries.insert_lines(tx, scope.platform_no, order.id, [asdict(line) for line in lines])
    await add_event(tx, order, "created", now)
    return order


async def find_order(tx: Tx, scope: ProjectScope, order_id: str) -> Row[Any]:
    row = await queries.order_in(tx, scope, order_id)
    if row is None:
        raise NotFound("Order not found.", param="id")
    return row


async def update_metadata(tx: Tx, scope: ProjectScope, order_id: str, changes: Mapping[str, str | None] | None) -> None:
    """Merge the changes into the order's metadata; it is locked, so that concurrent changes all take effect."""
    order = await find_order(tx, scope, order_id)
    locked = await queries.lock_order_of_checkout(tx, scope.platform_no, order.checkout_id)
    assert locked is not None
    now = await platforms.project_now(tx, scope.platform_no, scope.project_id, scope.mode)
    values = {"metadata": dump(merge(load(locked.metadata), changes)), "updated_at": now}
    await queries.update_order(tx, scope.platform_no, order.id, values)


def require_unpaid(order: Row[Any]) -> None:
    """What was paid cannot be canceled any more."""
    if order.paid_at is not None:
        raise OrderPaid("The order is already paid.", param="id")


async def set_status(
    tx: Tx, order: Row[Any], status: Status, now: int, values: dict[str, Any] | None = None
) -> Row[Any]:
    """The order with its new status, and the values that come with it; the order must be locked."""
    if status not in TRANSITIONS[order.status]:
        raise IllegalTransition(f"{order.id} is {order.status} and cannot become {status}.")
    return await queries.update_order(
        tx, order.platform_no, order.id, {**(values or {}), "status": status, "updated_at": now}
    )


async def add_event(tx: Tx, order: Row[Any], happening: OrderEventType, now: int, **data: object) -> None:
    """Add a row to the order's history."""
    row = {"id": ids.new("oev"), "at": now, "order_id": order.id, "type": happening, "data": json.dumps(data)}
    await queries.insert_event(tx, order.platform_no, row)


async def add_event_once(tx: Tx, order: Row[Any], happening: OrderEventType, now: int, **data: object) -> None:
    """The same, unless the history has it; the order must be locked."""
    if not await queries.has_event(tx, order.platform_no, order.id, happening, json.dumps(data)):
        await add_event(tx, order, happening, now, **data)


async def emit_order_event(tx: Tx, order: Row[Any], kind: EventType, now: int) -> None:
    """Record a webhook event with the order's present state."""
    data: dict[str, object] = {
        "orderId": order.id,
        "number": order.number,
        "status": order.status,
        "email": order.email,
        "currency": order.currency,
        "total": order.total,
        "refundedAmount": order.refunded_amount,
        "metadata": load(order.metadata),
    }
    await webhooks.record_events(tx, [Event(order.platform_no, order.project_id, order.mode, kind, data, now)])

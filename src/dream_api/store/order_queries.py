"""SQL of orders."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, insert, select, update

from dream_api.catalog.tables import tiers
from dream_api.core.db import Tx
from dream_api.customers.tables import customers
from dream_api.platforms import ProjectScope
from dream_api.store.tables import order_events, order_lines, orders

o = orders.c
line = order_lines.c
e = order_events.c

# With the developer's own id of the customer, where the buyer is one.
_SHOWN = select(orders, customers.c.user_id).outerjoin(
    customers, and_(customers.c.platform_no == o.platform_no, customers.c.id == o.customer_id)
)


async def insert_order(tx: Tx, scope: ProjectScope, row: dict[str, Any]) -> Row[Any]:
    whose = {"platform_no": scope.platform_no, "project_id": scope.project_id, "mode": scope.mode}
    made = await tx.first(insert(orders).values(whose | row).returning(*o))
    assert made is not None
    return made


async def insert_lines(tx: Tx, platform_no: int, order_id: str, rows: Sequence[dict[str, Any]]) -> None:
    """Numbered in their order."""
    whose = {"platform_no": platform_no, "order_id": order_id, "refunded_quantity": 0, "restocked_quantity": 0}
    await tx.execute(insert(order_lines), [whose | row | {"line": no} for no, row in enumerate(rows, 1)])


async def insert_event(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    await tx.execute(insert(order_events).values(platform_no=platform_no, **row))


async def update_order(tx: Tx, platform_no: int, order_id: str, values: dict[str, Any]) -> Row[Any]:
    changing = update(orders).where(o.platform_no == platform_no, o.id == order_id).values(values)
    changed = await tx.first(changing.returning(*o))
    assert changed is not None
    return changed


async def update_line(tx: Tx, platform_no: int, order_id: str, no: int, *, refunded: int, restocked: int) -> None:
    of_line = (line.platform_no == platform_no, line.order_id == order_id, line.line == no)
    values = {"refunded_quantity": refunded, "restocked_quantity": restocked}
    await tx.execute(update(order_lines).where(*of_line).values(values))


async def lock_order_of_checkout(tx: Tx, platform_no: int, checkout_id: str) -> Row[Any] | None:
    """The checkout's order; nobody else changes it before this transaction ends."""
    of_checkout = select(orders).where(o.platform_no == platform_no, o.checkout_id == checkout_id)
    return await tx.first(of_checkout.with_for_update())


def _in_scope(scope: ProjectScope) -> tuple[ColumnElement[bool], ...]:
    return (o.platform_no == scope.platform_no, o.project_id == scope.project_id, o.mode == scope.mode)


async def order_in(tx: Tx, scope: ProjectScope, order_id: str) -> Row[Any] | None:
    return await tx.first(_SHOWN.where(*_in_scope(scope), o.id == order_id))


async def order_of_checkout(tx: Tx, scope: ProjectScope, checkout_id: str) -> Row[Any] | None:
    return await tx.first(_SHOWN.where(*_in_scope(scope), o.checkout_id == checkout_id))


async def page_of_orders(
    tx: Tx,
    scope: ProjectScope,
    *,
    status: str | None,
    email: str | None,
    user_id: str | None,
    oldest_first: bool = False,
    limit: int,
    after: str | None,
) -> Sequence[Row[Any]]:
    """Newest first, or oldest first; those after the id `after`."""
    wanted = {o.status: status, o.email: email, customers.c.user_id: user_id}
    query = _SHOWN.where(*_in_scope(scope), *(column == value for column, value in wanted.items() if value is not None))
    if after is not None:
        query = query.where(o.id > after if oldest_first else o.id < after)
    return await tx.all(query.order_by(o.id if oldest_first else o.id.desc()).limit(limit))


async def orders_of(tx: Tx, platform_no: int, customer_id: str, *, limit: int) -> Sequence[Row[Any]]:
    """A customer's, newest first."""
    theirs = select(orders).where(o.platform_no == platform_no, o.customer_id == customer_id)
    return await tx.all(theirs.order_by(o.id.desc()).limit(limit))


async def lines_of(tx: Tx, platform_no: int, order_id: str) -> Sequence[Row[Any]]:
    """With the tiers' names, in their order."""
    of_tier = and_(tiers.c.platform_no == line.platform_no, tiers.c.id == line.tier_id)
    wanted = select(order_lines, tiers.c.name.label("tier")).join(tiers, of_tier)
    return await tx.all(wanted.where(line.platform_no == platform_no, line.order_id == order_id).order_by(line.line))


async def has_event(tx: Tx, platform_no: int, order_id: str, kind: str, data: str) -> bool:
    of_order = select(e.id).where(e.platform_no == platform_no, e.order_id == order_id)
    return await tx.first(of_order.where(e.type == kind, e.data == data).limit(1)) is not None


async def events_of(tx: Tx, platform_no: int, order_id: str) -> Sequence[Row[Any]]:
    """As they happened."""
    return await tx.all(select(order_events).where(e.platform_no == platform_no, e.order_id == order_id).order_by(e.id))

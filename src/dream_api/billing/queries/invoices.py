"""SQL of invoices, and of the usage that stands on them."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, and_, insert, select, update

from dream_api.billing.queries import common
from dream_api.billing.tables import invoices, payments, subscriptions, usage_bills, usage_segments
from dream_api.core.db import Tx
from dream_api.core.db import insert as upserting
from dream_api.customers.tables import customers
from dream_api.gateways.contract import GatewayAccount
from dream_api.platforms import ProjectScope

i = invoices.c
p = payments.c
u = usage_bills.c

# Read in the order of the customer's payments, by their index: there is none by invoice.
_LAST_PAYMENT = (
    select(p.id)
    .where(p.platform_no == i.platform_no, p.customer_id == i.customer_id, p.invoice == i.gateway_id)
    .order_by(p.id.desc())
    .limit(1)
)
# As callers see them: with their customer's user id, and with the payment that paid them or the last that failed.
_WITH_CONTEXT = select(invoices, customers.c.user_id, _LAST_PAYMENT.scalar_subquery().label("payment_id")).outerjoin(
    customers, and_(customers.c.platform_no == i.platform_no, customers.c.id == i.customer_id)
)


async def insert_invoice(tx: Tx, account: GatewayAccount, values: dict[str, Any]) -> Row[Any]:
    return await common.insert_one(tx, account, invoices, values)


async def update_invoice(tx: Tx, platform_no: int, invoice_id: str, values: dict[str, Any]) -> Row[Any]:
    return await common.update_one(tx, platform_no, invoices, invoice_id, values)


async def invoice_by_gateway_id(tx: Tx, account: GatewayAccount, gateway_id: str) -> Row[Any] | None:
    return await common.by_gateway_id(tx, account, invoices, gateway_id)


async def invoice_in(tx: Tx, scope: ProjectScope, invoice_id: str) -> Row[Any] | None:
    return await tx.first(_WITH_CONTEXT.where(*common.scoped(invoices, scope), i.id == invoice_id))


async def invoices_of(tx: Tx, platform_no: int, subscription_id: str, *, limit: int) -> Sequence[Row[Any]]:
    """A subscription's, newest first."""
    whose = select(invoices).where(i.platform_no == platform_no, i.subscription_id == subscription_id)
    return await tx.all(whose.order_by(i.id.desc()).limit(limit))


async def invoices_of_customer(tx: Tx, platform_no: int, customer_id: str, *, limit: int) -> Sequence[Row[Any]]:
    """Newest first."""
    return await common.newest_of_customer(tx, platform_no, invoices, customer_id, limit=limit)


async def insert_usage_bill(tx: Tx, platform_no: int, row: dict[str, Any]) -> bool:
    """A segment of a closed period is billed once: the first bill stays; whether this is it."""
    made = upserting(usage_bills).values(platform_no=platform_no, **row).on_conflict_do_nothing()
    return await tx.execute(made) == 1


async def segments_of(tx: Tx, platform_no: int, subscription_id: str) -> Sequence[Row[Any]]:
    """All segments of a subscription's usage, by meter, oldest first."""
    g = usage_segments.c
    whose = select(usage_segments).where(g.platform_no == platform_no, g.subscription_id == subscription_id)
    return await tx.all(whose.order_by(g.meter, g.number))


async def insert_segment(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    await tx.execute(insert(usage_segments).values(platform_no=platform_no, **row))


async def unsent_bills(tx: Tx, account: GatewayAccount, gateway_subscription: str | None) -> Sequence[Row[Any]]:
    """What a subscription's usage costs and no invoice has yet; what costs nothing needs no line."""
    s = subscriptions.c
    query = (
        select(usage_bills)
        .join(subscriptions, (s.platform_no == u.platform_no) & (s.id == u.subscription_id))
        .where(
            u.platform_no == account.platform_no,
            s.account == account.id,
            s.gateway_id == gateway_subscription,
            u.sent_at.is_(None),
            u.price_id.is_not(None),
            u.amount.is_not(None),
            (u.quantity > 0) | (u.amount > 0),
        )
    )
    return await tx.all(query.order_by(u.period_starts_at, u.meter, u.segment))


async def mark_sent(tx: Tx, platform_no: int, bill: Row[Any], invoice: str, now: int) -> None:
    await tx.execute(
        update(usage_bills)
        .where(
            u.platform_no == platform_no,
            u.subscription_id == bill.subscription_id,
            u.meter == bill.meter,
            u.period_starts_at == bill.period_starts_at,
            u.segment == bill.segment,
        )
        .values(sent_at=now, invoice=invoice)
    )


async def page_of_invoices(
    tx: Tx, scope: ProjectScope, *, status: str | None, subscription_id: str | None, limit: int, after: str | None
) -> Sequence[Row[Any]]:
    """Newest first; those after the id `after`."""
    wanted = {i.status: status, i.subscription_id: subscription_id}
    which = [column == value for column, value in wanted.items() if value is not None]
    query = _WITH_CONTEXT.where(*common.scoped(invoices, scope), *which)
    if after is not None:
        query = query.where(i.id < after)
    return await tx.all(query.order_by(i.id.desc()).limit(limit))


async def user_ids_by_invoice(tx: Tx, platform_no: int, row_ids: Collection[str]) -> dict[str, str]:
    """The user ids of their customers, by the invoices' ids."""
    return await common.user_ids_by_id(tx, platform_no, invoices, row_ids)

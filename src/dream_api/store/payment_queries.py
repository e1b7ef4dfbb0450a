"""SQL of payments and refunds as callers see them: with the customer, the invoice and the order that they are for."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, select

from dream_api.billing.tables import invoices, payments, refunds
from dream_api.core.db import Tx
from dream_api.customers.tables import customers
from dream_api.platforms import ProjectScope
from dream_api.store.tables import orders

p = payments.c
r = refunds.c
i = invoices.c

_CONTEXT = (customers.c.user_id, i.id.label("invoice_id"), i.subscription_id, orders.c.id.label("order_id"))
_WITH_CONTEXT = (
    payments.outerjoin(customers, and_(customers.c.platform_no == p.platform_no, customers.c.id == p.customer_id))
    # A payment has the gateway's id of its invoice.
    .outerjoin(invoices, and_(i.platform_no == p.platform_no, i.account == p.account, i.gateway_id == p.invoice))
    .outerjoin(orders, and_(orders.c.platform_no == p.platform_no, orders.c.checkout_id == p.checkout_id))
)
_PAYMENTS = select(payments, *_CONTEXT).select_from(_WITH_CONTEXT)
_REFUNDS = select(refunds, p.customer_id, *_CONTEXT).select_from(
    _WITH_CONTEXT.join(refunds, and_(r.platform_no == p.platform_no, r.payment_id == p.id))
)


def _payments_in(scope: ProjectScope) -> Select[Any]:
    return _PAYMENTS.where(p.platform_no == scope.platform_no, p.project_id == scope.project_id, p.mode == scope.mode)


def _refunds_in(scope: ProjectScope) -> Select[Any]:
    return _REFUNDS.where(r.platform_no == scope.platform_no, r.project_id == scope.project_id, r.mode == scope.mode)


async def payment_in(tx: Tx, scope: ProjectScope, payment_id: str) -> Row[Any] | None:
    return await tx.first(_payments_in(scope).where(p.id == payment_id))


async def page_of_payments(
    tx: Tx, scope: ProjectScope, *, status: str | None, customer_id: str | None, limit: int, after: str | None
) -> Sequence[Row[Any]]:
    """Newest first; those after the id `after`."""
    wanted = {p.status: status, p.customer_id: customer_id}
    query = _payments_in(scope).where(*(column == value for column, value in wanted.items() if value is not None))
    if after is not None:
        query = query.where(p.id < after)
    return await tx.all(query.order_by(p.id.desc()).limit(limit))


async def payments_of_checkout(tx: Tx, scope: ProjectScope, checkout_id: str) -> Sequence[Row[Any]]:
    """Oldest first."""
    return await tx.all(_payments_in(scope).where(p.checkout_id == checkout_id).order_by(p.id))


async def refunds_of_payment(tx: Tx, scope: ProjectScope, payment_id: str) -> Sequence[Row[Any]]:
    """Oldest first."""
    return await tx.all(_refunds_in(scope).where(r.payment_id == payment_id).order_by(r.id))


async def refund_in(tx: Tx, scope: ProjectScope, refund_id: str) -> Row[Any] | None:
    return await tx.first(_refunds_in(scope).where(r.id == refund_id))

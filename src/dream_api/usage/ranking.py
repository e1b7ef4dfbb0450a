"""Who has used most."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, select

from dream_api.core.db import Tx
from dream_api.customers import Scope
from dream_api.customers.tables import customers
from dream_api.usage.rules import Meter
from dream_api.usage.tables import usage_counters

c = customers.c
u = usage_counters.c


async def foremost(tx: Tx, scope: Scope, meter: Meter, *, limit: int) -> Sequence[Row[Any]]:
    """Customers with what was ever counted of them, the largest first: one row of each is read, whatever they used."""
    # Asked row by row: as a join, SQLite would look for the counters of all customers, one by one.
    is_theirs = (
        select(c.no)
        .where(c.platform_id == scope.platform_id, c.no == u.customer_no)
        .where(c.project_id == scope.project_id, c.mode == scope.mode)
        .correlate(usage_counters)
        .exists()
    )
    most = (
        select(u.customer_no, u.count)
        .where(
            u.platform_no == scope.platform_no,
            u.meter_no == meter.no,
            u.window == 0,
            u.starts_at == 0,
            u.customer_no > 0,
            u.count > 0,
            is_theirs,
        )
        .order_by(u.count.desc(), u.customer_no)
        .limit(limit)
        .subquery()
    )
    whose = and_(c.platform_id == scope.platform_id, c.no == most.c.customer_no)
    named = select(c.id, c.user_id, c.plan, most.c.count.label("used")).join_from(most, customers, whose)
    return await tx.all(named.order_by(most.c.count.desc(), c.no))

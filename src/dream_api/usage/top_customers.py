"""Customers with the highest usage of a meter."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, select

from dream_api.core.db import Tx
from dream_api.customers.tables import customers
from dream_api.platforms import ProjectScope
from dream_api.usage.meters import Meter
from dream_api.usage.tables import usage_counters

c = customers.c
u = usage_counters.c


# Among how many times as many of the platform's counters those of one project and mode are looked for first.
_LOOKED_THROUGH = 20


async def top_customers(tx: Tx, scope: ProjectScope, meter: Meter, *, limit: int) -> Sequence[Row[Any]]:
    """Customers with what was ever counted of them, the largest first: one row of each is read, whatever they used.

    One statement, or two where the other mode's customers stand before them.
    """
    found = await tx.all(_foremost(scope, meter, limit, among=limit * _LOOKED_THROUGH))
    return found if len(found) == limit else await tx.all(_foremost(scope, meter, limit, among=None))


async def period_totals(tx: Tx, scope: ProjectScope, meter: Meter, customer_nos: Sequence[int]) -> dict[int, int]:
    """The lifetime count of each of these customers, by their numbers; customers without usage are left out."""
    counters = select(u.customer_no, u.count.label("used")).where(
        u.platform_no == scope.platform_no,
        u.customer_no.in_(customer_nos),
        u.meter_no == meter.no,
        u.window == 0,
        u.starts_at == 0,
    )
    return {row.customer_no: row.used for row in await tx.all(counters)}


def _foremost(scope: ProjectScope, meter: Meter, limit: int, *, among: int | None) -> Select[*tuple[Any, ...]]:
    most = (
        select(u.customer_no, u.count.label("used"))
        .where(
            u.platform_no == scope.platform_no,
            u.meter_no == meter.no,
            u.window == 0,
            u.starts_at == 0,
            u.customer_no > 0,
            u.count > 0,
        )
        .order_by(u.count.desc(), u.customer_no)
        .limit(among)
        .subquery()
    )
    whose = and_(c.platform_no == scope.platform_no, c.no == most.c.customer_no)
    named = select(c.id, c.user_id, c.plan, most.c.used).join_from(most, customers, whose)
    own = named.where(c.project_id == scope.project_id, c.mode == scope.mode)
    return own.order_by(most.c.used.desc(), c.no).limit(limit)

"""SQL of customers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, select, update

from dream_api.core.db import Tx
from dream_api.customers.tables import customers
from dream_api.platforms.scope import ProjectScope

c = customers.c
# Of so many, all are read and put in order; of more, those come soon that are looked for in the order of ids.
_FEW = 1_000


def _in_scope(scope: ProjectScope) -> tuple[Any, ...]:
    return (
        c.platform_no == scope.platform_no,
        c.project_id == scope.project_id,
        c.mode == scope.mode,
    )


async def insert_customer(tx: Tx, scope: ProjectScope, row: dict[str, Any]) -> Row[Any]:
    whole = {"platform_no": scope.platform_no, "project_id": scope.project_id, "mode": scope.mode} | row
    made = await tx.first(insert(customers).values(whole).returning(*c))
    assert made is not None
    return made


async def update_customer(tx: Tx, scope: ProjectScope, customer_id: str, values: dict[str, Any]) -> Row[Any]:
    changed = await tx.first(
        update(customers).where(*_in_scope(scope), c.id == customer_id).values(values).returning(*c)
    )
    assert changed is not None
    return changed


async def by_id(tx: Tx, scope: ProjectScope, customer_id: str, *, held: bool = False) -> Row[Any] | None:
    """`held`: nobody else changes them before this transaction ends."""
    query = select(customers).where(*_in_scope(scope), c.id == customer_id)
    return await tx.first(query.with_for_update() if held else query)


async def by_user_id(tx: Tx, scope: ProjectScope, user_id: str) -> Row[Any] | None:
    return await tx.first(select(customers).where(*_in_scope(scope), c.user_id == user_id))


async def by_no(tx: Tx, scope: ProjectScope, no: int) -> Row[Any] | None:
    return await tx.first(select(customers).where(*_in_scope(scope), c.no == no))


async def page_of(tx: Tx, scope: ProjectScope, *, limit: int, after: str | None) -> Sequence[Row[Any]]:
    """Newest first, those after the id `after`."""
    by_id = await order_of(tx, scope)
    query = select(customers).where(*_in_scope(scope))
    if after is not None:
        query = query.where(by_id < after)
    return await tx.all(query.order_by(by_id.desc()).limit(limit))


async def order_of(tx: Tx, scope: ProjectScope) -> ColumnElement[str]:
    """What customers are put in order by: their ids, as no index knows them where there are few.

    Else a mode with one customer would be looked for among the million of another, from the newest to the oldest.
    """
    # Counted in the index alone.
    own = select(c.user_id).where(*_in_scope(scope)).limit(_FEW + 1).subquery()
    many = await tx.scalar(select(func.count()).select_from(own))
    return c.id if many > _FEW else c.id.concat("")


async def live_customers_by_platform(tx: Tx, platform_nos: Sequence[int]) -> dict[int, int]:
    """For operators: how many each of these platforms has in live mode."""
    which = (c.platform_no.in_(platform_nos), c.mode == "live", c.status != "deleted")
    counting = select(c.platform_no, func.count().label("many")).where(*which).group_by(c.platform_no)
    return {row.platform_no: row.many for row in await tx.all(counting)}


async def customers_by_plan(tx: Tx, scope: ProjectScope) -> dict[str, int]:
    """How many were put on each plan, by the tier's name."""
    which = (*_in_scope(scope), c.plan.is_not(None), c.status != "deleted")
    counting = select(c.plan, func.count().label("many")).where(*which).group_by(c.plan)
    return {row.plan: row.many for row in await tx.all(counting)}

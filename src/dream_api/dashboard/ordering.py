"""What was ordered, and what runs out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, func, or_, select

from dream_api.catalog.tables import tiers
from dream_api.core.db import Tx
from dream_api.customers import Scope
from dream_api.dashboard.within import Within, rows_within
from dream_api.store.tables import orders, stock
from dream_api.usage import Span

ORDER_STATUSES = ("processing", "completed", "failed", "canceled", "refunded")
_MOST = 10

o = orders.c
k = stock.c


@dataclass(frozen=True, slots=True)
class Scarce:
    """A product of which few are left, or none."""

    tier: str
    display_name: str
    inventory: int
    held: int
    low_at: int | None

    @property
    def available(self) -> int:
        return self.inventory - self.held


async def orders_of(tx: Tx, scope: Scope, span: Span) -> dict[str, int]:
    """How many orders of the span there are, by status."""
    query = select(o.status, func.count().label("total")).where(
        *rows_within(orders, scope.platform_id, Within(scope.mode, scope.project_id)),
        o.created_at >= span.starts_at,
        o.created_at < span.ends_at,
    )
    found = {row.status: int(row.total) for row in await tx.all(query.group_by(o.status))}
    return {status: found.get(status, 0) for status in ORDER_STATUSES}


async def scarce_of(tx: Tx, scope: Scope) -> list[Scarce]:
    """The ten products of which the fewest are left, where that is no more than their mark, or nothing."""
    available = k.on_hand - k.held
    of_tier = and_(tiers.c.platform_id == k.platform_id, tiers.c.id == k.tier_id)
    query = (
        select(tiers.c.name, tiers.c.display_name, k.on_hand, k.held, k.low_at)
        .select_from(stock)
        .join(tiers, of_tier)
        .where(
            *rows_within(stock, scope.platform_id, Within(scope.mode, scope.project_id)),
            tiers.c.archived_at.is_(None),
            or_(available <= 0, available <= k.low_at),
        )
    )
    rows: Sequence[Row[Any]] = await tx.all(query.order_by(available, tiers.c.name).limit(_MOST))
    return [Scarce(row.name, row.display_name, row.on_hand, row.held, row.low_at) for row in rows]

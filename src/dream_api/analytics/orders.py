"""Order counts and products that are low in stock."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from dream_api.analytics.date_range import ENDS_AT, STARTS_AT, ReportScope, rows_within
from dream_api.catalog.tables import tiers
from dream_api.core.db import Tx
from dream_api.platforms import ProjectScope
from dream_api.store.tables import orders, stock
from dream_api.usage import Span

ORDER_STATUSES = ("processing", "completed", "failed", "canceled", "refunded")
_MOST = 10

o = orders.c
k = stock.c


@dataclass(frozen=True, slots=True)
class LowStock:
    """A product of which few are left, or none."""

    tier: str
    display_name: str
    inventory: int
    held: int
    low_at: int | None

    @property
    def available(self) -> int:
        return self.inventory - self.held


async def count_orders_by_status(tx: Tx, scope: ProjectScope, span: Span) -> dict[str, int]:
    """The number of orders of the span, by status."""
    rows = await tx.all(_by_status(), ReportScope.for_project(scope).parameters(scope.platform_no, span))
    found = {row.status: int(row.total) for row in rows}
    return {status: found.get(status, 0) for status in ORDER_STATUSES}


@cache
def _by_status() -> Select[*tuple[Any, ...]]:
    lately = (o.created_at >= STARTS_AT, o.created_at < ENDS_AT)
    query = select(o.status, func.count().label("total")).where(*rows_within(orders), *lately)
    return query.group_by(o.status)


async def get_low_stock(tx: Tx, scope: ProjectScope) -> list[LowStock]:
    """The ten products with the least stock, at or below their low-stock mark."""
    rows = await tx.all(_scarce(), ReportScope.for_project(scope).parameters(scope.platform_no))
    return [LowStock(row.name, row.display_name, row.on_hand, row.held, row.low_at) for row in rows]


@cache
def _scarce() -> Select[*tuple[Any, ...]]:
    available = k.on_hand - k.held
    of_tier = and_(tiers.c.platform_no == k.platform_no, tiers.c.id == k.tier_id)
    query = (
        select(tiers.c.name, tiers.c.display_name, k.on_hand, k.held, k.low_at)
        .select_from(stock)
        .join(tiers, of_tier)
        .where(
            *rows_within(stock),
            tiers.c.archived_at.is_(None),
            or_(available <= 0, available <= k.low_at),
        )
    )
    return query.order_by(available, tiers.c.name).limit(_MOST)

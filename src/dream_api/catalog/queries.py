"""SQL of tiers, their limits and their prices."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, select, update

from dream_api.catalog.tables import prices, tier_limits, tiers
from dream_api.core.db import Tx
from dream_api.core.db import insert as upserting
from dream_api.platforms import Mode
from dream_api.usage.tables import meters


async def insert_tier(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    await tx.execute(insert(tiers).values(platform_no=platform_no, **row))


async def update_tier(tx: Tx, platform_no: int, tier_id: str, values: dict[str, Any]) -> None:
    await tx.execute(update(tiers).where(tiers.c.platform_no == platform_no, tiers.c.id == tier_id).values(values))


async def clear_default(tx: Tx, platform_no: int, project_id: str, mode: Mode) -> None:
    """No tier is the default one."""
    await tx.execute(
        update(tiers).where(*_of(platform_no, project_id, mode), tiers.c.is_default).values(is_default=False)
    )


async def put_limit(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    """Set what a tier allows of a meter in a window."""
    putting = upserting(tier_limits).values(platform_no=platform_no, **row)
    await tx.execute(
        putting.on_conflict_do_update(
            index_elements=list(tier_limits.primary_key),
            set_={"kind": putting.excluded.kind, "max": putting.excluded["max"]},
        )
    )


async def delete_limits(tx: Tx, platform_no: int, tier_id: str) -> None:
    limit = tier_limits.c
    await tx.execute(delete(tier_limits).where(limit.platform_no == platform_no, limit.tier_id == tier_id))


async def insert_price(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    await tx.execute(insert(prices).values(platform_no=platform_no, **row))


async def archive_prices(tx: Tx, platform_no: int, price_ids: Sequence[str], now: int) -> None:
    await tx.execute(
        update(prices).where(prices.c.platform_no == platform_no, prices.c.id.in_(price_ids)).values(archived_at=now)
    )


def _of(platform_no: int, project_id: str, mode: Mode) -> tuple[ColumnElement[bool], ...]:
    return (
        tiers.c.platform_no == platform_no,
        tiers.c.project_id == project_id,
        tiers.c.mode == mode,
    )


async def tier_by_name(tx: Tx, platform_no: int, project_id: str, mode: Mode, name: str) -> Row[Any] | None:
    return await tx.first(select(tiers).where(*_of(platform_no, project_id, mode), tiers.c.name == name))


async def tier_by_id(tx: Tx, platform_no: int, tier_id: str) -> Row[Any] | None:
    return await tx.first(select(tiers).where(tiers.c.platform_no == platform_no, tiers.c.id == tier_id))


async def tier_by_number(tx: Tx, platform_no: int, project_id: str, mode: Mode, number: int) -> Row[Any] | None:
    return await tx.first(select(tiers).where(*_of(platform_no, project_id, mode), tiers.c.number == number))


async def page_of_tiers(
    tx: Tx,
    platform_no: int,
    project_id: str,
    mode: Mode,
    *,
    visible_only: bool,
    archived_too: bool,
    limit: int | None,
    after: str | None,
) -> Sequence[Row[Any]]:
    """Newest first, those after the id `after`."""
    query = select(tiers).where(*_of(platform_no, project_id, mode))
    if not archived_too:
        query = query.where(tiers.c.archived_at.is_(None))
    if visible_only:
        query = query.where(tiers.c.is_visible)
    if after is not None:
        query = query.where(tiers.c.id < after)
    return await tx.all(query.order_by(tiers.c.id.desc()).limit(limit))


async def price_by_id(tx: Tx, platform_no: int, project_id: str, mode: Mode, price_id: str) -> Row[Any] | None:
    return await tx.first(
        select(prices).where(
            prices.c.platform_no == platform_no,
            prices.c.id == price_id,
            prices.c.project_id == project_id,
            prices.c.mode == mode,
        )
    )


async def active_prices_of(tx: Tx, platform_no: int, tier_ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Oldest first; `first_id`: the tier's first price ever for the same currency and interval, or meter."""
    p = prices.c
    alike = (p.tier_id, p.type, p.currency, p.interval, p.interval_count, p.meter)
    first_id = func.min(p.id).over(partition_by=alike).label("first_id")
    found = select(prices, first_id).where(p.platform_no == platform_no, p.tier_id.in_(tier_ids)).subquery()
    return await tx.all(select(found).where(found.c.archived_at.is_(None)).order_by(found.c.id))


async def limits_of(tx: Tx, platform_no: int, tier_ids: Sequence[str]) -> Sequence[Row[Any]]:
    """With each limit's meter."""
    of_meter = and_(meters.c.platform_no == tier_limits.c.platform_no, meters.c.meter_no == tier_limits.c.meter_no)
    return await tx.all(
        select(tier_limits, meters.c.name.label("meter"), meters.c.aggregation)
        .join(meters, of_meter)
        .where(tier_limits.c.platform_no == platform_no, tier_limits.c.tier_id.in_(tier_ids))
        .order_by(tier_limits.c.tier_id, tier_limits.c.meter_no)
    )


async def tiers_of_project(tx: Tx, platform_no: int, project_id: str, mode: Mode) -> Sequence[Row[Any]]:
    """Oldest first."""
    return await tx.all(
        select(tiers)
        .where(tiers.c.platform_no == platform_no, tiers.c.project_id == project_id, tiers.c.mode == mode)
        .order_by(tiers.c.id)
    )


async def limits_of_project(tx: Tx, platform_no: int, project_id: str, mode: Mode) -> Sequence[Row[Any]]:
    return await tx.all(
        select(tier_limits)
        .join(tiers, (tiers.c.platform_no == tier_limits.c.platform_no) & (tiers.c.id == tier_limits.c.tier_id))
        .where(tier_limits.c.platform_no == platform_no, tiers.c.project_id == project_id, tiers.c.mode == mode)
        .order_by(tier_limits.c.tier_id, tier_limits.c.meter_no, tier_limits.c.window)
    )

"""SQL of tiers and their limits."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select, update

from dream_api.catalog.tables import tier_limits, tiers
from dream_api.core.db import Tx
from dream_api.core.db import insert as upserting
from dream_api.platforms import Mode


async def insert_tier(tx: Tx, platform_id: str, row: dict[str, Any]) -> None:
    await tx.execute(insert(tiers).values(platform_id=platform_id, **row))


async def rename_tier(tx: Tx, platform_id: str, tier_id: str, display_name: str, now: int) -> None:
    await tx.execute(
        update(tiers)
        .where(tiers.c.platform_id == platform_id, tiers.c.id == tier_id)
        .values(display_name=display_name, updated_at=now)
    )


async def put_limit(tx: Tx, platform_id: str, row: dict[str, Any]) -> None:
    """Set what a tier allows of a meter in a window."""
    putting = upserting(tier_limits).values(platform_id=platform_id, **row)
    await tx.execute(
        putting.on_conflict_do_update(
            index_elements=list(tier_limits.primary_key),
            set_={"kind": putting.excluded.kind, "max": putting.excluded["max"]},
        )
    )


async def tier_by_name(tx: Tx, platform_id: str, project_id: str, mode: Mode, name: str) -> Row[Any] | None:
    return await tx.first(
        select(tiers).where(
            tiers.c.platform_id == platform_id,
            tiers.c.project_id == project_id,
            tiers.c.mode == mode,
            tiers.c.name == name,
        )
    )


async def tiers_of_project(tx: Tx, platform_id: str, project_id: str, mode: Mode) -> Sequence[Row[Any]]:
    """Oldest first."""
    return await tx.all(
        select(tiers)
        .where(tiers.c.platform_id == platform_id, tiers.c.project_id == project_id, tiers.c.mode == mode)
        .order_by(tiers.c.id)
    )


async def limits_of_project(tx: Tx, platform_id: str, project_id: str, mode: Mode) -> Sequence[Row[Any]]:
    return await tx.all(
        select(tier_limits)
        .join(tiers, (tiers.c.platform_id == tier_limits.c.platform_id) & (tiers.c.id == tier_limits.c.tier_id))
        .where(tier_limits.c.platform_id == platform_id, tiers.c.project_id == project_id, tiers.c.mode == mode)
        .order_by(tier_limits.c.tier_id, tier_limits.c.meter_no, tier_limits.c.window)
    )

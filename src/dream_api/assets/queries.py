"""SQL of assets."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, or_, select

from dream_api.assets.tables import assets
from dream_api.core.db import Tx
from dream_api.platforms.tables import platforms


async def insert_asset(tx: Tx, platform_no: int, row: dict[str, Any]) -> Row[Any]:
    kept = insert(assets).values(platform_no=platform_no, **row).returning(*assets.c)
    [written] = await tx.all(kept)
    return written


async def by_key(tx: Tx, key: str) -> Row[Any] | None:
    """The file on any platform: anyone who knows the key may read it."""
    joined = assets.join(platforms, platforms.c.no == assets.c.platform_no)
    columns = select(assets, platforms.c.id.label("platform_id")).select_from(joined)
    return await tx.first(columns.where(assets.c.key == key))


async def find_asset(tx: Tx, platform_no: int, project_id: str, mode: str, key: str) -> Row[Any] | None:
    a = assets.c
    whose = (a.platform_no == platform_no, a.project_id == project_id, a.mode == mode)
    return await tx.first(select(assets).where(*whose, a.key == key))


async def page_of(
    tx: Tx, platform_no: int, project_id: str, mode: str, *, limit: int, after: tuple[int, str] | None
) -> Sequence[Row[Any]]:
    """Newest first; those kept before the one of that moment and key."""
    a = assets.c
    query = select(assets).where(a.platform_no == platform_no, a.project_id == project_id, a.mode == mode)
    if after is not None:
        at, key = after
        query = query.where(or_(a.created_at < at, and_(a.created_at == at, a.key < key)))
    return await tx.all(query.order_by(a.created_at.desc(), a.key.desc()).limit(limit))


async def bytes_of(tx: Tx, platform_no: int) -> int:
    """How much the platform's files take, all together."""
    return int(await tx.scalar(select(func.sum(assets.c.size)).where(assets.c.platform_no == platform_no)) or 0)


async def delete_asset(tx: Tx, platform_no: int, key: str) -> bool:
    """Whether it was there."""
    whose = (assets.c.platform_no == platform_no, assets.c.key == key)
    return await tx.execute(delete(assets).where(*whose)) == 1


async def keys_of(tx: Tx, platform_no: int, project_id: str) -> Sequence[str]:
    """Of all that was kept in the project, in both modes."""
    whose = (assets.c.platform_no == platform_no, assets.c.project_id == project_id)
    return [row.key for row in await tx.all(select(assets.c.key).where(*whose))]

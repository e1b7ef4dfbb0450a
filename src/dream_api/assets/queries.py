"""SQL of assets."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select

from dream_api.assets.tables import assets
from dream_api.core.db import Tx


async def insert_asset(tx: Tx, platform_id: str, row: dict[str, Any]) -> None:
    await tx.execute(insert(assets).values(platform_id=platform_id, **row))


async def by_key(tx: Tx, key: str) -> Row[Any] | None:
    """Whoever's it is: who knows the key may see the file."""
    return await tx.first(select(assets).where(assets.c.key == key))


async def keys_of(tx: Tx, platform_id: str, project_id: str) -> Sequence[str]:
    """Of all that was kept in the project, in both modes."""
    whose = (assets.c.platform_id == platform_id, assets.c.project_id == project_id)
    return [row.key for row in await tx.all(select(assets.c.key).where(*whose))]

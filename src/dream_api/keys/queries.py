"""SQL of keys."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, insert, or_, select, update

from dream_api.core.db import RawTransaction, Statement, Tx, values_table
from dream_api.core.db.columns import ByteOrderedText
from dream_api.keys.tables import key_hashes, keys
from dream_api.platforms import Mode
from dream_api.platforms.tables import platforms, projects


async def insert_key(tx: Tx, platform_id: str, row: dict[str, Any]) -> None:
    await tx.execute(insert(keys).values(platform_id=platform_id, **row))
    await tx.execute(insert(key_hashes).values(hash=row["hash"], platform_id=platform_id, key_id=row["id"]))


async def by_hash(tx: Tx, hashed: bytes) -> Row[Any] | None:
    """The key with its project's facts; before any tenant is known."""
    return await tx.first(
        select(
            keys,
            platforms.c.no.label("platform_no"),
            platforms.c.deletes_at.label("platform_deletes_at"),
            projects.c.no.label("project_no"),
            projects.c.type.label("project_type"),
        )
        .select_from(key_hashes)
        .join(keys, (keys.c.platform_id == key_hashes.c.platform_id) & (keys.c.id == key_hashes.c.key_id))
        .join(platforms, platforms.c.id == keys.c.platform_id)
        .join(projects, (projects.c.platform_id == keys.c.platform_id) & (projects.c.id == keys.c.project_id))
        .where(key_hashes.c.hash == hashed)
    )


async def by_id(tx: Tx, platform_id: str, key_id: str) -> Row[Any] | None:
    return await tx.first(select(keys).where(keys.c.platform_id == platform_id, keys.c.id == key_id))


async def of_project(tx: Tx, platform_id: str, project_id: str, mode: Mode | None = None) -> Sequence[Row[Any]]:
    """Oldest first, the revoked ones too."""
    query = select(keys).where(keys.c.platform_id == platform_id, keys.c.project_id == project_id)
    if mode is not None:
        query = query.where(keys.c.mode == mode)
    return await tx.all(query.order_by(keys.c.id))


async def hashes_of_platform(tx: Tx, platform_id: str) -> Sequence[bytes]:
    """Of all its keys that were not revoked."""
    found = select(keys.c.hash).where(keys.c.platform_id == platform_id, keys.c.revoked_at.is_(None))
    return [row.hash for row in await tx.all(found)]


async def active_secret_keys(tx: Tx, platform_id: str, project_id: str, mode: Mode, now: int) -> Sequence[Row[Any]]:
    """The secret keys that are accepted at this moment, oldest first; locked until the transaction ends."""
    return await tx.all(
        select(keys)
        .where(
            keys.c.platform_id == platform_id,
            keys.c.project_id == project_id,
            keys.c.mode == mode,
            keys.c.kind == "secret",
            keys.c.revoked_at.is_(None),
            or_(keys.c.expires_at.is_(None), keys.c.expires_at > now),
        )
        .order_by(keys.c.id)
        .with_for_update()
    )


async def set_ends(tx: Tx, platform_id: str, key_id: str, **ends: int | None) -> None:
    """Set `expires_at` or `revoked_at`."""
    await tx.execute(update(keys).where(keys.c.platform_id == platform_id, keys.c.id == key_id).values(**ends))


async def set_rate_limit(tx: Tx, platform_id: str, key_id: str, per_second: int | None) -> None:
    await tx.execute(
        update(keys).where(keys.c.platform_id == platform_id, keys.c.id == key_id).values(rate_limit=per_second)
    )


_used = values_table("used", platform_id=ByteOrderedText, id=ByteOrderedText, at=BigInteger())
_TOUCH = Statement(
    update(keys)
    .values(last_used_at=_used.c.at)
    .where(keys.c.platform_id == _used.c.platform_id, keys.c.id == _used.c.id),
    used=_used,
)


async def touch(tx: RawTransaction, used: list[tuple[str, str, int]]) -> None:
    """Store when keys were last used, given as (platform, key, time)."""
    await tx.run(_TOUCH, used=used)

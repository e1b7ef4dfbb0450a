"""SQL of keys."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, insert, or_, select, update

from dream_api.core.db import RawTransaction, Statement, Tx, values_table
from dream_api.core.db.columns import ByteOrderedText
from dream_api.keys.tables import key_hashes, keys
from dream_api.platforms import Mode
from dream_api.platforms.tables import platforms, projects


async def insert_key(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    await tx.execute(insert(keys).values(platform_no=platform_no, **row))
    await tx.execute(insert(key_hashes).values(hash=row["hash"], platform_no=platform_no, key_id=row["id"]))


async def by_hash(tx: Tx, hashed: bytes) -> Row[Any] | None:
    """The key with its project's facts; before any tenant is known."""
    found = await tx.first(select(key_hashes.c.platform_no, key_hashes.c.key_id).where(key_hashes.c.hash == hashed))
    if found is None:
        return None
    return await tx.first(
        select(
            keys,
            platforms.c.id.label("platform_id"),
            platforms.c.deletes_at.label("platform_deletes_at"),
            projects.c.no.label("project_no"),
            projects.c.type.label("project_type"),
        )
        .join(platforms, platforms.c.no == keys.c.platform_no)
        .join(projects, (projects.c.platform_no == keys.c.platform_no) & (projects.c.id == keys.c.project_id))
        .where(keys.c.platform_no == found.platform_no, keys.c.id == found.key_id)
    )


async def by_id(tx: Tx, platform_no: int, key_id: str) -> Row[Any] | None:
    return await tx.first(select(keys).where(keys.c.platform_no == platform_no, keys.c.id == key_id))


async def of_project(tx: Tx, platform_no: int, project_id: str, mode: Mode | None = None) -> Sequence[Row[Any]]:
    """Oldest first, the revoked ones too."""
    query = select(keys).where(keys.c.platform_no == platform_no, keys.c.project_id == project_id)
    if mode is not None:
        query = query.where(keys.c.mode == mode)
    return await tx.all(query.order_by(keys.c.id))


async def hashes_of_platform(tx: Tx, platform_no: int) -> Sequence[bytes]:
    """Of all its keys that were not revoked."""
    found = select(keys.c.hash).where(keys.c.platform_no == platform_no, keys.c.revoked_at.is_(None))
    return [row.hash for row in await tx.all(found)]


async def active_secret_keys(tx: Tx, platform_no: int, project_id: str, mode: Mode, now: int) -> Sequence[Row[Any]]:
    """The secret keys that are accepted at this moment, oldest first; locked until the transaction ends."""
    return await tx.all(
        select(keys)
        .where(
            keys.c.platform_no == platform_no,
            keys.c.project_id == project_id,
            keys.c.mode == mode,
            keys.c.kind == "secret",
            keys.c.revoked_at.is_(None),
            or_(keys.c.expires_at.is_(None), keys.c.expires_at > now),
        )
        .order_by(keys.c.id)
        .with_for_update()
    )


async def set_ends(tx: Tx, platform_no: int, key_id: str, **ends: int | None) -> None:
    """Set `expires_at` or `revoked_at`."""
    await tx.execute(update(keys).where(keys.c.platform_no == platform_no, keys.c.id == key_id).values(**ends))


async def set_rate_limit(tx: Tx, platform_no: int, key_id: str, per_second: int | None) -> None:
    await tx.execute(
        update(keys).where(keys.c.platform_no == platform_no, keys.c.id == key_id).values(rate_limit=per_second)
    )


_used = values_table("used", platform_no=BigInteger(), id=ByteOrderedText, at=BigInteger())
_TOUCH = Statement(
    update(keys)
    .values(last_used_at=_used.c.at)
    .where(keys.c.platform_no == _used.c.platform_no, keys.c.id == _used.c.id),
    used=_used,
)


async def touch(tx: RawTransaction, used: list[tuple[int, str, int]]) -> None:
    """Store when keys were last used, given as (platform, key, time)."""
    await tx.run(_TOUCH, used=used)

"""SQL of members."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from dream_api.core.db import Tx
from dream_api.platforms.tables import members, platforms

m = members.c


async def insert_member(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    await tx.execute(insert(members).values(platform_no=platform_no, **row))


async def member_row(tx: Tx, platform_no: int, user_id: str) -> Row[Any] | None:
    return await tx.first(select(members).where(m.platform_no == platform_no, m.user_id == user_id))


async def members_of(tx: Tx, platform_no: int) -> Sequence[Row[Any]]:
    """Who came first stands first."""
    whose = select(members).where(m.platform_no == platform_no)
    return await tx.all(whose.order_by(m.joined_at, m.user_id))


async def memberships_of(tx: Tx, user_id: str) -> Sequence[Row[Any]]:
    joined = members.join(platforms, platforms.c.no == m.platform_no)
    columns = (m.role, m.joined_at, platforms.c.no, platforms.c.id, platforms.c.name, platforms.c.deletes_at)
    whose = select(*columns).select_from(joined).where(m.user_id == user_id)
    return await tx.all(whose.order_by(m.joined_at, m.platform_no))


async def count_members(tx: Tx, platform_no: int) -> int:
    return await tx.scalar(select(func.count()).select_from(members).where(m.platform_no == platform_no)) or 0


async def count_owners(tx: Tx, platform_no: int) -> int:
    owners = select(func.count()).select_from(members).where(m.platform_no == platform_no, m.role == "owner")
    return await tx.scalar(owners) or 0


async def set_role(tx: Tx, platform_no: int, user_id: str, role: str) -> None:
    whose = (m.platform_no == platform_no, m.user_id == user_id)
    await tx.execute(update(members).where(*whose).values(role=role))


async def delete_member(tx: Tx, platform_no: int, user_id: str) -> None:
    await tx.execute(delete(members).where(m.platform_no == platform_no, m.user_id == user_id))

"""SQL of invitations."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from dream_api.core.db import Tx
from dream_api.platforms.tables import invitations, platforms

i = invitations.c


async def insert_invitation(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    await tx.execute(insert(invitations).values(platform_no=platform_no, **row))


# With the platform's name, before any tenant is known.
_named = select(*i, platforms.c.id.label("platform_id"), platforms.c.name.label("platform_name")).select_from(
    invitations.join(platforms, platforms.c.no == i.platform_no)
)


async def by_hash(tx: Tx, hashed: bytes) -> Row[Any] | None:
    return await tx.first(_named.where(i.hash == hashed))


async def open_of_email(tx: Tx, email: str, now: int) -> Sequence[Row[Any]]:
    """On all platforms, the oldest first."""
    return await tx.all(_named.where(i.email == email, i.expires_at > now).order_by(i.id))


async def by_id_and_email(tx: Tx, invitation_id: str, email: str) -> Row[Any] | None:
    return await tx.first(_named.where(i.id == invitation_id, i.email == email))


async def by_id(tx: Tx, platform_no: int, invitation_id: str) -> Row[Any] | None:
    return await tx.first(select(invitations).where(i.platform_no == platform_no, i.id == invitation_id))


async def of_email(tx: Tx, platform_no: int, email: str) -> Row[Any] | None:
    return await tx.first(select(invitations).where(i.platform_no == platform_no, i.email == email))


async def are_for(tx: Tx, email: str, now: int) -> bool:
    """Whether the address is invited to any platform at this moment."""
    return await tx.first(select(i.id).where(i.email == email, i.expires_at > now).limit(1)) is not None


async def invitations_of(tx: Tx, platform_no: int) -> Sequence[Row[Any]]:
    """Oldest first, also those whose link has ended."""
    return await tx.all(select(invitations).where(i.platform_no == platform_no).order_by(i.id))


async def count_open(tx: Tx, platform_no: int, now: int) -> int:
    waiting = select(func.count()).select_from(invitations).where(i.platform_no == platform_no, i.expires_at > now)
    return await tx.scalar(waiting) or 0


async def update_invitation(tx: Tx, platform_no: int, invitation_id: str, values: dict[str, Any]) -> None:
    await tx.execute(update(invitations).where(i.platform_no == platform_no, i.id == invitation_id).values(values))


async def delete_invitation(tx: Tx, platform_no: int, invitation_id: str) -> bool:
    """Whether it was there."""
    whose = (i.platform_no == platform_no, i.id == invitation_id)
    return await tx.execute(delete(invitations).where(*whose)) == 1

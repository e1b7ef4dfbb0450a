"""SQL of users and their sessions."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from dream_api.accounts.tables import sessions, users
from dream_api.core.db import Tx

s = sessions.c


async def insert_user(tx: Tx, row: dict[str, Any]) -> None:
    await tx.execute(insert(users).values(row))


async def user_by_id(tx: Tx, user_id: str) -> Row[Any] | None:
    return await tx.first(select(users).where(users.c.id == user_id))


async def user_by_email(tx: Tx, email: str) -> Row[Any] | None:
    return await tx.first(select(users).where(users.c.email == email))


async def users_by_id(tx: Tx, user_ids: Sequence[str]) -> Sequence[Row[Any]]:
    return await tx.all(select(users).where(users.c.id.in_(user_ids)))


async def insert_session(tx: Tx, row: dict[str, Any]) -> None:
    await tx.execute(insert(sessions).values(row))


async def session_by_hash(tx: Tx, hashed: bytes) -> Row[Any] | None:
    columns = (*sessions.c, users.c.email, users.c.name, users.c.verified_at)
    joined = sessions.join(users, users.c.id == s.user_id)
    return await tx.first(select(*columns).select_from(joined).where(s.hash == hashed))


async def sessions_of(tx: Tx, user_id: str) -> Sequence[Row[Any]]:
    """The one used last comes first."""
    return await tx.all(select(sessions).where(s.user_id == user_id).order_by(s.last_used_at.desc(), s.id.desc()))


async def delete_session(tx: Tx, user_id: str, session_id: str) -> None:
    await tx.execute(delete(sessions).where(s.user_id == user_id, s.id == session_id))


async def set_session_used(tx: Tx, session_id: str, at: int, *, unless_after: int) -> None:
    which = (s.id == session_id, s.last_used_at <= unless_after)
    await tx.execute(update(sessions).where(*which).values(last_used_at=at))

"""SQL of users, their sessions and external identities."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from dream_api.accounts.tables import linked_sign_ins, sessions, users
from dream_api.core.db import Tx
from dream_api.core.db.statements import insert as insert_or

s = sessions.c


async def insert_user(tx: Tx, row: dict[str, Any]) -> None:
    await tx.execute(insert(users).values(row))


async def insert_user_unless_known(tx: Tx, row: dict[str, Any]) -> None:
    """Nothing is written where somebody has the address."""
    await tx.execute(insert_or(users).values(row).on_conflict_do_nothing())


async def set_user(tx: Tx, user_id: str, **values: Any) -> None:
    await tx.execute(update(users).where(users.c.id == user_id).values(values))


async def delete_user(tx: Tx, user_id: str) -> None:
    """Also deletes external identities; all other references must be gone."""
    await tx.execute(delete(linked_sign_ins).where(linked_sign_ins.c.user_id == user_id))
    await tx.execute(delete(users).where(users.c.id == user_id))


async def linked_user(tx: Tx, issuer: str, subject: str) -> str | None:
    """The id of the user with this subject at the provider."""
    which = (linked_sign_ins.c.issuer == issuer, linked_sign_ins.c.subject == subject)
    return await tx.scalar(select(linked_sign_ins.c.user_id).where(*which))


async def insert_link(tx: Tx, issuer: str, subject: str, user_id: str, at: int) -> None:
    row = {"issuer": issuer, "subject": subject, "user_id": user_id, "created_at": at}
    await tx.execute(insert(linked_sign_ins).values(row))


async def user_by_id(tx: Tx, user_id: str) -> Row[Any] | None:
    return await tx.first(select(users).where(users.c.id == user_id))


async def lock_user(tx: Tx, user_id: str) -> None:
    """Lock the user's row until the transaction ends."""
    await tx.first(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))


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


async def list_sessions(tx: Tx, user_id: str) -> Sequence[Row[Any]]:
    """The one used last comes first."""
    return await tx.all(select(sessions).where(s.user_id == user_id).order_by(s.last_used_at.desc(), s.id.desc()))


async def delete_session(tx: Tx, user_id: str, session_id: str) -> None:
    await tx.execute(delete(sessions).where(s.user_id == user_id, s.id == session_id))


async def set_session_used(tx: Tx, session_id: str, at: int, *, unless_after: int) -> None:
    which = (s.id == session_id, s.last_used_at <= unless_after)
    await tx.execute(update(sessions).where(*which).values(last_used_at=at))

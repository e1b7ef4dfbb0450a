"""SQL of personal tokens."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update

from dream_api.accounts.tables import personal_tokens
from dream_api.core.db import Tx

t = personal_tokens.c


async def insert_token(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    await tx.execute(insert(personal_tokens).values(platform_no=platform_no, **row))


async def by_hash(tx: Tx, hashed: bytes) -> Row[Any] | None:
    """Before any tenant is known."""
    return await tx.first(select(personal_tokens).where(t.hash == hashed))


async def find_token(tx: Tx, platform_no: int, token_id: str) -> Row[Any] | None:
    return await tx.first(select(personal_tokens).where(t.platform_no == platform_no, t.id == token_id))


async def find_token_on_any_platform(tx: Tx, token_id: str) -> Row[Any] | None:
    """For operators, who see every platform."""
    return await tx.first(select(personal_tokens).where(t.id == token_id))


async def list_platform_tokens(tx: Tx, platform_no: int) -> Sequence[Row[Any]]:
    """Oldest first, the revoked ones too."""
    return await tx.all(select(personal_tokens).where(t.platform_no == platform_no).order_by(t.id))


async def list_member_tokens(tx: Tx, platform_no: int, user_id: str) -> Sequence[Row[Any]]:
    """The user's on this platform, the revoked ones too."""
    return await tx.all(select(personal_tokens).where(t.platform_no == platform_no, t.user_id == user_id))


async def list_user_tokens(tx: Tx, user_id: str) -> Sequence[Row[Any]]:
    """On all platforms, newest first, the revoked ones too."""
    return await tx.all(select(personal_tokens).where(t.user_id == user_id).order_by(t.id.desc()))


async def set_orphaned(tx: Tx, platform_no: int, token_id: str, at: int) -> None:
    """Revoked, where it was not before, and nobody's."""
    whose = (t.platform_no == platform_no, t.id == token_id)
    ended = {"user_id": None, "name": "", "revoked_at": func.coalesce(t.revoked_at, at)}
    await tx.execute(update(personal_tokens).where(*whose).values(ended))


async def set_revoked(tx: Tx, platform_no: int, token_id: str, at: int) -> None:
    whose = (t.platform_no == platform_no, t.id == token_id)
    await tx.execute(update(personal_tokens).where(*whose).values(revoked_at=at))


async def set_used(tx: Tx, platform_no: int, token_id: str, at: int, *, unless_after: int) -> None:
    """Nothing is written where a use later than `unless_after` is known."""
    is_stale = or_(t.last_used_at.is_(None), t.last_used_at <= unless_after)
    whose = (t.platform_no == platform_no, t.id == token_id, is_stale)
    await tx.execute(update(personal_tokens).where(*whose).values(last_used_at=at))

"""SQL of the email outbox."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select, update

from dream_api.core.db import Tx
from dream_api.core.mail.tables import mails

m = mails.c


async def insert_mail(tx: Tx, row: dict[str, Any]) -> None:
    await tx.execute(insert(mails).values(row))


async def mail_by_id(tx: Tx, mail_id: str) -> Row[Any] | None:
    return await tx.first(select(mails).where(m.id == mail_id))


async def list_newest(tx: Tx, *, limit: int, before: str | None = None) -> Sequence[Row[Any]]:
    """The newest emails, without their text."""
    query = select(m.id, m.to, m.subject, m.state, m.last_error, m.created_at, m.sent_at)
    which = [] if before is None else [m.id < before]
    return await tx.all(query.where(*which).order_by(m.id.desc()).limit(limit))


async def set_outcome(tx: Tx, mail_id: str, **values: Any) -> None:
    """Record the outcome of an email that was still waiting."""
    await tx.execute(update(mails).where(m.id == mail_id, m.state == "waiting").values(values))

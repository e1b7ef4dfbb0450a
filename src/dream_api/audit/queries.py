"""SQL of the security log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, tuple_, update

from dream_api.audit.tables import entries, fields, streams
from dream_api.core.db import Tx, insert

b, e, f = streams.c, entries.c, fields.c


async def lock_stream(tx: Tx, stream: str, first_digest: bytes) -> Row[Any]:
    """The stream's row, locked; created where it is missing."""
    found = await lock_existing_stream(tx, stream)
    if found is None:
        row = {
            "book": stream,
            "last_number": 0,
            "last_digest": first_digest,
            "cut_number": 0,
            "cut_digest": first_digest,
        }
        await tx.execute(insert(streams).values(row).on_conflict_do_nothing())
        found = await lock_existing_stream(tx, stream)
    assert found is not None
    return found


async def lock_existing_stream(tx: Tx, stream: str) -> Row[Any] | None:
    """The stream's row, locked; None where it is missing (it may just have been deleted)."""
    return await tx.first(select(streams).where(b.book == stream).with_for_update())


async def insert_entry(tx: Tx, entry: Any, digest: bytes, of_fields: Sequence[dict[str, Any]]) -> None:
    row = {
        "book": entry.book,
        "number": entry.number,
        "at": entry.at,
        "action": entry.action,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "about": entry.about,
        "digest": digest,
    }
    await tx.execute(insert(entries).values(row))
    if of_fields:
        await tx.execute(insert(fields), of_fields)
    await tx.execute(update(streams).where(b.book == entry.book).values(last_number=entry.number, last_digest=digest))


async def newest_entries(
    tx: Tx, stream: str, *, limit: int, before: int | None, action: str | None, actor_id: str | None
) -> Sequence[Row[Any]]:
    which = [e.book == stream]
    if before is not None:
        which.append(e.number < before)
    if action is not None:
        which.append(e.action == action)
    if actor_id is not None:
        which.append(e.actor_id == actor_id)
    return await tx.all(select(entries).where(*which).order_by(e.number.desc()).limit(limit))


async def fields_of(tx: Tx, stream: str, numbers: Sequence[int]) -> Sequence[Row[Any]]:
    """Fields of these entries of the stream."""
    # Not by a list of (book, number), for which SQLite would read the fields of all streams.
    return await tx.all(select(fields).where(f.book == stream, f.number.in_(numbers)))


async def actors_of(tx: Tx, stream: str, limit: int) -> Sequence[Row[Any]]:
    """The actors of the stream: `actor_id`, `actor_kind` and the last name they had, where it is not erased."""
    name = func.max(f.value).label("name")
    joined = entries.outerjoin(fields, (f.book == e.book) & (f.number == e.number) & (f.field == "actor.name"))
    query = select(e.actor_id, e.actor_kind, name).select_from(joined).where(e.book == stream, e.actor_id != "")
    return await tx.all(query.group_by(e.actor_id, e.actor_kind).order_by(e.actor_id).limit(limit))


async def erase_fields(tx: Tx, now: int, limit: int) -> int:
    """Erase expired personal data; returns how many fields, at most `limit`."""
    due = select(f.book, f.number, f.field).where(f.erase_at <= now).order_by(f.erase_at).limit(limit)
    which = tuple_(f.book, f.number, f.field).in_(due)
    return await tx.execute(update(fields).where(which).values(salt=None, value=None, erase_at=None))


async def list_streams_with_entries_before(tx: Tx, before: int, limit: int) -> Sequence[str]:
    """Names of streams with entries from before that time."""
    rows = await tx.all(select(e.book).where(e.at < before).distinct().order_by(e.book).limit(limit))
    return [row.book for row in rows]


async def older_entries(tx: Tx, stream: str, before: int, limit: int) -> Sequence[Row[Any]]:
    """The oldest entries of the stream, up to the first one that is not before that time."""
    rows = await tx.all(select(e.number, e.at, e.digest).where(e.book == stream).order_by(e.number).limit(limit))
    ends = next((place for place, row in enumerate(rows) if row.at >= before), len(rows))
    return rows[:ends]


async def truncate(tx: Tx, stream: str, number: int, digest: bytes, seal: bytes) -> None:
    await tx.execute(delete(fields).where(f.book == stream, f.number <= number))
    await tx.execute(delete(entries).where(e.book == stream, e.number <= number))
    values = {"cut_number": number, "cut_digest": digest, "cut_seal": seal}
    await tx.execute(update(streams).where(b.book == stream).values(values))


async def list_checkpoints(tx: Tx) -> Sequence[Row[Any]]:
    """Of every stream that was truncated."""
    cut = select(b.book, b.cut_number, b.cut_digest, b.cut_seal).where(b.cut_number > 0)
    return await tx.all(cut.order_by(b.book))


async def set_checkpoint_signature(tx: Tx, stream: str, signature: bytes) -> None:
    await tx.execute(update(streams).where(b.book == stream).values(cut_seal=signature))


async def delete_stream(tx: Tx, stream: str) -> None:
    """Delete the row of a stream without entries."""
    await tx.execute(delete(streams).where(b.book == stream))


async def list_streams(tx: Tx, after: str, limit: int) -> Sequence[Row[Any]]:
    return await tx.all(select(streams).where(b.book > after).order_by(b.book).limit(limit))


async def has_entries_up_to(tx: Tx, stream: str, number: int) -> bool:
    return await tx.first(select(e.number).where(e.book == stream, e.number <= number).limit(1)) is not None


async def list_entries_after(tx: Tx, stream: str, after: int, limit: int) -> Sequence[Row[Any]]:
    return await tx.all(select(entries).where(e.book == stream, e.number > after).order_by(e.number).limit(limit))


async def fields_between(tx: Tx, stream: str, after: int, last: int) -> Sequence[Row[Any]]:
    return await tx.all(select(fields).where(f.book == stream, f.number > after, f.number <= last))


async def stray_fields(tx: Tx, limit: int) -> Sequence[Row[Any]]:
    """Fields without an entry or without a stream."""
    joined = fields.outerjoin(entries, (e.book == f.book) & (e.number == f.number)).outerjoin(streams, b.book == f.book)
    which = or_(e.number.is_(None), b.book.is_(None))
    return await tx.all(select(f.book, f.number, f.field).select_from(joined).where(which).limit(limit))

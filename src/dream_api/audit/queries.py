"""SQL of the security log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, or_, select, tuple_, update

from dream_api.audit.streams import Stream
from dream_api.audit.tables import entries, fields, streams
from dream_api.core.db import Tx, insert

b, e, f = streams.c, entries.c, fields.c


def _is(columns: Any, stream: Stream) -> tuple[ColumnElement[bool], ...]:
    return (columns.platform_no == stream.platform_no, columns.user_id == stream.user_id)


def _same_stream(one: Any, other: Any) -> ColumnElement[bool]:
    return and_(one.platform_no == other.platform_no, one.user_id == other.user_id)


async def lock_stream(tx: Tx, stream: Stream, first_digest: bytes) -> Row[Any]:
    """The stream's row, locked; created where it is missing."""
    found = await lock_existing_stream(tx, stream)
    if found is None:
        row = {
            "platform_no": stream.platform_no,
            "user_id": stream.user_id,
            "name": stream.name,
            "last_number": 0,
            "last_digest": first_digest,
            "cut_number": 0,
            "cut_digest": first_digest,
        }
        await tx.execute(insert(streams).values(row).on_conflict_do_nothing())
        found = await lock_existing_stream(tx, stream)
    assert found is not None
    return found


async def lock_existing_stream(tx: Tx, stream: Stream) -> Row[Any] | None:
    """The stream's row, locked; None where it is missing (it may just have been deleted)."""
    return await tx.first(select(streams).where(*_is(b, stream)).with_for_update())


async def insert_entry(tx: Tx, stream: Stream, entry: Any, digest: bytes, of_fields: Sequence[dict[str, Any]]) -> None:
    whose = {"platform_no": stream.platform_no, "user_id": stream.user_id}
    row = {
        **whose,
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
        await tx.execute(insert(fields), [{**whose, **field} for field in of_fields])
    await tx.execute(update(streams).where(*_is(b, stream)).values(last_number=entry.number, last_digest=digest))


async def newest_entries(
    tx: Tx, stream: Stream, *, limit: int, before: int | None, action: str | None, actor_id: str | None
) -> Sequence[Row[Any]]:
    which = [*_is(e, stream)]
    if before is not None:
        which.append(e.number < before)
    if action is not None:
        which.append(e.action == action)
    if actor_id is not None:
        which.append(e.actor_id == actor_id)
    return await tx.all(select(entries).where(*which).order_by(e.number.desc()).limit(limit))


async def fields_of(tx: Tx, stream: Stream, numbers: Sequence[int]) -> Sequence[Row[Any]]:
    """Fields of these entries of the stream."""
    # Not by a list of (stream, number), for which SQLite would read the fields of all streams.
    return await tx.all(select(fields).where(*_is(f, stream), f.number.in_(numbers)))


async def actors_of(tx: Tx, stream: Stream, limit: int) -> Sequence[Row[Any]]:
    """The actors of the stream: `actor_id`, `actor_kind` and the last name they had, where it is not erased."""
    name = func.max(f.value).label("name")
    joined = entries.outerjoin(fields, _same_stream(f, e) & (f.number == e.number) & (f.field == "actor.name"))
    query = select(e.actor_id, e.actor_kind, name).select_from(joined).where(*_is(e, stream), e.actor_id != "")
    return await tx.all(query.group_by(e.actor_id, e.actor_kind).order_by(e.actor_id).limit(limit))


async def erase_fields(tx: Tx, now: int, limit: int) -> int:
    """Erase expired personal data; returns how many fields, at most `limit`."""
    due = select(f.platform_no, f.user_id, f.number, f.field).where(f.erase_at <= now).order_by(f.erase_at).limit(limit)
    which = tuple_(f.platform_no, f.user_id, f.number, f.field).in_(due)
    return await tx.execute(update(fields).where(which).values(salt=None, value=None, erase_at=None))


async def list_streams_with_entries_before(tx: Tx, before: int, limit: int) -> list[Stream]:
    """Streams with entries from before that time."""
    joined = select(b.name, b.platform_no).join(entries, _same_stream(e, b)).where(e.at < before)
    rows = await tx.all(joined.distinct().order_by(b.name).limit(limit))
    return [Stream(row.name, row.platform_no) for row in rows]


async def older_entries(tx: Tx, stream: Stream, before: int, limit: int) -> Sequence[Row[Any]]:
    """The oldest entries of the stream, up to the first one that is not before that time."""
    rows = await tx.all(select(e.number, e.at, e.digest).where(*_is(e, stream)).order_by(e.number).limit(limit))
    ends = next((place for place, row in enumerate(rows) if row.at >= before), len(rows))
    return rows[:ends]


async def truncate(tx: Tx, stream: Stream, number: int, digest: bytes, seal: bytes) -> None:
    await tx.execute(delete(fields).where(*_is(f, stream), f.number <= number))
    await tx.execute(delete(entries).where(*_is(e, stream), e.number <= number))
    values = {"cut_number": number, "cut_digest": digest, "cut_seal": seal}
    await tx.execute(update(streams).where(*_is(b, stream)).values(values))


async def list_checkpoints(tx: Tx) -> Sequence[Row[Any]]:
    """Of every stream that was truncated."""
    cut = select(b.name, b.platform_no, b.cut_number, b.cut_digest, b.cut_seal).where(b.cut_number > 0)
    return await tx.all(cut.order_by(b.name))


async def set_checkpoint_signature(tx: Tx, stream: Stream, signature: bytes) -> None:
    await tx.execute(update(streams).where(*_is(b, stream)).values(cut_seal=signature))


async def delete_stream(tx: Tx, stream: Stream) -> None:
    """Delete the row of a stream without entries."""
    await tx.execute(delete(streams).where(*_is(b, stream)))


async def list_streams(tx: Tx, after: str, limit: int) -> Sequence[Row[Any]]:
    return await tx.all(select(streams).where(b.name > after).order_by(b.name).limit(limit))


async def has_entries_up_to(tx: Tx, stream: Stream, number: int) -> bool:
    return await tx.first(select(e.number).where(*_is(e, stream), e.number <= number).limit(1)) is not None


async def list_entries_after(tx: Tx, stream: Stream, after: int, limit: int) -> Sequence[Row[Any]]:
    return await tx.all(select(entries).where(*_is(e, stream), e.number > after).order_by(e.number).limit(limit))


async def fields_between(tx: Tx, stream: Stream, after: int, last: int) -> Sequence[Row[Any]]:
    return await tx.all(select(fields).where(*_is(f, stream), f.number > after, f.number <= last))


async def stray_fields(tx: Tx, limit: int) -> Sequence[Row[Any]]:
    """Fields without an entry or without a stream."""
    joined = fields.outerjoin(entries, _same_stream(e, f) & (e.number == f.number)).outerjoin(
        streams, _same_stream(b, f)
    )
    which = or_(e.number.is_(None), b.name.is_(None))
    return await tx.all(
        select(f.platform_no, f.user_id, f.number, f.field).select_from(joined).where(which).limit(limit)
    )

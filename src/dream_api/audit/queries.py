"""SQL of the security log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, tuple_, update

from dream_api.audit.tables import books, entries, fields
from dream_api.core.db import Tx, insert

b, e, f = books.c, entries.c, fields.c


async def lock_book(tx: Tx, book: str, first_digest: bytes) -> Row[Any]:
    """Its row, also where it begins just now; the next who appends waits for this transaction."""
    found = await lock_begun(tx, book)
    if found is None:
        row = {"book": book, "last_number": 0, "last_digest": first_digest, "cut_number": 0, "cut_digest": first_digest}
        await tx.execute(insert(books).values(row).on_conflict_do_nothing())
        found = await lock_begun(tx, book)
    assert found is not None
    return found


async def lock_begun(tx: Tx, book: str) -> Row[Any] | None:
    """The same, but a book that is not there (it may just have been forgotten) does not begin."""
    return await tx.first(select(books).where(b.book == book).with_for_update())


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
    await tx.execute(update(books).where(b.book == entry.book).values(last_number=entry.number, last_digest=digest))


async def newest_entries(
    tx: Tx, book: str, *, limit: int, before: int | None, action: str | None, actor_id: str | None
) -> Sequence[Row[Any]]:
    which = [e.book == book]
    if before is not None:
        which.append(e.number < before)
    if action is not None:
        which.append(e.action == action)
    if actor_id is not None:
        which.append(e.actor_id == actor_id)
    return await tx.all(select(entries).where(*which).order_by(e.number.desc()).limit(limit))


async def fields_of(tx: Tx, keys: Sequence[tuple[str, int]]) -> Sequence[Row[Any]]:
    """Of these entries, by book and number."""
    if not keys:
        return ()
    return await tx.all(select(fields).where(tuple_(f.book, f.number).in_(keys)))


async def actors_of(tx: Tx, book: str, limit: int) -> Sequence[Row[Any]]:
    """Who stands in the book: `actor_id`, `actor_kind` and the last name they had, where it is not erased."""
    name = func.max(f.value).label("name")
    joined = entries.outerjoin(fields, (f.book == e.book) & (f.number == e.number) & (f.field == "actor.name"))
    query = select(e.actor_id, e.actor_kind, name).select_from(joined).where(e.book == book, e.actor_id != "")
    return await tx.all(query.group_by(e.actor_id, e.actor_kind).order_by(e.actor_id).limit(limit))


async def erase_fields(tx: Tx, now: int, limit: int) -> int:
    """Names and addresses whose time is over; how many there were, at most so many."""
    due = select(f.book, f.number, f.field).where(f.erase_at <= now).order_by(f.erase_at).limit(limit)
    which = tuple_(f.book, f.number, f.field).in_(due)
    return await tx.execute(update(fields).where(which).values(salt=None, value=None, erase_at=None))


async def books_older(tx: Tx, before: int, limit: int) -> Sequence[str]:
    """Books with entries from before that moment."""
    rows = await tx.all(select(e.book).where(e.at < before).distinct().order_by(e.book).limit(limit))
    return [row.book for row in rows]


async def older_entries(tx: Tx, book: str, before: int, limit: int) -> Sequence[Row[Any]]:
    """The oldest entries of the book, as far as none is newer than that."""
    rows = await tx.all(select(e.number, e.at, e.digest).where(e.book == book).order_by(e.number).limit(limit))
    ends = next((place for place, row in enumerate(rows) if row.at >= before), len(rows))
    return rows[:ends]


async def cut_off(tx: Tx, book: str, number: int, digest: bytes, seal: bytes) -> None:
    await tx.execute(delete(fields).where(f.book == book, f.number <= number))
    await tx.execute(delete(entries).where(e.book == book, e.number <= number))
    values = {"cut_number": number, "cut_digest": digest, "cut_seal": seal}
    await tx.execute(update(books).where(b.book == book).values(values))


async def delete_book(tx: Tx, book: str) -> None:
    """Without entries."""
    await tx.execute(delete(books).where(b.book == book))


async def some_books(tx: Tx, after: str, limit: int) -> Sequence[Row[Any]]:
    return await tx.all(select(books).where(b.book > after).order_by(b.book).limit(limit))


async def has_entries_up_to(tx: Tx, book: str, number: int) -> bool:
    return await tx.first(select(e.number).where(e.book == book, e.number <= number).limit(1)) is not None


async def some_entries(tx: Tx, book: str, after: int, limit: int) -> Sequence[Row[Any]]:
    return await tx.all(select(entries).where(e.book == book, e.number > after).order_by(e.number).limit(limit))


async def fields_between(tx: Tx, book: str, after: int, last: int) -> Sequence[Row[Any]]:
    return await tx.all(select(fields).where(f.book == book, f.number > after, f.number <= last))


async def stray_fields(tx: Tx, limit: int) -> Sequence[Row[Any]]:
    """Fields outside what their book holds."""
    joined = fields.outerjoin(entries, (e.book == f.book) & (e.number == f.number)).outerjoin(books, b.book == f.book)
    which = or_(e.number.is_(None), b.book.is_(None))
    return await tx.all(select(f.book, f.number, f.field).select_from(joined).where(which).limit(limit))

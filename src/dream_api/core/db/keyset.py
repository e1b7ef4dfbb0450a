"""Keyset iteration over a table of any size: by primary key, in bounded batches, concurrently with writers."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, literal, select, tuple_

from dream_api.core.db.database import Database

# Rows that are looked at in one read: some milliseconds, however many of them are wanted.
PAGE = 2_000


async def iterate_by_key(
    database: Database, table: Table, wanted: ColumnElement[bool]
) -> AsyncGenerator[Sequence[Row[Any]]]:
    """The rows that are wanted, in the order of their key, in batches; no transaction is open while one is handled.

    Rows that are written behind the current key meanwhile are not seen.
    """
    columns = list(table.primary_key)
    key = tuple_(*columns)
    ahead: list[ColumnElement[bool]] = []
    while True:
        async with database.read() as tx:
            last = await tx.first(select(*columns).where(*ahead).order_by(*columns).offset(PAGE - 1).limit(1))
            piece = ahead if last is None else [*ahead, key <= resume_key(table, last)]
            rows = await tx.all(select(table).where(*piece, wanted).order_by(*columns))
        if rows:
            yield rows
        if last is None:
            return
        ahead = [key > resume_key(table, last)]


def resume_key(table: Table, key: Sequence[Any]) -> Any:
    """A key's values, to be compared with the table's key as a whole."""
    return tuple_(*(literal(value, column.type) for column, value in zip(table.primary_key, key, strict=True)))

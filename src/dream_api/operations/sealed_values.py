"""Sealed values: every column of the schema that is encrypted with the instance key, found by its metadata."""

from collections.abc import AsyncGenerator
from typing import Any

from sqlalchemy import Column, ColumnElement, delete, select, tuple_, update

from dream_api.core.db import Row, Tx, resume_key
from dream_api.core.db.columns import metadata
from dream_api.core.secrets import DecryptionFailed, InstanceKey

_PAGE = 1_000


def sealed_columns() -> list[Column[Any]]:
    """As `core.db.columns.sealed_column` declares them."""
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    return [column for table in tables for column in table.columns if "when_lost" in column.info]


async def find_broken(tx: Tx, column: Column[Any], key: InstanceKey) -> AsyncGenerator[tuple[Any, ...]]:
    """The primary key of each row whose value does not open with the key; read in pages."""
    async for row in _sealed_rows(tx, column):
        if not _opens(key, row.sealed, row.owner):
            yield tuple(row)[2:]


async def _sealed_rows(tx: Tx, column: Column[Any]) -> AsyncGenerator[Row[Any]]:
    table, ahead = column.table, list[ColumnElement[bool]]()
    identity: list[Any] = list(table.primary_key)
    wanted: list[Any] = [column.label("sealed"), table.c[column.info["owner"]].label("owner"), *identity]
    while True:
        query = select(*wanted).where(column.is_not(None), *ahead).order_by(*identity).limit(_PAGE)
        rows = await tx.all(query)
        for row in rows:
            yield row
        if len(rows) < _PAGE:
            return
        ahead = [tuple_(*identity) > resume_key(table, tuple(rows[-1])[2:])]


def _opens(key: InstanceKey, sealed: str, owner: str) -> bool:
    try:
        key.open(sealed, owner)
    except DecryptionFailed:
        return False
    return True


async def clear(tx: Tx, column: Column[Any], identity: tuple[Any, ...]) -> None:
    """Set the row's value to null, or delete the row where that cannot be."""
    table = column.table
    which = tuple_(*table.primary_key) == resume_key(table, identity)
    change = update(table).values({column.name: None}) if column.nullable else delete(table)
    await tx.execute(change.where(which))

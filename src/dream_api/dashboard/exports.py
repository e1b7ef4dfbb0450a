"""Exports of lists: CSV files for spreadsheets, and JSON lines; sent in pieces, so that no file is held in memory."""

import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from starlette.responses import Response, StreamingResponse

from dream_api.core.db import Database, Tx

T = TypeVar("T")
Format = Literal["csv", "json"]
# What a list is fetched by: so many rows after a cursor.
Fetch = Callable[[Tx, int, Any], Awaitable[Sequence[T]]]
# How each column's value is read from a row.
ExportColumns = Mapping[str, Callable[[T], object]]

# How many rows a file has at most.
MOST_ROWS = 50_000
_PIECE = 500
# A spreadsheet would run a cell that begins so, also with signs of full width.
_FORMULAS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_LINE_SIGNS = ("\t", "\r", "\n")
# Signs without a width, which it skips like blanks.
_WITHOUT_WIDTH = frozenset("\u200b\u200c\u200d\u2060\ufeff")
_TYPES: Mapping[Format, str] = {"csv": "text/csv; charset=utf-8", "json": "application/x-ndjson"}


async def read_pieces(
    db: Database, fetch: Fetch[T], cursor: Callable[[T], Any] | None, *, most: int | None = MOST_ROWS
) -> AsyncIterator[Sequence[T]]:
    """The rows in pieces of some hundreds; no transaction is open between two. Without a cursor, one piece is all."""
    after: Any = None
    sent = 0
    while most is None or sent < most:
        size = _PIECE if most is None else min(_PIECE, most - sent)
        async with db.read() as tx:
            rows = await fetch(tx, size, after)
        yield rows
        if cursor is None or len(rows) < size:
            return
        after, sent = cursor(rows[-1]), sent + len(rows)


def export_file(
    name: str, columns: ExportColumns[T], pieces: AsyncIterator[Sequence[T]], kind: Format = "csv"
) -> Response:
    """The rows as `<name>.csv` or `<name>.json`."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"}
    lines = _csv_lines(columns, pieces) if kind == "csv" else _json_lines(columns, pieces)
    return StreamingResponse(lines, 200, headers, _TYPES[kind])


async def _csv_lines(columns: ExportColumns[T], pieces: AsyncIterator[Sequence[T]]) -> AsyncIterator[str]:
    yield _csv([columns])
    async for rows in pieces:
        yield _csv([_csv_cell(read(row)) for read in columns.values()] for row in rows)


async def _json_lines(columns: ExportColumns[T], pieces: AsyncIterator[Sequence[T]]) -> AsyncIterator[str]:
    async for rows in pieces:
        for row in rows:
            yield json.dumps({name: read(row) for name, read in columns.items()}, ensure_ascii=False) + "\n"


def _csv(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _csv_cell(value: object) -> object:
    """What others wrote is text, never a formula."""
    if isinstance(value, str) and (value.startswith(_LINE_SIGNS) or _first_sign(value) in _FORMULAS):
        return f"'{value}"
    return "" if value is None else value


def _first_sign(text: str) -> str:
    """The first one that can be seen."""
    return next((sign for sign in text if not sign.isspace() and sign not in _WITHOUT_WIDTH), "")

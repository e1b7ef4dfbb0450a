"""Tables as CSV files, sent row by row."""

import csv
import io
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence

from starlette.responses import StreamingResponse

# A spreadsheet takes what begins with these for a formula, and would run what a stranger typed.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_answer(name: str, heads: Sequence[str], pieces: AsyncIterable[Iterable[Sequence[object]]]) -> StreamingResponse:
    """The file of that name; `pieces`: rows, some at a time."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_lines(heads, pieces), media_type="text/csv; charset=utf-8", headers=headers)


async def _lines(heads: Sequence[str], pieces: AsyncIterable[Iterable[Sequence[object]]]) -> AsyncIterator[str]:
    yield _written([heads])
    async for rows in pieces:
        yield _written(rows)


def _written(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """Text that would be taken for a formula is told apart by a quote before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

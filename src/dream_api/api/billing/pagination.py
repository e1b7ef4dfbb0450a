"""How billing's lists are asked for and paged."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import ColumnElement, Row, Table, select

from dream_api.billing.queries import common
from dream_api.core.db import Tx
from dream_api.platforms import Scope

Limit = Annotated[int, Query(ge=1, le=100, description="How many to answer.")]
After = Annotated[
    str | None,
    Query(pattern=r"^[a-z]{3}_[0-9a-z]{26}$", description="The `nextCursor` of the page before."),
]


async def page_of(
    tx: Tx, scope: Scope, table: Table, *which: ColumnElement[bool], limit: int, after: str | None
) -> tuple[Sequence[Row[Any]], str | None]:
    """Newest first, and the cursor of the next page."""
    query = select(table).where(*common.scoped(table, scope), *which)
    if after is not None:
        query = query.where(table.c.id < after)
    found = await tx.all(query.order_by(table.c.id.desc()).limit(limit + 1))
    return found[:limit], found[limit - 1].id if len(found) > limit else None

"""Search of customers: by the beginning of a user id or email address, by plan and status."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, select, union

from dream_api.core.db import Tx
from dream_api.customers.queries import order_of
from dream_api.customers.tables import customers
from dream_api.platforms.scope import ProjectScope

# How many customers a search returns at most; a longer text finds others.
MAX_RESULTS = 200
# Sorts after all text with the same beginning.
_LAST = "\U0010ffff"

c = customers.c


@dataclass(frozen=True, slots=True)
class Filter:
    """Which customers; what is empty leaves nobody out. `by_name`: in the order of user ids, else newest first."""

    beginning: str = ""
    plan: str = ""
    status: str = ""
    by_name: bool = False


async def list_customers(
    tx: Tx, scope: ProjectScope, wanted: Filter, *, limit: int, after: str | None
) -> Sequence[Row[Any]]:
    """Those after the id (by name: the user id) `after`."""
    order = c.user_id if wanted.by_name else await order_of(tx, scope)
    query = select(customers).where(*_of(scope))
    if wanted.plan:
        query = query.where(c.plan == wanted.plan)
    if wanted.status:
        query = query.where(c.status == wanted.status)
    if wanted.beginning:
        query = query.where(c.id.in_(_beginning_with(scope, wanted.beginning)))
    if after is not None:
        query = query.where(order > after if wanted.by_name else order < after)
    return await tx.all(query.order_by(order if wanted.by_name else order.desc()).limit(limit))


def _beginning_with(scope: ProjectScope, text: str) -> Any:
    """Each of the two has an index; together they would have none."""
    found = (
        select(
            select(c.id).where(*_of(scope), column >= text, column < text + _LAST).limit(MAX_RESULTS).subquery().c.id
        )
        for column in (c.user_id, c.email)
    )
    return select(union(*found).subquery().c.id)


def _of(scope: ProjectScope) -> tuple[ColumnElement[bool], ...]:
    return (c.platform_no == scope.platform_no, c.project_id == scope.project_id, c.mode == scope.mode)

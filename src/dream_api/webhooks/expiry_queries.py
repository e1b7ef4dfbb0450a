"""SQL of the expiry of events in projects with a test clock."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, select

from dream_api.core.db import Tx
from dream_api.platforms.tables import test_clocks
from dream_api.webhooks.tables import events

e, t = events.c, test_clocks.c


async def projects_with_clock(tx: Tx) -> Sequence[Row[Any]]:
    """`platform_no` and `project_id` of all of them."""
    return await tx.all(select(t.platform_no, t.project_id).order_by(t.platform_no, t.project_id))


async def expired_test_events(tx: Tx, platform_no: int, project_id: str, before: str, *, limit: int) -> list[str]:
    """The lowest ids of the project's events in test mode that are less than `before`."""
    which = and_(_in_test_mode(platform_no, project_id), e.id < before)
    return [row.id for row in await tx.all(select(e.id).where(which).order_by(e.id).limit(limit))]


async def delete_test_events(tx: Tx, platform_no: int, project_id: str, last: str) -> None:
    """Delete the project's events in test mode up to this id."""
    await tx.execute(delete(events).where(_in_test_mode(platform_no, project_id), e.id <= last))


def _in_test_mode(platform_no: int, project_id: str) -> ColumnElement[bool]:
    return and_(e.platform_no == platform_no, e.project_id == project_id, e.mode == "test")

"""Expiry of stored webhook events, 90 days of real time after they were recorded.

The time of an event is its project's, which a test clock puts ahead of real time. So the events of projects with a test
clock expire by their ids, which hold the real time of their creation.
"""

from dream_api.core import clock, ids
from dream_api.core.db import Database
from dream_api.core.expiry import CHUNK, ExpiryRule
from dream_api.core.jobs import Job, Registry
from dream_api.webhooks import expiry_queries as queries
from dream_api.webhooks.tables import events

EXPIRE = "webhooks.expire_test_events"
KEPT_FOR = 90 * clock.DAY
EXPIRY_RULES = (ExpiryRule(events.c.created_at, KEPT_FOR),)


def register(registry: Registry) -> None:
    """Once an hour."""
    registry.handle(EXPIRE, expire_test_events)
    registry.schedule(EXPIRE, every=clock.HOUR, kind=EXPIRE)


async def expire_test_events(database: Database, _: Job) -> None:
    """Delete the expired events of all projects with a test clock."""
    before = ids.first_at("evt", clock.now() - KEPT_FOR)
    async with database.read() as tx:
        projects = await queries.projects_with_clock(tx)
    for project in projects:
        while await _delete_some(database, project.platform_no, project.project_id, before):
            pass  # between two chunks the other writers have their turn


async def _delete_some(database: Database, platform_no: int, project_id: str, before: str) -> bool:
    """Whether there may be more; none is written to where none is old enough."""
    async with database.read() as tx:
        old = await queries.expired_test_events(tx, platform_no, project_id, before, limit=CHUNK)
    if not old:
        return False
    async with database.write() as tx:
        await queries.delete_test_events(tx, platform_no, project_id, old[-1])
    return len(old) == CHUNK

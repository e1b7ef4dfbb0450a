"""Deletes what core keeps only for a time."""

from sqlalchemy import Column, delete, select, tuple_

from dream_api.core import clock
from dream_api.core.cache.tables import changes
from dream_api.core.db import Database
from dream_api.core.idempotency.tables import idempotency_keys
from dream_api.core.jobs import Job, Registry
from dream_api.core.jobs.tables import jobs

KIND = "core.sweep"
# The moment from which a row's time counts, and that time; a row without the moment (a living job) stays.
_KEPT: tuple[tuple[Column[int], int], ...] = (
    (changes.c.at, clock.HOUR),
    (idempotency_keys.c.created_at, clock.DAY),
    (jobs.c.died_at, 90 * clock.DAY),
)
# Rows in one transaction: few enough that the metered calls, which wait for it, do not notice.
CHUNK = 500


def register(registry: Registry) -> None:
    """Once an hour."""
    registry.handle(KIND, sweep)
    registry.schedule(KIND, every=clock.HOUR, kind=KIND)


async def sweep(database: Database, job: Job) -> None:
    """Changes are kept for an hour, idempotency keys for a day, dead jobs for 90 days."""
    for moment, keep in _KEPT:
        before = clock.now() - keep
        while await _delete_some(database, moment, before) == CHUNK:
            pass  # between two chunks the other writers have their turn


async def _delete_some(database: Database, moment: Column[int], before: int) -> int:
    """How many rows were deleted; none is written to where none is old enough."""
    table = moment.table
    key = list(table.primary_key)
    async with database.read() as tx:
        if await tx.scalar(select(moment).where(moment < before).limit(1)) is None:
            return 0
    oldest = select(*key).where(moment < before).order_by(moment).limit(CHUNK)
    async with database.write() as tx:
        return await tx.execute(delete(table).where(tuple_(*key).in_(oldest)))

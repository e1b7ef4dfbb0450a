"""Deletes what is kept only for a time: core's own rows, and those that rooms tell of."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Column, ColumnElement, delete, select

from dream_api.core import clock
from dream_api.core.cache.tables import changes
from dream_api.core.db import Database
from dream_api.core.idempotency.tables import idempotency_keys
from dream_api.core.jobs import Job, Registry
from dream_api.core.jobs.tables import jobs

KIND = "core.sweep"


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """How long a table's rows are kept, and from which of their moments on; a row without the moment stays.

    The moment is indexed. `only`: where not all rows go, those that do.
    """

    moment: Column[int]
    time: int
    only: ColumnElement[bool] | None = None


_OWN = (
    ExpiryRule(changes.c.at, clock.HOUR),
    ExpiryRule(idempotency_keys.c.created_at, clock.DAY),
    # A living job did not die.
    ExpiryRule(jobs.c.died_at, 90 * clock.DAY),
)
# Rows in one transaction: few enough that the metered calls, which wait for it, do not notice.
CHUNK = 500


def register(registry: Registry, *of_rooms: ExpiryRule) -> None:
    """Once an hour."""
    registry.handle(KIND, partial(delete_expired, of_rooms=of_rooms))
    registry.schedule(KIND, every=clock.HOUR, kind=KIND)


async def delete_expired(database: Database, job: Job, *, of_rooms: Sequence[ExpiryRule] = ()) -> None:
    """Changes are kept for an hour, idempotency keys for a day, dead jobs for 90 days; the rest as the rooms say."""
    for kept in (*_OWN, *of_rooms):
        before = clock.now() - kept.time
        while await _delete_some(database, kept, before):
            pass  # between two chunks the other writers have their turn


async def _delete_some(database: Database, kept: ExpiryRule, before: int) -> bool:
    """Whether there may be more; none is written to where none is old enough."""
    moment = kept.moment
    which = [] if kept.only is None else [kept.only]
    async with database.read() as tx:
        old = await tx.all(select(moment).where(moment < before, *which).order_by(moment).limit(CHUNK))
    if not old:
        return False
    async with database.write() as tx:
        await tx.execute(delete(moment.table).where(moment <= old[-1][0], *which))
    return len(old) == CHUNK

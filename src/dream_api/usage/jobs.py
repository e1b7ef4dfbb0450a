"""Background jobs of usage: compaction, release of expired reservations, rollup."""

from sqlalchemy import literal_column

from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.expiry import ExpiryRule
from dream_api.core.jobs import Job, Registry
from dream_api.usage import compaction, rollup
from dream_api.usage.reservations import release_overdue
from dream_api.usage.tables import reservations

MERGE = "usage.merge"
RELEASE = "usage.release"
ROLL = "usage.roll"

_HAS_ENDED = reservations.c.state != literal_column("'open'")
EXPIRY_RULES = (ExpiryRule(reservations.c.expires_at, 30 * clock.DAY, _HAS_ENDED),)


def register(registry: Registry) -> None:
    """Old usage is merged once a day, finished hours are summed up every ten minutes, reservations are released once a
    minute."""
    registry.handle(MERGE, merge)
    registry.schedule(MERGE, every=clock.DAY, kind=MERGE)
    registry.handle(RELEASE, release)
    registry.schedule(RELEASE, every=clock.MINUTE, kind=RELEASE)
    registry.handle(ROLL, roll)
    registry.schedule(ROLL, every=10 * clock.MINUTE, kind=ROLL)


async def merge(database: Database, job: Job) -> None:
    await compaction.compact(database, clock.now())


async def release(database: Database, job: Job) -> None:
    """The metering engine does the same when it counts; without calls, expired reservations would stay reserved."""
    while True:
        async with database.write() as tx:
            if not await release_overdue(tx):
                return


async def roll(database: Database, job: Job) -> None:
    while await rollup.roll_up(database):
        pass  # between two steps the other writers have their turn

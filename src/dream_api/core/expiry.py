"""Expiry of rows: deletes what is kept for a limited time, by the rules that packages register."""

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
    """How long a table's rows are kept, counted from the column `moment`; where that is null, a row stays.

    The column is indexed. `time`: microseconds. `only`: the rows that the rule applies to, by default all.
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


def register(registry: Registry, *rules: ExpiryRule) -> None:
    """Delete expired rows once an hour."""
    registry.handle(KIND, partial(delete_expired, rules=rules))
    registry.schedule(KIND, every=clock.HOUR, kind=KIND)


async def delete_expired(database: Database, job: Job, *, rules: Sequence[ExpiryRule] = ()) -> None:
    """Changes are kept for an hour, idempotency keys for a day, dead jobs for 90 days; the rest by `rules`."""
    for rule in (*_OWN, *rules):
        before = clock.now() - rule.time
        while await _delete_some(database, rule, before):
            pass  # between two chunks the other writers have their turn


async def _delete_some(database: Database, rule: ExpiryRule, before: int) -> bool:
    """Whether there may be more; none is written to where none is old enough."""
    moment = rule.moment
    which = [] if rule.only is None else [rule.only]
    async with database.read() as tx:
        old = await tx.all(select(moment).where(moment < before, *which).order_by(moment).limit(CHUNK))
    if not old:
        return False
    async with database.write() as tx:
        await tx.execute(delete(moment.table).where(moment <= old[-1][0], *which))
    return len(old) == CHUNK

"""Scheduled jobs: the worker that advances a schedule enqueues its job, and only one can."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from dream_api.core.db import Tx, insert
from dream_api.core.jobs.queue import enqueue
from dream_api.core.jobs.registry import Schedule
from dream_api.core.jobs.tables import schedules


@dataclass(frozen=True)
class Occurrence:
    """When a schedule comes next, as it was read; None where it never came yet."""

    schedule: Schedule
    next_at: int | None

    def due_at(self, now: int) -> int:
        """At once where it never came, or where its time was set by a clock that was ahead.

        Another worker may have set it a moment after `now`: only twice its interval is no time of this clock.
        """
        if self.next_at is None or self.next_at > now + 2 * self.schedule.every:
            return 0
        return self.next_at


async def list_occurrences(tx: Tx, wanted: Sequence[Schedule]) -> Sequence[Occurrence]:
    """The next one of each schedule."""
    if not wanted:
        return ()
    rows = await tx.all(select(schedules.c.name, schedules.c.next_at))
    next_ats = {row.name: row.next_at for row in rows}
    return [Occurrence(schedule, next_ats.get(schedule.name)) for schedule in wanted]


async def enqueue_occurrence(tx: Tx, occurrence: Occurrence, now: int) -> None:
    """Enqueues the schedule's job, unless another worker moved the schedule on since it was read."""
    name, next_at = occurrence.schedule.name, occurrence.next_at
    following = _following(occurrence, now)
    clause = (
        insert(schedules).values(name=name, next_at=following).on_conflict_do_nothing()
        if next_at is None
        else update(schedules).where(schedules.c.name == name, schedules.c.next_at == next_at).values(next_at=following)
    )
    if await tx.execute(clause) == 1:
        await enqueue(tx, occurrence.schedule.kind, {})


def _following(occurrence: Occurrence, now: int) -> int:
    """The first moment after now in the schedule's own rhythm: what was missed is not made up for."""
    every = occurrence.schedule.every
    start = now if occurrence.next_at is None else occurrence.next_at
    return start + every * ((now - start) // every + 1)

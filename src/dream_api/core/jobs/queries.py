"""SQL of the job table."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Update, delete, func, select, update
from sqlalchemy.engine import Row

from dream_api.core import clock
from dream_api.core.db import Tx, insert
from dream_api.core.jobs.registry import Job
from dream_api.core.jobs.tables import jobs

_OF_A_JOB = (jobs.c.id, jobs.c.kind, jobs.c.platform_no, jobs.c.payload, jobs.c.attempts)


def job_of(row: Row[Any]) -> Job:
    return Job(row.id, row.kind, row.platform_no, row.payload, row.attempts)


async def insert_job(tx: Tx, **values: Any) -> None:
    await tx.execute(insert(jobs).values(state="waiting", attempts=0, **values))


async def first_run_at(tx: Tx, kinds: Collection[str]) -> int | None:
    """When the next job of these kinds is due, or the next lease of one runs out."""
    clause = select(jobs.c.run_at).where(jobs.c.run_at.is_not(None), jobs.c.kind.in_(kinds))
    return await tx.scalar(clause.order_by(jobs.c.run_at).limit(1))


async def claim(tx: Tx, worker: str, kinds: Collection[str], limit: int, *, now: int, until: int) -> Sequence[Job]:
    """At most `limit` due jobs, now leased by the worker; rows that another worker has locked are skipped."""
    due = (
        select(jobs.c.id)
        .where(jobs.c.run_at <= now, jobs.c.kind.in_(kinds))
        .order_by(jobs.c.run_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # As a plain subquery PostgreSQL might run it once for each row, and lock more than `limit`.
        .cte("due")
    )
    clause = (
        update(jobs)
        .where(jobs.c.id.in_(select(due.c.id)))
        .values(state="running", attempts=jobs.c.attempts + 1, run_at=until, leased_by=worker)
    )
    return [job_of(row) for row in await tx.all(clause.returning(*_OF_A_JOB))]


def _update(worker: str, *job_ids: str) -> Update:
    """An update of those of these jobs that the worker holds."""
    return update(jobs).where(jobs.c.leased_by == worker, jobs.c.id.in_(job_ids))


async def extend(tx: Tx, worker: str, job_ids: Collection[str], until: int) -> set[str]:
    """The ids of those that the worker still held, and holds until then."""
    rows = await tx.all(_update(worker, *job_ids).values(run_at=until).returning(jobs.c.id))
    return {row.id for row in rows}


async def delete_held(tx: Tx, worker: str, job_ids: Collection[str]) -> None:
    await tx.execute(delete(jobs).where(jobs.c.leased_by == worker, jobs.c.id.in_(job_ids)))


async def reschedule(tx: Tx, worker: str, job_id: str, run_at: int, error: str) -> None:
    clause = _update(worker, job_id)
    await tx.execute(clause.values(state="waiting", leased_by=None, run_at=run_at, last_error=error))


async def mark_dead(tx: Tx, worker: str, job_id: str, died_at: int, error: str) -> None:
    clause = _update(worker, job_id)
    await tx.execute(clause.values(state="dead", leased_by=None, run_at=None, died_at=died_at, last_error=error))


async def release(tx: Tx, worker: str, job_ids: Collection[str]) -> None:
    """They are due at once, as if the worker had never taken them; also where the clock is set back after that."""
    clause = _update(worker, *job_ids)
    since = {"run_at": jobs.c.created_at, "attempts": jobs.c.attempts - 1}
    await tx.execute(clause.values(state="waiting", leased_by=None, **since))


async def bring_back(tx: Tx, now: int, *, longest_lease: int, longest_wait: int) -> None:
    """Make jobs due whose times are further away than they can be, because they were set by a clock that was ahead."""
    j = jobs.c
    ahead = j.created_at - now
    # Clocks of servers differ by less.
    await tx.execute(
        update(jobs).where(j.created_at > now + clock.MINUTE).values(created_at=now, run_at=j.run_at - ahead)
    )
    leased = update(jobs).where(j.state == "running", j.run_at > now + longest_lease)
    await tx.execute(leased.values(run_at=now + longest_lease))
    retried = update(jobs).where(j.state == "waiting", j.attempts > 0, j.run_at > now + longest_wait)
    await tx.execute(retried.values(run_at=now))


async def list_dead(tx: Tx, limit: int) -> Sequence[Row[Any]]:
    """A job's columns, its last error, and when it died; the last one first."""
    clause = select(*_OF_A_JOB, jobs.c.last_error, jobs.c.died_at).where(jobs.c.died_at.is_not(None))
    return await tx.all(clause.order_by(jobs.c.died_at.desc(), jobs.c.id.desc()).limit(limit))


async def revive(tx: Tx, job_id: str, now: int) -> bool:
    """Whether there was such a dead job."""
    clause = update(jobs).where(jobs.c.id == job_id, jobs.c.state == "dead")
    return await tx.execute(clause.values(state="waiting", run_at=now, died_at=None, attempts=0)) == 1


async def count_by_state(tx: Tx) -> dict[str, int]:
    rows = await tx.all(select(jobs.c.state, func.count().label("number")).group_by(jobs.c.state))
    return {row.state: row.number for row in rows}

"""The job queue: enqueue for every package; dead jobs and retries for operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dream_api.core import clock, ids
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound
from dream_api.core.jobs import queries
from dream_api.core.jobs.registry import Job
from dream_api.core.jobs.wakeup import notify_workers

State = Literal["waiting", "running", "dead"]
STATES: tuple[State, ...] = ("waiting", "running", "dead")


@dataclass(frozen=True)
class DeadJob:
    """A job that failed in its last attempt."""

    job: Job
    last_error: str
    died_at: int


async def enqueue(
    tx: Tx, kind: str, payload: dict[str, Any], *, platform_no: int | None = None, run_at: int | None = None
) -> str:
    """The new job's id; it runs at once or at `run_at`, at least once, if and only if this transaction commits."""
    now = clock.now()
    job_id = ids.new("job")
    await queries.insert_job(
        tx,
        id=job_id,
        platform_no=platform_no,
        kind=kind,
        payload=payload,
        run_at=now if run_at is None else run_at,
        created_at=now,
    )
    tx.after_commit.append(notify_workers)
    return job_id


async def list_dead_jobs(tx: Tx, limit: int) -> Sequence[DeadJob]:
    """Those that died last come first."""
    rows = await queries.list_dead(tx, limit)
    return [DeadJob(queries.job_of(row), row.last_error, row.died_at) for row in rows]


async def retry(tx: Tx, job_id: str) -> None:
    """A dead job runs at once and has all its attempts again; NotFound where none has this id."""
    if not await queries.revive(tx, job_id, clock.now()):
        raise NotFound("There is no failed job with this id.")
    tx.after_commit.append(notify_workers)


async def counts(tx: Tx) -> dict[State, int]:
    """How many jobs are in each state; every state is named."""
    found = await queries.count_by_state(tx)
    return {state: found.get(state, 0) for state in STATES}

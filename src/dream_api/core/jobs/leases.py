"""Leases of jobs: claim, renew, record the outcome, release.

A lease is a time in `run_at` and a worker in `leased_by`. Every statement names the worker, so that one whose
lease ran out, and whose job another took, changes nothing.
"""

import random
from collections.abc import Collection, Sequence

from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.jobs import queries
from dream_api.core.jobs.registry import Job

LEASE = clock.MINUTE
ATTEMPTS = 10
_FIRST_WAIT = 5 * clock.SECOND
_LONGEST_WAIT = 6 * clock.HOUR
_GROWTH = 3
_JITTER = 0.2
_ERROR_LENGTH = 2_000


async def claim(tx: Tx, worker: str, kinds: Collection[str], limit: int, now: int) -> Sequence[Job]:
    """At most `limit` due jobs, now leased by the worker."""
    if limit == 0:
        return ()
    jobs = await queries.claim(tx, worker, kinds, limit, now=now, until=now + LEASE)
    for job in jobs:
        if job.attempts > ATTEMPTS:
            # Its last worker crashed, perhaps because of this very job.
            await queries.mark_dead(tx, worker, job.id, now, "The worker that ran the job stopped.")
    return [job for job in jobs if job.attempts <= ATTEMPTS]


async def renew(tx: Tx, worker: str, job_ids: Collection[str], now: int) -> set[str]:
    """The ids of the jobs that are still leased by the worker, their leases extended."""
    return await queries.extend(tx, worker, job_ids, now + LEASE) if job_ids else set()


async def record(
    tx: Tx, worker: str, done: Collection[str], failed: Collection[tuple[Job, Exception]], now: int
) -> None:
    """Delete finished jobs; reschedule failed ones, or mark them dead after their last attempt."""
    if done:
        await queries.delete_held(tx, worker, done)
    for job, problem in failed:
        await _record_failure(tx, worker, job, error_text(problem), now)


async def _record_failure(tx: Tx, worker: str, job: Job, error: str, now: int) -> None:
    if job.attempts >= ATTEMPTS:
        await queries.mark_dead(tx, worker, job.id, now, error)
    else:
        await queries.reschedule(tx, worker, job.id, now + retry_delay(job.attempts), error)


async def release(tx: Tx, worker: str, job_ids: Collection[str]) -> None:
    """Release the jobs, so that others may run them at once; the cancelled attempt does not count."""
    if job_ids:
        await queries.release(tx, worker, job_ids)


async def bring_back(tx: Tx, now: int) -> None:
    """After the clock was set back, so that jobs do not wait until it is where it was."""
    await queries.bring_back(tx, now, longest_lease=LEASE, longest_wait=round(_LONGEST_WAIT * (1 + _JITTER)))


def retry_delay(attempts: int) -> int:
    """Microseconds until the next attempt: 5 s, then three times as long each time, 6 h at most; ± 20 %."""
    wait = min(_FIRST_WAIT * _GROWTH ** (attempts - 1), _LONGEST_WAIT)
    return round(wait * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - it only spreads the load


def error_text(problem: Exception) -> str:
    """The stored text of an exception, without what PostgreSQL cannot store: recording it must not fail."""
    text = f"{type(problem).__name__}: {problem}"[:_ERROR_LENGTH]
    return text.replace("\x00", "").encode(errors="replace").decode()

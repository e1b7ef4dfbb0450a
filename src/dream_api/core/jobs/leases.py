"""What a worker writes about the jobs it holds: taken, kept, done, failed, given back.

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
    """At most `limit` due jobs, which are now the worker's."""
    if limit == 0:
        return ()
    jobs = await queries.take(tx, worker, kinds, limit, now=now, until=now + LEASE)
    for job in jobs:
        if job.attempts > ATTEMPTS:
            # Its last worker ended without a word, perhaps because of this very job.
            await queries.mark_dead(tx, worker, job.id, now, "The worker that ran it went away.")
    return [job for job in jobs if job.attempts <= ATTEMPTS]


async def renew(tx: Tx, worker: str, job_ids: Collection[str], now: int) -> set[str]:
    """The ids of those that are still the worker's, and now stay so."""
    return await queries.extend(tx, worker, job_ids, now + LEASE) if job_ids else set()


async def record(
    tx: Tx, worker: str, done: Collection[str], failed: Collection[tuple[Job, Exception]], now: int
) -> None:
    """What is done is forgotten; what failed is put off, and given up after its last attempt."""
    if done:
        await queries.delete_held(tx, worker, done)
    for job, problem in failed:
        await _record_failure(tx, worker, job, error_text(problem), now)


async def _record_failure(tx: Tx, worker: str, job: Job, error: str, now: int) -> None:
    if job.attempts >= ATTEMPTS:
        await queries.mark_dead(tx, worker, job.id, now, error)
    else:
        await queries.reschedule(tx, worker, job.id, now + wait_after(job.attempts), error)


async def give_back(tx: Tx, worker: str, job_ids: Collection[str], now: int) -> None:
    """Others may run them at once; the attempt that was broken off does not count."""
    if job_ids:
        await queries.give_back(tx, worker, job_ids, now)


def wait_after(attempts: int) -> int:
    """Microseconds until the next attempt: 5 s, then three times as long each time, 6 h at most; ± 20 %."""
    wait = min(_FIRST_WAIT * _GROWTH ** (attempts - 1), _LONGEST_WAIT)
    return round(wait * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - it only spreads the load


def error_text(problem: Exception) -> str:
    """What is kept of a failure, without what PostgreSQL cannot store: the record itself must not fail."""
    text = f"{type(problem).__name__}: {problem}"[:_ERROR_LENGTH]
    return text.replace("\x00", "").encode(errors="replace").decode()

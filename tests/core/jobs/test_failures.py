"""Failed jobs are retried, later each time, and kept as dead after the last attempt."""

import pytest
from sqlalchemy import update

from dream_api.core import clock, jobs
from dream_api.core.db import Database
from dream_api.core.errors import NotFound
from dream_api.core.jobs.leases import ATTEMPTS, retry_delay
from dream_api.core.jobs.tables import jobs as table
from tests.core.job_workers import Notes, at_work, later, put, rows, until

pytestmark = pytest.mark.both


async def _state_is(database: Database, state: str, attempts: int) -> None:
    async def is_so() -> bool:
        return [(row.state, row.attempts) for row in await rows(database)] == [(state, attempts)]

    await until(is_so)


async def test_a_handler_that_fails_is_tried_again_later(database: Database) -> None:
    notes = Notes()
    notes.problem = ValueError("The gateway is shut.")
    [job_id] = await put(database)

    async with at_work(jobs.Worker(database, notes.registry())):
        await _state_is(database, "waiting", 1)
        [row] = await rows(database)
        failed_by = clock.now()
        notes.problem = None
        later(7 * clock.SECOND)
        await notes.have(2)

    assert row.created_at + 4 * clock.SECOND <= row.run_at <= failed_by + 6 * clock.SECOND
    assert row.last_error == "ValueError: The gateway is shut."
    assert [job.attempts for job in notes.jobs] == [1, 2]
    assert notes.ended == [job_id]


async def test_a_handler_that_always_fails_is_given_up_and_kept(database: Database) -> None:
    notes = Notes()
    notes.problem = ValueError("Never.")
    [job_id] = await put(database, to="Alice")

    async with at_work(jobs.Worker(database, notes.registry())):
        for attempt in range(1, ATTEMPTS):
            await _state_is(database, "waiting", attempt)
            later(8 * clock.HOUR)
        await _state_is(database, "dead", ATTEMPTS)
        later(clock.DAY)
        await put(database, to="Bob")
        await notes.have(ATTEMPTS + 1)

    async with database.read() as tx:
        [dead] = await jobs.list_dead_jobs(tx, 10)
    assert dead.job == jobs.Job(job_id, "note", None, {"to": "Alice"}, ATTEMPTS)
    assert dead.last_error == "ValueError: Never."
    assert notes.ids.count(job_id) == ATTEMPTS


async def test_an_error_that_postgresql_could_not_store_is_kept_without_what_it_cannot(
    database: Database,
) -> None:
    notes = Notes()
    notes.problem = ValueError("a\x00b \ud800 " + "x" * 5000)
    await put(database)

    async with at_work(jobs.Worker(database, notes.registry())):
        await _state_is(database, "waiting", 1)

    [row] = await rows(database)
    assert row.last_error.startswith("ValueError: ab ? xxx")
    assert len(row.last_error) <= 2000


async def test_a_job_whose_workers_all_crash_is_given_up(database: Database) -> None:
    notes = Notes()
    await put(database)
    async with database.write() as tx:
        await tx.execute(update(table).values(attempts=ATTEMPTS))

    async with at_work(jobs.Worker(database, notes.registry())):
        await _state_is(database, "dead", ATTEMPTS + 1)

    assert notes.jobs == []


def test_attempts_are_5_seconds_to_6_hours_apart() -> None:
    for _ in range(100):
        waits = [retry_delay(attempts) / clock.SECOND for attempts in range(1, ATTEMPTS)]
        assert 4 <= waits[0] <= 6
        assert 4.8 * 3600 <= waits[-1] <= 7.2 * 3600
        assert len(set(waits)) == len(waits)


async def test_an_operator_lets_a_dead_job_run_again(database: Database) -> None:
    notes = Notes()
    [job_id] = await put(database)
    await _kill(database, job_id, died_at=clock.now())

    async with at_work(jobs.Worker(database, notes.registry())):
        async with database.write() as tx:
            await jobs.retry(tx, job_id)
        await notes.have(1)

    assert [(job.id, job.attempts) for job in notes.jobs] == [(job_id, 1)]


async def test_only_a_dead_job_can_be_retried(database: Database) -> None:
    [waiting] = await put(database)

    for job_id in (waiting, "job_nobody"):
        with pytest.raises(NotFound):
            async with database.write() as tx:
                await jobs.retry(tx, job_id)


async def test_jobs_are_counted_by_their_state_and_the_last_to_die_comes_first(database: Database) -> None:
    first, second, *_ = await put(database, count=5)
    await _kill(database, first, died_at=clock.now())
    await _kill(database, second, died_at=clock.now() + 1)

    async with database.read() as tx:
        assert await jobs.counts(tx) == {"waiting": 3, "running": 0, "dead": 2}
        assert [dead.job.id for dead in await jobs.list_dead_jobs(tx, 10)] == [second, first]
        assert [dead.job.id for dead in await jobs.list_dead_jobs(tx, 1)] == [second]


async def _kill(database: Database, job_id: str, died_at: int) -> None:
    async with database.write() as tx:
        clause = update(table).where(table.c.id == job_id)
        await tx.execute(clause.values(state="dead", run_at=None, died_at=died_at, last_error="", attempts=10))

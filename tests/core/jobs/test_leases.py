"""Leases: a job belongs to the worker that claimed it, while that worker lives."""

import pytest
from sqlalchemy import update

from dream_api.core import clock, jobs
from dream_api.core.db import Database
from dream_api.core.jobs.leases import LEASE, claim, record, release, renew
from dream_api.core.jobs.tables import jobs as table
from tests.core.job_workers import Notes, at_work, later, put, rows, until, until_none_is_left

pytestmark = pytest.mark.both


async def test_a_lease_that_ran_out_is_taken_over(database: Database) -> None:
    notes = Notes()
    [job_id] = await put(database)
    async with database.write() as tx:
        assert [job.id for job in await claim(tx, "crashed", ["note"], 10, clock.now())] == [job_id]

    async with at_work(jobs.Worker(database, notes.registry())):
        later(LEASE // 2)
        [other] = await put(database)
        await notes.have(1)
        later(LEASE)
        await notes.have(2)

    assert [(job.id, job.attempts) for job in notes.jobs] == [(other, 1), (job_id, 2)]


async def test_a_handler_that_runs_long_keeps_its_lease(database: Database) -> None:
    long, others = Notes(), Notes()
    long.may_end.clear()
    [job_id] = await put(database)

    async def is_renewed() -> bool:
        [row] = await rows(database)
        return row.run_at > clock.now() + LEASE * 2 // 3

    worker, other = jobs.Worker(database, long.registry()), jobs.Worker(database, others.registry())
    async with at_work(worker):
        await long.have(1)
        async with at_work(other):
            for _ in range(4):
                later(LEASE * 2 // 3)
                await until(is_renewed)
            long.may_end.set()
            await until_none_is_left(database)

    assert long.ended == [job_id]
    assert others.jobs == []


async def test_a_job_that_runs_here_is_not_taken_here_again(database: Database) -> None:
    notes = Notes()
    notes.may_end.clear()
    [job_id] = await put(database)

    async with at_work(jobs.Worker(database, notes.registry())):
        await notes.have(1)
        later(LEASE * 2)  # as after the machine slept
        [other] = await put(database)
        await notes.have(2)
        notes.may_end.set()
        await until_none_is_left(database)

    assert notes.ids == [job_id, other]


async def test_a_handler_whose_job_another_worker_took_is_broken_off(database: Database) -> None:
    notes = Notes()
    notes.may_end.clear()
    [job_id] = await put(database)

    async with at_work(jobs.Worker(database, notes.registry())):
        await notes.have(1)
        async with database.write() as tx:
            await tx.execute(update(table).values(leased_by="another", run_at=clock.now() + clock.DAY))
        later(LEASE // 2)
        await until(notes.were_broken_off)

    [row] = await rows(database)
    assert (row.id, row.state, row.leased_by) == (job_id, "running", "another")
    assert notes.ended == []


async def test_what_a_worker_writes_about_a_job_it_lost_changes_nothing(database: Database) -> None:
    [job_id] = await put(database)
    async with database.write() as tx:
        [job] = await claim(tx, "another", ["note"], 1, clock.now())
    before = await rows(database)

    async with database.write() as tx:
        await record(tx, "late", [job_id], [(job, ValueError())], clock.now())
        await release(tx, "late", [job_id])
        assert await renew(tx, "late", [job_id], clock.now() + clock.DAY) == set()

    assert await rows(database) == before


async def test_jobs_do_not_wait_for_a_clock_that_was_ahead(database: Database) -> None:
    """Nor do those of a worker that crashed while it was, or that failed then."""
    notes = Notes()
    clock.move(40 * clock.DAY)
    claimed, failed = await put(database, count=2)
    async with database.write() as tx:
        [one, other] = await claim(tx, "crashed", ["note"], 10, clock.now())
        await record(tx, "crashed", [], [(other if other.id == failed else one, RuntimeError("ahead"))], clock.now())
    [waiting] = await put(database)
    clock.move(-40 * clock.DAY)

    async with at_work(jobs.Worker(database, notes.registry())):
        await notes.have(1)
        assert notes.ids == [waiting]
        later(LEASE)
        await notes.have(3)

    assert sorted(notes.ids) == sorted([claimed, failed, waiting])


async def test_a_running_job_is_not_run_twice_when_the_clock_is_set_back(database: Database) -> None:
    long, others = Notes(), Notes()
    long.may_end.clear()
    clock.move(40 * clock.DAY)
    [job_id] = await put(database)

    async with at_work(jobs.Worker(database, long.registry())):
        await long.have(1)
        later(-40 * clock.DAY)
        async with at_work(jobs.Worker(database, others.registry())):
            for _ in range(4):
                later(LEASE * 2 // 3)
                await until(lambda: _is_leased(database))
            long.may_end.set()
            await until_none_is_left(database)

    assert (long.ended, others.jobs) == ([job_id], [])


async def _is_leased(database: Database) -> bool:
    [row] = await rows(database)
    return clock.now() + LEASE // 3 < row.run_at <= clock.now() + LEASE

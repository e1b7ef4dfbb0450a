"""A clock that was ahead and is set right: schedules and jobs that it had put off go on at once, without help."""

import pytest
from sqlalchemy import select

from dream_api.core import clock, jobs
from dream_api.core.db import Database
from dream_api.core.jobs.leases import LEASE, claim, record, release, retry_delay
from dream_api.core.jobs.tables import schedules
from tests.core.job_workers import Notes, at_work, later, rows, until, until_none_is_left

pytestmark = pytest.mark.both

CLOCK_TOLERANCE = 5 * clock.MINUTE  # by which servers' clocks may differ
YEARS = 3_652 * clock.DAY


def hourly(notes: Notes) -> jobs.Registry:
    registry = notes.registry()
    registry.handle("hourly", notes)
    registry.schedule("hourly", every=clock.HOUR, kind="hourly")
    return registry


async def run_schedule_once(database: Database) -> None:
    notes = Notes()
    async with at_work(jobs.Worker(database, hourly(notes))):
        await notes.have(1)
        await until_none_is_left(database)


async def next_at(database: Database) -> int:
    async with database.read() as tx:
        return int(await tx.scalar(select(schedules.c.next_at)))


async def put_at(database: Database, run_at: int | None = None) -> str:
    async with database.write() as tx:
        return await jobs.enqueue(tx, "note", {}, run_at=run_at)


async def test_a_schedule_goes_on(database: Database) -> None:
    clock.move(YEARS)
    await run_schedule_once(database)
    clock.move(-YEARS)

    await run_schedule_once(database)

    assert clock.now() < await next_at(database) <= clock.now() + clock.HOUR


async def test_a_schedule_is_not_hurried_by_clocks_that_differ_a_little(database: Database) -> None:
    clock.move(CLOCK_TOLERANCE)
    await run_schedule_once(database)
    before = await next_at(database)
    clock.move(-CLOCK_TOLERANCE)
    notes = Notes()

    async with at_work(jobs.Worker(database, hourly(notes))):
        await put_at(database)
        await notes.have(1)

    assert [job.kind for job in notes.jobs] == ["note"]
    assert await next_at(database) == before


async def test_jobs_go_on(database: Database) -> None:
    """A new one, one that had failed, and one that a worker gave back; but none that is to wait anyhow."""
    far = await put_at(database, clock.now() + 30 * clock.DAY)
    given_back, failed = await put_at(database), await put_at(database)
    clock.move(YEARS)
    async with database.write() as tx:
        taken = await claim(tx, "worker", ["note"], 3, clock.now())
        await record(tx, "worker", [], [(job, ValueError()) for job in taken if job.id == failed], clock.now())
        await release(tx, "worker", [given_back, far])
    new, delayed = await put_at(database), await put_at(database, clock.now() + clock.DAY)
    await run_schedule_once_without_notes(database)
    clock.move(-YEARS)
    notes = Notes()

    async with at_work(jobs.Worker(database, hourly(notes))):
        await notes.have(4)  # the schedule's own as well
        later(2 * retry_delay(1))
        await notes.have(5)

    assert {job.id for job in notes.jobs if job.kind == "note"} == {new, given_back, failed, far}
    [row] = await rows(database)
    assert row.id == delayed
    assert abs(row.run_at - clock.now() - clock.DAY) < clock.MINUTE


async def run_schedule_once_without_notes(database: Database) -> None:
    """The worker knows no other kind of jobs."""
    notes, registry = Notes(), jobs.Registry()
    registry.handle("hourly", notes)
    registry.schedule("hourly", every=clock.HOUR, kind="hourly")
    async with at_work(jobs.Worker(database, registry)):
        await notes.have(1)


async def test_the_lease_of_a_worker_that_died_ends(database: Database) -> None:
    lost = await put_at(database)
    clock.move(YEARS)
    async with database.write() as tx:
        assert [job.id for job in await claim(tx, "died", ["note"], 1, clock.now())] == [lost]
    await run_schedule_once_without_notes(database)
    clock.move(-YEARS)
    notes = Notes()

    async with at_work(jobs.Worker(database, hourly(notes))):
        await notes.have(1)
        assert [job.kind for job in notes.jobs] == ["hourly"]
        later(LEASE)
        await notes.have(2)

    assert notes.jobs[1].id == lost


async def test_a_handler_that_runs_on_keeps_its_lease_and_no_longer(database: Database) -> None:
    notes = Notes()
    notes.may_end.clear()
    clock.move(YEARS)
    running = await put_at(database)

    async def is_shortened() -> bool:
        [row] = [row for row in await rows(database) if row.id == running]
        return row.run_at <= clock.now() + LEASE

    async with at_work(jobs.Worker(database, notes.registry())):
        await notes.have(1)
        later(-YEARS)
        await until(is_shortened)
        notes.may_end.set()
        await until_none_is_left(database)

    assert notes.ended == [running]

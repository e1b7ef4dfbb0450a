"""Schedules: a job is enqueued once for all workers, at its time."""

import asyncio

import pytest
from sqlalchemy import select

from dream_api.core import clock, jobs
from dream_api.core.db import Database
from dream_api.core.jobs.tables import schedules
from tests.core.job_workers import Notes, at_work, later, put, until_none_is_left

pytestmark = pytest.mark.both


def hourly(notes: Notes) -> jobs.Registry:
    registry = notes.registry()
    registry.handle("hourly", notes)
    registry.schedule("hourly", every=clock.HOUR, kind="hourly")
    return registry


def times(notes: Notes) -> int:
    return sum(job.kind == "hourly" for job in notes.jobs)


async def test_a_schedule_fires_once_with_five_workers(database: Database) -> None:
    notes = Notes()

    async with at_work(*(jobs.Worker(database, hourly(notes)) for _ in range(5))):
        for expected in range(1, 4):
            await notes.have(expected)
            await until_none_is_left(database)
            await asyncio.sleep(0.05)
            assert times(notes) == expected
            later(clock.HOUR)


async def test_a_schedule_is_not_before_its_time(database: Database) -> None:
    notes = Notes()

    async with at_work(jobs.Worker(database, hourly(notes))):
        await notes.have(1)
        later(clock.HOUR - clock.MINUTE)
        await put(database)
        await notes.have(2)
        assert times(notes) == 1
        later(clock.MINUTE)
        await notes.have(3)

    assert times(notes) == 2


async def test_what_was_missed_comes_once_and_the_rhythm_stays(database: Database) -> None:
    notes = Notes()
    async with at_work(jobs.Worker(database, hourly(notes))):
        await notes.have(1)
    first = await _next_at(database)
    clock.move(50 * clock.HOUR)

    async with at_work(jobs.Worker(database, hourly(notes))):
        await notes.have(2)
        await until_none_is_left(database)
        await put(database)
        await notes.have(3)

    assert times(notes) == 2
    assert await _next_at(database) == first + 50 * clock.HOUR


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_schedule_does_not_wait_for_a_clock_that_was_ahead(database: Database, restarts: bool) -> None:
    notes = Notes()
    async with at_work(jobs.Worker(database, hourly(notes))):
        await notes.have(1)
        later(40 * clock.DAY)
        await notes.have(2)
        await until_none_is_left(database)
        if not restarts:
            later(-40 * clock.DAY)
            await notes.have(3)
    if restarts:
        clock.move(-40 * clock.DAY)
        async with at_work(jobs.Worker(database, hourly(notes))):
            await notes.have(3)

    assert times(notes) == 3
    assert clock.now() < await _next_at(database) <= clock.now() + clock.HOUR


async def test_a_schedule_survives_a_restart(database: Database) -> None:
    notes = Notes()
    for _ in range(2):
        async with at_work(jobs.Worker(database, hourly(notes))):
            await put(database)
            await until_none_is_left(database)

    assert times(notes) == 1


async def _next_at(database: Database) -> int:
    async with database.read() as tx:
        return int(await tx.scalar(select(schedules.c.next_at)))


def test_what_is_registered_twice_or_has_no_handler_is_a_slip() -> None:
    registry = hourly(Notes())

    with pytest.raises(ValueError, match="have a handler already"):
        registry.handle("hourly", Notes())
    with pytest.raises(ValueError, match="There is a schedule"):
        registry.schedule("hourly", every=clock.DAY, kind="hourly")
    with pytest.raises(ValueError, match="has no handler"):
        registry.schedule("daily", every=clock.DAY, kind="daily")

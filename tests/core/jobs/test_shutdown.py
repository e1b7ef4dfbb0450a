"""Shutdown of a worker: it finishes what it can, and releases the rest to others at once."""

import asyncio

import pytest

from dream_api.core import jobs
from dream_api.core.db import Database
from tests.core.job_workers import Notes, at_work, put, rows

pytestmark = pytest.mark.both


async def test_a_stopped_worker_finishes_what_runs(database: Database) -> None:
    notes = Notes()
    notes.may_end.clear()
    worker = jobs.Worker(database, notes.registry())
    running = asyncio.create_task(worker.run())
    [job_id] = await put(database)
    await notes.have(1)

    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0)
    [other] = await put(database)
    await asyncio.sleep(0.05)
    assert not stopping.done()
    notes.may_end.set()
    await stopping
    await running

    assert notes.ended == [job_id]
    assert [(row.id, row.state) for row in await rows(database)] == [(other, "waiting")]


async def test_what_does_not_end_in_time_is_left_to_others_at_once(database: Database) -> None:
    notes, others = Notes(), Notes()
    notes.may_end.clear()
    worker = jobs.Worker(database, notes.registry())
    running = asyncio.create_task(worker.run())
    [job_id] = await put(database)
    await notes.have(1)

    await worker.stop(grace_seconds=0.05)
    await running
    [row] = await rows(database)
    async with at_work(jobs.Worker(database, others.registry())):
        await others.have(1)

    assert notes.broken_off == [job_id]
    assert (row.state, row.leased_by, row.attempts) == ("waiting", None, 0)
    assert [(job.id, job.attempts) for job in others.jobs] == [(job_id, 1)]


async def test_a_worker_that_is_cancelled_gives_back_what_it_holds(database: Database) -> None:
    notes = Notes()
    notes.may_end.clear()
    running = asyncio.create_task(jobs.Worker(database, notes.registry()).run())
    await put(database)
    await notes.have(1)

    running.cancel()
    await asyncio.wait([running])

    assert running.cancelled()
    assert [row.state for row in await rows(database)] == ["waiting"]


async def test_a_handler_that_does_not_let_itself_be_broken_off_keeps_its_lease(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dream_api.core.jobs.worker._CANCEL_SECONDS", 0.05)
    may_end = asyncio.Event()
    began = asyncio.Event()

    async def stubborn(database: Database, job: jobs.Job) -> None:
        began.set()
        while not may_end.is_set():
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                continue

    registry = jobs.Registry()
    registry.handle("stubborn", stubborn)
    worker = jobs.Worker(database, registry)
    running = asyncio.create_task(worker.run())
    await put(database, "stubborn")
    await began.wait()

    await worker.stop(grace_seconds=0)
    await running

    assert [row.state for row in await rows(database)] == ["running"]
    may_end.set()


async def test_a_worker_that_never_ran_stops_at_once(database: Database) -> None:
    worker = jobs.Worker(database, jobs.Registry())

    await worker.stop()
    await worker.run()

"""A job is enqueued if and only if its transaction commits."""

import asyncio
import time

import pytest

from dream_api.core import clock, ids, jobs
from dream_api.core.db import Database
from tests.core.job_workers import Notes, at_work, later, put, rows

pytestmark = pytest.mark.both


class Regret(Exception):
    pass


async def test_a_job_is_rolled_back_with_its_transaction(database: Database) -> None:
    with pytest.raises(Regret):
        async with database.write() as tx:
            await jobs.enqueue(tx, "note", {})
            raise Regret

    assert await rows(database) == []


async def test_a_handler_sees_what_was_enqueued(database: Database) -> None:
    notes = Notes()
    async with database.write() as tx:
        job_id = await jobs.enqueue(tx, "note", {"to": ["Alice", "Böb"], "n": 3}, platform_no=7)

    async with at_work(jobs.Worker(database, notes.registry())):
        await notes.have(1)

    assert ids.is_one("job", job_id)
    assert notes.jobs == [jobs.Job(job_id, "note", 7, {"to": ["Alice", "Böb"], "n": 3}, 1)]


async def test_a_job_for_later_waits_until_then(database: Database) -> None:
    notes = Notes()
    async with database.write() as tx:
        tomorrow = await jobs.enqueue(tx, "note", {}, run_at=clock.now() + clock.DAY)

    async with at_work(jobs.Worker(database, notes.registry())):
        [today] = await put(database)
        await notes.have(1)
        assert notes.ids == [today]
        later(clock.DAY)
        await notes.have(2)

    assert notes.ids == [today, tomorrow]


async def test_a_job_enqueued_by_this_process_starts_without_waiting_for_the_next_look(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dream_api.core.jobs.worker._POLL_SECONDS", 60)
    notes = Notes()

    async with at_work(jobs.Worker(database, notes.registry())):
        for count in range(1, 4):
            await asyncio.sleep(0.1)  # by now the worker waits
            began = time.monotonic()
            await put(database)
            await notes.have(count)
            assert time.monotonic() - began < 10


async def test_a_job_that_is_due_soon_starts_in_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dream_api.core.jobs.worker._POLL_SECONDS", 60)
    notes = Notes()

    async with at_work(jobs.Worker(database, notes.registry())):
        async with database.write() as tx:
            run_at = clock.now() + clock.SECOND // 10
            await jobs.enqueue(tx, "note", {}, run_at=run_at)
        await notes.have(1)

    assert 0 <= clock.now() - run_at < 10 * clock.SECOND


async def test_a_job_enqueued_by_another_process_is_found(database: Database) -> None:
    notes = Notes()
    elsewhere = Database(directory=database.path and database.path.parent, url=database.url)

    async with at_work(jobs.Worker(database, notes.registry())):
        async with elsewhere.write() as tx:
            await jobs.enqueue(tx, "note", {})
            tx.after_commit.clear()  # another process could not wake this one
        await notes.have(1)

    await elsewhere.close()

"""Each job runs, once, in one of the workers."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing, contextmanager

import pytest

from dream_api.core import clock, jobs
from dream_api.core.db import Database, Tx, in_transaction
from tests.core.job_workers import Notes, at_work, put, until_none_is_left

pytestmark = pytest.mark.both


async def test_two_workers_that_race_for_200_jobs_run_each_once(database: Database) -> None:
    notes = Notes()
    wanted = await put(database, count=200)
    workers = [jobs.Worker(database, notes.registry()) for _ in range(2)]

    async with at_work(*workers):
        await until_none_is_left(database)

    assert sorted(notes.ids) == wanted


async def test_the_job_that_was_due_first_runs_first(database: Database) -> None:
    notes = Notes()
    now = clock.now()
    async with database.write() as tx:
        for minutes in (1, 3, 2):
            await jobs.enqueue(tx, "note", {"ago": minutes}, run_at=now - minutes * clock.MINUTE)

    async with at_work(jobs.Worker(database, notes.registry(), concurrency=1)):
        await notes.have(3)

    assert [job.payload["ago"] for job in notes.jobs] == [3, 2, 1]


async def test_no_more_run_at_a_time_than_allowed(database: Database) -> None:
    notes = Notes()
    notes.may_end.clear()
    await put(database, count=5)

    async with at_work(jobs.Worker(database, notes.registry(), concurrency=2)):
        await notes.have(2)
        await asyncio.sleep(0.05)
        assert len(notes.jobs) == 2
        notes.may_end.set()
        await notes.have(5)


async def test_a_handler_runs_outside_of_any_transaction(database: Database) -> None:
    seen: list[bool] = []

    async def look(database: Database, job: jobs.Job) -> None:
        seen.append(in_transaction.get())
        async with database.write() as tx:
            await jobs.enqueue(tx, "note", {})

    notes = Notes()
    registry = notes.registry()
    registry.handle("look", look)
    async with at_work(jobs.Worker(database, registry)):
        await put(database, "look")
        await notes.have(1)

    assert seen == [False]


async def test_a_worker_leaves_the_kinds_that_it_does_not_know_to_others(database: Database) -> None:
    old, new = Notes(), Notes()
    [unknown] = await put(database, "novelty")
    [known] = await put(database)

    async with at_work(jobs.Worker(database, old.registry())):
        await old.have(1)
        async with at_work(jobs.Worker(database, new.registry("novelty"))):
            await new.have(1)

    assert old.ids == [known]
    assert [(job.id, job.attempts) for job in new.jobs] == [(unknown, 1)]


async def test_an_idle_worker_writes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dream_api.core.jobs.worker._POLL_SECONDS", 0.05)
    notes = Notes()
    registry = notes.registry()
    registry.schedule("hourly", every=clock.HOUR, kind="note")
    counted = CountingWrites(same_as=database)

    async with at_work(jobs.Worker(counted, registry)):
        await notes.have(1)
        await until_none_is_left(database)
        with _version_of(database) as version:
            before = counted.writes, version()
            await asyncio.sleep(0.3)  # several looks
            assert (counted.writes, version()) == before
            await put(counted)
            await notes.have(2)
            assert counted.writes > before[0]

    await counted.close()


@contextmanager
def _version_of(database: Database) -> Iterator[Callable[[], int]]:
    """SQLite's number that changes with every commit of another connection; elsewhere always 0."""
    if database.path is None:
        yield lambda: 0
        return
    with closing(sqlite3.connect(database.path)) as connection:
        yield lambda: int(connection.execute("PRAGMA data_version").fetchone()[0])


class CountingWrites(Database):
    """The same database, which counts the write transactions that are asked for."""

    def __init__(self, same_as: Database) -> None:
        super().__init__(directory=same_as.path and same_as.path.parent, url=same_as.url)
        self.writes = 0

    def write(self) -> AbstractAsyncContextManager[Tx]:
        self.writes += 1
        return super().write()

"""A worker goes on after failures of its database."""

import asyncpg
import pytest
from sqlalchemy import text

from dream_api.core import jobs
from dream_api.core.db import Database
from dream_api.core.jobs.worker import backoff_seconds
from tests.core.job_workers import Notes, at_work, put, until, until_none_is_left

pytestmark = pytest.mark.both


# SQLite has no server that could go away.
@pytest.mark.parametrize("database_kind", ["postgres"], indirect=True)
async def test_a_worker_survives_a_database_that_went_away(database: Database) -> None:
    assert database.url is not None
    notes = Notes()
    notes.may_end.clear()

    async with at_work(jobs.Worker(database, notes.registry())):
        [first] = await put(database)
        await notes.have(1)
        await _terminate_backends(database.url)
        notes.may_end.set()
        await until_none_is_left(database)
        [second] = await put(database)
        await notes.have(2)

    assert notes.ended == [first, second]


async def test_a_worker_survives_a_job_table_that_cannot_be_used(database: Database) -> None:
    notes = Notes()
    notes.may_end.clear()

    async with at_work(jobs.Worker(database, notes.registry())) as logs:

        async def is_told() -> bool:
            return "The job table cannot be reached." in [log["event"] for log in logs]

        [first] = await put(database)
        await notes.have(1)
        await _do(database, "ALTER TABLE jobs RENAME TO elsewhere")
        notes.may_end.set()
        await until(is_told)
        await _do(database, "ALTER TABLE elsewhere RENAME TO jobs")
        await until_none_is_left(database)
        [second] = await put(database)
        await notes.have(2)

    assert notes.ended == [first, second]


def test_a_worker_looks_again_every_few_seconds_however_long_the_database_is_away() -> None:
    assert 0 < backoff_seconds(0) < 1
    assert 1 < backoff_seconds(100_000) < 5


async def _do(database: Database, statement: str) -> None:
    async with database.write() as tx:
        await tx.execute(text(statement))


async def _terminate_backends(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()

"""Expired rows are deleted, and no others."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert, select

from dream_api.accounts import jobs as accounts_jobs
from dream_api.app import build_job_registry, open_billing, open_database
from dream_api.billing import jobs as billing_jobs
from dream_api.core import clock, expiry, jobs, mail
from dream_api.core.cache.tables import changes
from dream_api.core.db import Database
from dream_api.core.idempotency.tables import idempotency_keys
from dream_api.core.jobs.tables import jobs as job_table
from dream_api.core.settings import Settings
from dream_api.platforms import create, create_project, move_to, project_now
from dream_api.retention import jobs as gate_jobs
from dream_api.usage import jobs as usage_jobs
from dream_api.usage.tables import reservations
from dream_api.webhooks import Event, record_events
from dream_api.webhooks import jobs as webhooks_jobs
from dream_api.webhooks.tables import events
from tests.core.job_workers import at_work, rows, until
from tests.support.instance import write_instance_key

pytestmark = pytest.mark.both

JOB = jobs.Job("job_1", expiry.KIND, None, {}, 1)


async def test_changes_are_kept_for_an_hour(database: Database) -> None:
    old, young = _around(clock.HOUR)
    await _insert(database, changes, [{"kind": "key", "key": "k", "at": at} for at in (old, young)])

    await expiry.delete_expired(database, JOB)

    assert await _moments(database, changes, "at") == [young]


async def test_idempotency_keys_are_kept_for_a_day(database: Database) -> None:
    old, young = _around(clock.DAY)
    key = {"platform_no": 1, "scope": "s", "fingerprint": b""}
    await _insert(database, idempotency_keys, [key | {"key": str(at), "created_at": at} for at in (old, young)])

    await expiry.delete_expired(database, JOB)

    assert await _moments(database, idempotency_keys, "created_at") == [young]


async def test_dead_jobs_are_kept_for_90_days_and_living_ones_until_they_are_done(
    database: Database,
) -> None:
    old, young = _around(90 * clock.DAY)
    job = {"kind": "note", "payload": {}, "attempts": 10, "created_at": 0}
    dead = [job | {"id": f"job_{at}", "state": "dead", "run_at": None, "died_at": at} for at in (old, young)]
    living = job | {"id": "job_l", "state": "waiting", "run_at": 0, "died_at": None}
    await _insert(database, job_table, [*dead, living])

    await expiry.delete_expired(database, JOB)

    assert {row.id for row in await rows(database)} == {f"job_{young}", "job_l"}


async def test_ended_reservations_are_kept_for_30_days_and_open_ones_until_they_end(database: Database) -> None:
    old, young = _around(30 * clock.DAY)
    one = {"platform_no": 1, "project_no": 1, "mode": 0, "customer_no": 1, "meter_no": 1, "quantity": 1}
    made = [
        one | {"id": f"{state}-{at}", "state": state, "settled": settled, "created_at": 0, "expires_at": at}
        for state, settled in (("settled", 1), ("expired", None), ("open", None))
        for at in (old, young)
    ]
    await _insert(database, reservations, made)

    await expiry.delete_expired(database, JOB, rules=usage_jobs.EXPIRY_RULES)

    async with database.read() as tx:
        left = {row.id for row in await tx.all(select(reservations.c.id))}
    assert left == {f"settled-{young}", f"expired-{young}", f"open-{old}", f"open-{young}"}


async def test_events_are_kept_for_90_days(database: Database) -> None:
    old, young = _around(90 * clock.DAY)
    async with database.write() as tx:
        project = await create_project(tx, await create(tx, "Alice"), "app", "saas")
    event = {"platform_no": project.platform_no, "project_id": project.id, "mode": "test", "type": "t", "data": "{}"}
    await _insert(database, events, [event | {"id": f"evt_{at}", "created_at": at} for at in (old, young)])

    await expiry.delete_expired(database, JOB, rules=webhooks_jobs.EXPIRY_RULES)

    assert await _moments(database, events, "created_at") == [young]


async def test_events_dated_by_a_test_clock_are_kept_for_90_days_of_real_time(database: Database) -> None:
    async with database.write() as tx:
        platform = await create(tx, "Alice")
        ahead, other = [await create_project(tx, platform, name, "saas") for name in ("ahead", "other")]
        await move_to(tx, ahead, clock.now() + 400 * clock.DAY)
        for project, mode in ((ahead, "test"), (ahead, "live"), (other, "test")):
            now = await project_now(tx, platform.no, project.id, mode)
            await record_events(tx, [Event(platform.no, project.id, mode, "usage.threshold_reached", {}, now)] * 2)

    clock.move(90 * clock.DAY - clock.MINUTE)
    await webhooks_jobs.expire_test_events(database, JOB)
    kept = len(await _moments(database, events, "created_at"))
    clock.move(2 * clock.MINUTE)
    await webhooks_jobs.expire_test_events(database, JOB)

    assert kept == 6
    assert max(await _moments(database, events, "created_at")) < clock.now()  # those of real time expire by it


def test_a_server_sweeps_what_packages_keep_for_a_time(tmp_path: Path) -> None:
    write_instance_key(tmp_path)
    settings = Settings(data=tmp_path)
    sweep: Any = build_job_registry(settings, open_billing(settings, open_database(settings))).handler(expiry.KIND)

    packages = (usage_jobs, webhooks_jobs, billing_jobs, gate_jobs, accounts_jobs, mail)
    assert set(sweep.keywords["rules"]) == {rule for package in packages for rule in package.EXPIRY_RULES}


async def test_more_than_a_chunk_is_swept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "CHUNK", 10)
    await _insert(database, changes, [{"kind": "key", "key": "k", "at": at} for at in range(30)])

    await expiry.delete_expired(database, JOB)

    assert await _moments(database, changes, "at") == []


async def test_a_worker_sweeps_every_hour(database: Database) -> None:
    registry = jobs.Registry()
    expiry.register(registry)
    await _insert(database, changes, [{"kind": "key", "key": "k", "at": 0}])

    async def is_swept() -> bool:
        return await _moments(database, changes, "at") == []

    async with at_work(jobs.Worker(database, registry)):
        await until(is_swept)

    assert [schedule.every for schedule in registry.schedules] == [clock.HOUR]


def _around(age: int) -> tuple[int, int]:
    """A moment that is a little longer ago than this, and one that is not."""
    now = clock.now()
    return now - age - clock.MINUTE, now - age + clock.MINUTE


async def _insert(database: Database, table: Table, values: list[dict[str, object]]) -> None:
    async with database.write() as tx:
        await tx.execute(insert(table), values)


async def _moments(database: Database, table: Table, column: str) -> list[int]:
    async with database.read() as tx:
        return [row[0] for row in await tx.all(select(table.c[column]).order_by(table.c[column]))]

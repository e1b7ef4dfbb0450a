"""Reservations whose time is over are released, also where nobody calls."""

from typing import Any

import pytest
from sqlalchemy import func, select

from dream_api.app import integrity_checks
from dream_api.core import clock
from dream_api.core.integrity import run_check
from dream_api.core.jobs import Job
from dream_api.usage import jobs
from dream_api.usage import reservation_queries as queries
from dream_api.usage.tables import reservations, usage_counters
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both

JOB = Job("job_1", jobs.RELEASE, None, {}, 1)


async def reserve(instance: Instance, headers: dict[str, str], seconds: int) -> str:
    answer = await instance.api.post("/api/usage/reserve", headers=headers, json={"quantity": 2, "ttlSeconds": seconds})
    assert answer.status_code == 201, answer.text
    return answer.json()["reservation"]["id"]


async def states(instance: Instance) -> dict[str, str]:
    async with instance.database.read() as tx:
        rows = await tx.all(select(reservations.c.id, reservations.c.state))
    return {row.id: row.state for row in rows}


async def held(instance: Instance) -> Any:
    async with instance.database.read() as tx:
        return await tx.scalar(select(func.sum(usage_counters.c.held)))


async def test_all_whose_time_is_over_are_released_and_no_other(
    instance: Instance, alice: Account, charlie: Account, monkeypatch: pytest.MonkeyPatch
):
    over = [await reserve(instance, alice.calls(f"user-{number}"), 60) for number in range(5)]
    over.append(await reserve(instance, {**charlie.live, "X-User-Id": "ada"}, 60))
    still = await reserve(instance, alice.calls(), 3600)
    clock.move(61 * clock.SECOND)
    rounds = [0]
    find = queries.get_overdue

    async def two(tx: Any, now: int) -> Any:
        rounds[0] += 1
        return (await find(tx, now))[:2]

    monkeypatch.setattr(queries, "get_overdue", two)

    await jobs.release(instance.database, JOB)

    assert await states(instance) == {**dict.fromkeys(over, "expired"), still: "open"}
    assert await held(instance) == 2
    assert rounds[0] == 2 * 3 + 1
    for check in integrity_checks():
        assert (await run_check(instance.database, check)).holds, check.name


async def test_where_none_is_over_nothing_is_written(instance: Instance, alice: Account):
    still = await reserve(instance, alice.calls(), 60)

    await jobs.release(instance.database, JOB)

    assert await states(instance) == {still: "open"}
    assert await held(instance) == 2

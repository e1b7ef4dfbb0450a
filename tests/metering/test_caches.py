"""What the gate remembers of keys and plans."""

import asyncio

import pytest

from dream_api import catalog, platforms
from dream_api.app import open_database
from dream_api.core import clock
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both


async def test_plans_are_remembered_after_a_burst_of_first_calls(instance: Instance, alice: Account):
    await instance.set_limit(alice, "pro", None)
    calls = alice.calls(**{"X-User-Plan": "pro"})

    await asyncio.gather(*(instance.api.post("/api/data", headers=calls) for _ in range(40)))

    key = instance.authenticator.cached_secret_key(alice.sk["Authorization"])
    assert key is not None
    assert instance.metering.cached_plans(key, "pro") is not None


async def test_unknown_plans_make_nobody_forget(instance: Instance, alice: Account, charlie: Account):
    assert (await instance.api.post("/api/data", headers=alice.calls())).status_code == 200
    versions = instance.metering.plans.version
    odd = charlie.calls(**{"X-User-Plan": "gold"})

    answers = await asyncio.gather(*(instance.api.post("/api/data", headers=odd) for _ in range(20)))

    assert {answer.json()["code"] for answer in answers} == {"unknown_plan"}
    assert instance.metering.plans.version == versions
    key = instance.authenticator.cached_secret_key(alice.sk["Authorization"])
    assert key is not None
    assert instance.metering.cached_plans(key) is not None


async def test_a_tier_that_another_process_made_is_known_at_once(instance: Instance, alice: Account):
    assert (await instance.api.post("/api/data", headers=alice.calls())).status_code == 200
    beside = open_database(instance.settings)
    async with beside.write() as tx:
        await catalog.set_tier(tx, alice.project, "test", "fresh", [catalog.TierLimit(7)])
    await beside.close()

    answer = await instance.api.post("/api/data", headers=alice.calls(**{"X-User-Plan": "fresh"}))

    assert answer.json()["usage"]["limit"] == 7


async def test_a_test_clock_that_another_process_moved_is_known_with_the_next_look(instance: Instance, alice: Account):
    assert (await instance.api.post("/api/data", headers=alice.calls())).status_code == 200
    next_month = clock.month_of(clock.now())[1]
    beside = open_database(instance.settings)
    async with beside.write() as tx:
        await platforms.move_to(tx, alice.project, next_month + clock.DAY)
    await beside.close()

    await instance.changes.poll()

    answer = await instance.api.post("/api/data", headers=alice.calls())
    assert answer.json()["usage"]["periodStart"] == clock.rfc3339(next_month)

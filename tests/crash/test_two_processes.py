"""Several processes on one database: limits stay exact, nobody is made twice, and nobody waits for ever."""

import asyncio
import itertools
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from dream_api import catalog
from dream_api.app import open_database
from dream_api.core.db import FILE_NAME
from dream_api.core.settings import Settings
from tests.support.load import Call, Served, Tally, found

pytestmark = pytest.mark.both

CALLERS = 64
LIMIT = 1_000


@pytest.fixture
async def limited(durable_settings: Settings, database_kind: str) -> AsyncIterator[Served]:
    """One server on SQLite, two on PostgreSQL; the tier `thousand` allows 1,000."""
    alice = await found(durable_settings)
    database = open_database(durable_settings)
    async with database.write() as tx:
        await catalog.set_tier(tx, alice.project, "test", "thousand", [catalog.TierLimit(LIMIT)])
    await database.close()
    served = Served(durable_settings, alice, servers=1 if database_kind == "sqlite" else 2)
    served.start()
    yield served
    served.stop()


async def through_all(served: Served, *calls: Call, connections: int = CALLERS) -> list[Tally]:
    """All of the calls through every server at the same time, the callers shared out among them."""
    each = connections // len(served.servers)
    return await asyncio.gather(
        *(served.call(*calls, server=place, connections=each) for place in range(len(served.servers)))
    )


@pytest.mark.slow
async def test_64_callers_against_a_limit_of_1000_are_admitted_exactly_1000_times(limited: Served) -> None:
    each = 1_600 // len(limited.servers)

    tallies = await through_all(limited, *[Call("ada", plan="thousand")] * each)

    answers = sum((tally.answers for tally in tallies), Counter())
    assert answers == {(200, ""): LIMIT, (429, "tier_limit_reached"): 1_600 - LIMIT}
    assert all(tally.statuses[200] > 0 for tally in tallies)
    assert await limited.usage_of("ada", "thousand") == LIMIT
    assert (await limited.counted())["ada"].calls == LIMIT
    assert await limited.contradictions() == {}


@pytest.mark.slow
async def test_new_customers_who_come_through_all_processes_at_once_are_made_once(limited: Served) -> None:
    users = [f"user-{number}" for number in range(300)]

    tallies = await through_all(limited, *map(Call, users))

    assert [tally.answers for tally in tallies] == [{(200, ""): len(users)}] * len(limited.servers)
    counted = await limited.counted()
    assert counted.keys() == set(users)
    for user, found_ in counted.items():
        assert (found_.rows, found_.life, found_.calls) == (1, *[len(limited.servers)] * 2), user
    assert await limited.contradictions() == {}


@pytest.mark.slow
async def test_a_key_that_comes_through_all_processes_at_once_counts_once(limited: Served) -> None:
    calls = [Call(f"user-{number % 7}", key=f"key-{number}") for number in range(300)]

    tallies = await through_all(limited, *calls, *calls)

    assert [tally.answers for tally in tallies] == [{(200, ""): 2 * len(calls)}] * len(limited.servers)
    assert {len(bodies) for bodies in Tally.of(tallies).bodies.values()} == {1}
    counted = await limited.counted()
    assert {user: found_.life for user, found_ in counted.items()} == Counter(call.user for call in calls)
    assert await limited.events() == len(calls)
    assert await limited.contradictions() == {}


_HOLDS = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("COMMIT")
"""


@pytest.mark.slow
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_calls_wait_for_another_process_that_writes_and_none_is_lost(served: Served) -> None:
    stop = asyncio.Event()
    calls = (Call(f"user-{turn}") for turn in itertools.count())
    calling = asyncio.create_task(served.call(*itertools.islice(calls, 50_000), connections=16, stop=stop))
    await asyncio.sleep(0.2)
    writer = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(served.settings.data / FILE_NAME), "1.5"], stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    assert (await asyncio.to_thread(writer.stdout.readline)).strip() == b"held"
    slowest = 0.0
    async with served.api() as api:
        while writer.poll() is None:
            began = time.monotonic()
            assert (await api.get("/healthz")).status_code == 200
            assert (await api.get("/readyz")).status_code == 200
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(0.02)
        made = await api.post("/api/customers", json={"userId": "made"})
    writer.stdout.close()
    await asyncio.sleep(0.2)
    stop.set()
    tally = await calling

    assert made.status_code == 201
    assert tally.answers.keys() == {(200, "")}
    assert 1.0 < tally.slowest < 5
    assert slowest < 1  # none waited for the writer, who takes longer
    counted = await served.counted()
    assert {user: counted[user].life for user in tally.users} == dict(tally.acknowledged)
    assert await served.contradictions() == {}

"""PostgreSQL is killed under load, and the server goes on: 503 while it is gone, nothing lost, no restart of ours."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest

from dream_api.core.settings import Settings
from tests.support.load import Call, Served, found, survive
from tests.support.postgres import Postgres

pytestmark = pytest.mark.both

# Five seconds are waited for connections and locks, and no longer; the rest is for a busy machine.
LONGEST_SECONDS = 8
GONE_SECONDS = 2.5
DESIGNED = {"storage_unavailable", "outcome_unknown", "overloaded"}


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[tuple[Served, Postgres]]:
    """A server on a PostgreSQL that nobody else uses."""
    with Postgres(durable=True) as postgres:
        settings = Settings(data=tmp_path / "data", database_url=postgres.create("mortal"))
        served = Served(settings, await found(settings))
        served.start()
        yield served, postgres
        served.stop()


@pytest.mark.slow
async def test_while_postgresql_is_gone_everything_that_needs_it_is_told_503(
    mortal: tuple[Served, Postgres],
) -> None:
    served, postgres = mortal
    stop = asyncio.Event()
    calls = (Call(f"user-{turn % 5}", key=f"key-{turn}") for turn in itertools.count())
    calling = asyncio.create_task(served.call(*itertools.islice(calls, 50_000), connections=16, stop=stop))
    await asyncio.sleep(0.4)

    await asyncio.to_thread(postgres.kill)
    told = await _asked_while_gone(served)
    await asyncio.to_thread(postgres.start)
    seconds = await served.recovered(5)
    stop.set()
    tally = await calling

    assert told["/healthz"] == {200}
    assert told["/readyz"] == told["/api/usage"] == told["/api/customers"] == {503}
    assert (tally.hung, tally.without_retry_after) == (0, 0)
    assert tally.slowest < LONGEST_SECONDS
    assert {code for status, code in tally.answers if status != 200} <= DESIGNED
    assert tally.statuses.keys() == {200, 503}
    assert seconds < 5
    settled = await served.call(*tally.unsettled)
    assert settled.statuses.keys() <= {200}
    tally += settled
    counted = await served.counted()
    assert {user: counted[user].life for user in tally.users} == dict(tally.acknowledged)
    assert await served.contradictions() == {}
    assert served.server.log.count('"bug"') == served.server.log.count("Traceback") == 0


async def _asked_while_gone(served: Served) -> dict[str, set[int]]:
    """The statuses that each path was answered with, again and again."""
    told: dict[str, set[int]] = {path: set() for path in ("/healthz", "/readyz", "/api/usage", "/api/customers")}
    slowest: Counter[str] = Counter()
    deadline = time.monotonic() + GONE_SECONDS

    async def ask(api: httpx.AsyncClient, path: str) -> None:
        turn = 0
        while time.monotonic() < deadline:
            turn += 1
            began = time.monotonic()
            if path == "/api/customers":
                answer = await api.post(path, json={"userId": f"fresh-{turn}"})
            else:
                answer = await api.get(path, headers={"X-User-Id": "ada"})
            slowest[path] = max(slowest[path], time.monotonic() - began)
            told[path].add(answer.status_code)
            if answer.status_code == 503:
                assert answer.json()["code"] in DESIGNED
                assert int(answer.headers["Retry-After"]) > 0
            await asyncio.sleep(0.05)

    async with served.api() as api, asyncio.TaskGroup() as asking:
        for path in told:
            asking.create_task(ask(api, path))
    assert slowest["/healthz"] < 2  # it waits for no connection
    assert max(slowest.values()) < LONGEST_SECONDS
    return told


@pytest.mark.slow
async def test_a_killed_postgresql_loses_nothing_and_counts_nothing_twice(mortal: tuple[Served, Postgres]) -> None:
    served, postgres = mortal
    began_as = served.server.pid

    rounds = await survive(served, postgres, kills=3, seconds=0.5)

    for each in rounds:
        assert each.acknowledged <= each.counted <= each.acknowledged + each.unknown <= each.sent
    assert served.server.pid == began_as

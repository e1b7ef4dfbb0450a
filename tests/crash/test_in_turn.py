"""Everything that can die, fill up or jump does so in turn, on one deployment under constant load.

After each: the server is ready again without help, within seconds. At the end: what was acknowledged is stored, what is
stored was asked for, and the checks of `doctor` hold.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from dream_api.app import open_database
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.jobs.tables import jobs, schedules
from dream_api.core.settings import Settings
from dream_api.customers.tables import customers
from dream_api.store.tables import orders
from dream_api.usage.tables import usage_hours
from tests.billing.developer import Seller
from tests.crash.deployment import Deployment, WorkerProcess
from tests.support.instance import open_store
from tests.support.load import Served, found
from tests.support.movable_clock import MovableClock
from tests.support.postgres import Postgres, execute
from tests.support.server import Server
from tests.support.small_disk import small_disk
from tests.support.valkey import Valkey

pytestmark = [pytest.mark.both, pytest.mark.slow, pytest.mark.rest]

# Within which the server is ready after whatever happened.
READY_SECONDS = 20
# How long each state lasts under load.
LASTS_SECONDS = 1.0
_DISK_MEBIBYTES = 640
DESIGNED = {"storage_unavailable", "outcome_unknown", "overloaded"}


@pytest.fixture
async def deployment(database_kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Deployment]:
    moved = MovableClock(tmp_path / "ahead")
    for name, value in moved.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Server, "is_forked", False)  # what is forked has its clock already
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(_DISK_MEBIBYTES))
        valkey = stack.enter_context(Valkey())
        postgres = None
        settings = Settings(data=disk.path / "data", valkey_url=valkey.url())
        if database_kind == "postgres":
            postgres = stack.enter_context(_on_disk(disk.path, monkeypatch))
            url = postgres.create("deployment")
            settings = Settings(data=tmp_path / "data", valkey_url=valkey.url(), database_url=url)
        served = Served(settings, await found(settings), **({"processes": 2, "workers": "outside"} if postgres else {}))
        served.server._log = tmp_path / "server.log"
        database = open_database(settings)
        store = await open_store(database, served.alice)
        await database.close()
        worker = WorkerProcess(served) if postgres else None
        stack.callback(served.stop)
        served.start()
        if worker is not None:
            stack.callback(worker.kill)
            worker.start()
        async with served.api() as api:
            mug = {"name": "mug", "prices": [{"price": "12.50", "currency": "usd", "type": "one_time"}]}
            price = (await Seller(api, store.sk).post("/tiers", mug))["prices"][0]["id"]
        yield Deployment(served, store, price, moved, disk, valkey, postgres, worker)


def _on_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    with monkeypatch.context() as patched:
        patched.setattr("tempfile.tempdir", str(path))
        postgres = Postgres(durable=True)
        postgres.start()
    execute(postgres.url(), "ALTER SYSTEM SET max_wal_size = '64MB'", "SELECT pg_reload_conf()")
    return postgres


# What happens, one after the other.


async def terminated(it: Deployment) -> None:
    """As every update does."""
    assert await asyncio.to_thread(it.served.server.stop) == 0
    await asyncio.to_thread(it.served.server.start)


async def parent_killed(it: Deployment) -> None:
    """Its children end by themselves; whoever runs the server starts it again at once."""
    children = await asyncio.to_thread(it.kill_parent)
    await asyncio.to_thread(it.served.server.start)
    deadline = time.monotonic() + READY_SECONDS
    while any(_lives(pid) for pid in children):
        assert time.monotonic() < deadline, "A process outlives its parent."
        await asyncio.sleep(0.05)


async def child_killed(it: Deployment) -> None:
    before = set(it.processes())
    it.kill_child()
    async with asyncio.timeout(READY_SECONDS):
        while len(set(it.processes()) & before) != 1 or len(it.processes()) != 2:
            await asyncio.sleep(0.05)


async def worker_killed(it: Deployment) -> None:
    assert it.worker is not None
    assert it.worker.is_running, it.worker.log
    it.worker.kill()
    it.worker.start()


async def backend_killed(it: Deployment) -> None:
    """PostgreSQL ends all of its connections and recovers by itself."""
    assert it.postgres is not None
    backends = [each for each in psutil.Process(it.postgres.pid).children() if "deployment" in " ".join(each.cmdline())]
    os.kill(backends[0].pid, signal.SIGKILL)


async def postgres_killed(it: Deployment) -> None:
    assert it.postgres is not None
    await asyncio.to_thread(it.postgres.kill)
    await asyncio.sleep(LASTS_SECONDS)
    await asyncio.to_thread(it.postgres.start)


async def disk_filled(it: Deployment) -> None:
    await asyncio.to_thread(it.disk.fill)
    await asyncio.sleep(2 * LASTS_SECONDS)
    it.disk.clear()
    if it.postgres is not None:
        await asyncio.to_thread(it.postgres.start)  # where even its recovery found no room


async def valkey_killed(it: Deployment) -> None:
    """It is no more than quicker with it."""
    it.valkey.kill()
    await it.served.recovered(READY_SECONDS)
    await asyncio.to_thread(it.valkey.start)


def clock_put(ahead: Callable[[], int]) -> Callable[[Deployment], Awaitable[None]]:
    async def jump(it: Deployment) -> None:
        it.clock.put_ahead(ahead())

    return jump


def until_next_month() -> int:
    now = clock.now()
    return clock.month_of(now)[1] - now + clock.SECOND


HAPPENINGS: dict[str, Callable[[Deployment], Awaitable[None]]] = {
    "SIGTERM": terminated,
    "parent killed": parent_killed,
    "child killed": child_killed,
    "worker killed": worker_killed,
    "backend killed": backend_killed,
    "PostgreSQL killed": postgres_killed,
    "disk full": disk_filled,
    "Valkey killed": valkey_killed,
    "an hour ahead": clock_put(lambda: clock.HOUR),
    "an hour back": clock_put(lambda: 0),
    "a day ahead": clock_put(lambda: clock.DAY),
    "a day back": clock_put(lambda: 0),
    "into the next month": clock_put(until_next_month),
    "a year back": clock_put(lambda: -365 * clock.DAY),
    "ten years ahead": clock_put(lambda: 3_652 * clock.DAY),
    "set right": clock_put(lambda: 0),
}
_OF_POSTGRESQL = {"child killed", "worker killed", "backend killed", "PostgreSQL killed"}


async def test_acknowledged_is_stored_whatever_happens_in_turn(deployment: Deployment) -> None:
    async with deployment.load():
        await asyncio.sleep(LASTS_SECONDS)
        for name, happen in HAPPENINGS.items():
            if deployment.postgres is None and name in _OF_POSTGRESQL:
                continue
            await happen(deployment)
            await deployment.served.recovered(READY_SECONDS)
            await asyncio.sleep(LASTS_SECONDS)

    _answers_were_designed(deployment)
    await _clock_was_moved(deployment)
    await _calls_are_counted(deployment)
    await _customers_and_orders_are_stored(deployment)
    await _jobs_go_on(deployment)
    assert await deployment.served.contradictions() == {}


def _lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _answers_were_designed(it: Deployment) -> None:
    for tally in (it.acknowledged.free, it.acknowledged.keyed):
        assert tally.statuses.keys() <= {200, 503}, tally.answers
        assert {code for status, code in tally.answers if status == 503} <= DESIGNED
        assert (tally.hung, tally.without_retry_after) == (0, 0)
        assert tally.statuses[200] > 1_000
    assert it.acknowledged.free.statuses[503] > 0  # while the disk was full
    assert it.acknowledged.unexpected == []
    assert '"bug"' not in it.served.server.log


async def _clock_was_moved(it: Deployment) -> None:
    """The servers counted in the years that their clock showed."""
    year = 365 * clock.DAY
    async with _opened(it) as database, database.read() as tx:
        hour = usage_hours.c.hour
        whose = usage_hours.c.platform_no == it.store.project.platform_no
        hours = [row.hour - clock.now() for row in await tx.all(select(hour).where(whose).distinct())]
    assert min(hours) < -year + clock.DAY
    assert max(hours) > 9 * year


async def _calls_are_counted(it: Deployment) -> None:
    counted = await it.served.counted()
    free, keyed = it.acknowledged.free, it.acknowledged.keyed
    assert keyed.unsettled == []
    acknowledged, possible = free.acknowledged, free.possible
    for user in free.users:
        assert acknowledged[user] <= counted[user].life <= possible[user], (user, counted[user])
    assert {user: counted[user].life for user in keyed.users} == dict(keyed.acknowledged)
    for user in free.users | keyed.users:
        each = counted[user]
        assert each.life == each.period == each.hours == each.calls, (user, each)
        assert each.rows == 1


async def _customers_and_orders_are_stored(it: Deployment) -> None:
    paid = it.acknowledged.paid_orders
    assert min(len(paid), len(it.acknowledged.customers)) > 20
    async with _opened(it) as database:
        deadline = time.monotonic() + READY_SECONDS
        while (statuses := await _statuses(database, it)) != dict.fromkeys(paid, "completed"):
            assert time.monotonic() < deadline, Counter(statuses.values())
            await asyncio.sleep(0.2)
        async with database.read() as tx:
            mine = customers.c.platform_no == it.store.project.platform_no
            stored = Counter(row.user_id for row in await tx.all(select(customers.c.user_id).where(mine)))
    assert [user for user in it.acknowledged.customers if stored[user] != 1] == []


async def _statuses(database: Database, it: Deployment) -> dict[str, str]:
    """Of the orders whose payment was acknowledged."""
    async with database.read() as tx:
        rows = await tx.all(select(orders.c.id, orders.c.status).where(orders.c.project_id == it.store.project.id))
    return {row.id: row.status for row in rows if row.id in set(it.acknowledged.paid_orders)}


async def _jobs_go_on(it: Deployment) -> None:
    """Nothing waits for a moment that only a wrong clock has shown."""
    async with _opened(it) as database:
        deadline = time.monotonic() + READY_SECONDS
        while waiting := await _waiting_too_long(database):
            assert time.monotonic() < deadline, waiting
            await asyncio.sleep(0.2)


async def _waiting_too_long(database: Database) -> list[str]:
    latest = clock.now() + 2 * clock.DAY
    async with database.read() as tx:
        coming = await tx.all(select(schedules.c.name).where(schedules.c.next_at > latest))
        waiting = await tx.all(select(jobs.c.kind).where(jobs.c.run_at > latest))
    return sorted([row.name for row in coming] + [row.kind for row in waiting])


@asynccontextmanager
async def _opened(it: Deployment) -> AsyncIterator[Database]:
    database = open_database(it.served.settings)
    try:
        yield database
    finally:
        await database.close()

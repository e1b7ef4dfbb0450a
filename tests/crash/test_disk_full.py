"""The disk is full: 503, nothing acknowledged is lost, and all is well again without a restart of ours.

Three ways to fill it: SQLite's own bound on pages, the kernel's on the size of files, and, where mounting is allowed, a
small disk with a ballast file; the last for PostgreSQL as well.
"""

import asyncio
import contextlib
import itertools
import resource
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from dream_api.core.db import FILE_NAME, Statement
from dream_api.core.settings import Settings
from tests.support.instance import Account, Instance
from tests.support.load import Call, Served, Tally, found
from tests.support.postgres import Postgres
from tests.support.small_disk import Disk

pytestmark = pytest.mark.both

DESIGNED = {"storage_unavailable", "outcome_unknown"}
FULL_SECONDS = 1.0


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_full_sqlite_refuses_what_would_grow_it_and_goes_on_when_there_is_room(
    instance: Instance, alice: Account
) -> None:
    await instance.api.post("/api/data", headers=alice.calls())
    await _bound_pages(instance, 1)  # not less than there are: the file cannot grow

    metered = [await instance.api.post("/api/data", headers=alice.calls(f"user-{turn}")) for turn in range(60)]
    made = [
        await instance.api.post("/api/customers", headers=alice.sk, json={"userId": f"made-{turn}"})
        for turn in range(60)
    ]
    refused = [answer for answer in (*metered, *made) if answer.status_code >= 400]
    read = await instance.api.get("/api/usage", headers=alice.calls())
    assert {answer.status_code for answer in refused} == {503}
    assert {answer.json()["code"] for answer in refused} == {"storage_unavailable"}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert {metered[-1].status_code, made[-1].status_code} == {503}
    assert read.status_code == 200

    await _bound_pages(instance, 2**30)

    again = [await instance.api.post("/api/data", headers=alice.calls(f"user-{turn}")) for turn in range(60)]
    assert {answer.status_code for answer in again} == {200}
    for turn, first in enumerate(metered):
        assert (await instance.usage_of(alice, f"user-{turn}"))["count"] == 1 + (first.status_code == 200)
    assert (await instance.api.post("/api/customers", headers=alice.sk, json={"userId": "late"})).status_code == 201
    served = Served(instance.settings, alice)
    assert await served.contradictions() == {}


async def _bound_pages(instance: Instance, pages: int) -> None:
    """Of both writing connections; a bound below the present size means the present size."""
    bound = f"PRAGMA max_page_count = {pages}"
    async with instance.database.write() as tx:
        await tx.scalar(text(bound))
    async with instance.database.batch() as batch:
        await batch.fetch(Statement(text(bound)))


@pytest.mark.slow
@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("room", [None, 128 * 1024], ids=["no room, not even for the log", "a little room"])
async def test_a_server_whose_files_may_not_grow_recovers_when_they_may(served: Served, room: int | None) -> None:
    await served.call(*[Call(f"early-{turn}") for turn in range(100)])
    size = (served.settings.data / FILE_NAME).stat().st_size

    with _files_no_larger_than(served.server.pid, 0 if room is None else size + room):
        tally = await _load_while_full(served)

    await _all_is_well(served, tally)
    assert served.server.log.count('"bug"') == 0
    assert served.server.stop() == 0


@contextmanager
def _files_no_larger_than(pid: int, size: int) -> Iterator[None]:
    """A write beyond it fails with EFBIG: CPython ignores the signal that would come with it."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
async def on_small_disk(
    database_kind: str, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Served, Postgres | None]]:
    with contextlib.ExitStack() as stack:
        postgres = None
        settings = Settings(data=disk.path / "data")
        if database_kind == "postgres":
            with monkeypatch.context() as patched:
                patched.setattr(tempfile, "tempdir", str(disk.path))
                postgres = stack.enter_context(Postgres(durable=True))
            settings = Settings(data=tmp_path / "data", database_url=postgres.create("small"))
        served = Served(settings, await found(settings))
        served.start()
        stack.callback(served.stop)
        yield served, postgres


@pytest.mark.slow
async def test_a_full_disk_loses_nothing_and_needs_no_restart(
    on_small_disk: tuple[Served, Postgres | None], disk: Disk
) -> None:
    served, postgres = on_small_disk
    began_as = served.server.pid
    await served.call(*[Call(f"early-{turn}") for turn in range(100)])

    disk.fill()
    tally = await _load_while_full(served, may_be_gone=postgres is not None)
    disk.clear()
    if postgres is not None and not postgres.is_running:
        postgres.start()  # it ends where even its recovery finds no room; whoever runs it starts it again

    await _all_is_well(served, tally)
    assert served.server.pid == began_as


async def _load_while_full(served: Served, *, may_be_gone: bool = False) -> Tally:
    """Calls of ever new customers, so that tables must grow; and what else is asked meanwhile."""
    stop = asyncio.Event()
    calls = (Call(f"user-{turn}", key=f"key-{turn}") for turn in itertools.count())
    calling = asyncio.create_task(served.call(*itertools.islice(calls, 100_000), connections=8, stop=stop, seconds=20))
    async with served.api() as api:
        for turn in itertools.count():
            made = await api.post("/api/customers", json={"userId": f"made-{turn}"})
            if made.status_code != 201:
                break
            await asyncio.sleep(0.01)
        await asyncio.sleep(FULL_SECONDS)
        alive, ready = await api.get("/healthz"), await api.get("/readyz")
        read = await api.get("/api/usage", headers={"X-User-Id": "early-1"})
    stop.set()
    tally = await calling
    assert (made.status_code, made.json()["code"] in DESIGNED) == (503, True), made.text
    assert int(made.headers["Retry-After"]) > 0
    assert alive.status_code == 200
    assert {ready.status_code, read.status_code} <= ({200, 503} if may_be_gone else {200})
    assert tally.statuses.keys() <= {200, 503}, tally.answers
    assert {code for status, code in tally.answers if status == 503} <= DESIGNED
    assert tally.statuses[503] > 0
    assert (tally.hung, tally.without_retry_after) == (0, 0)
    return tally


async def _all_is_well(served: Served, tally: Tally) -> None:
    await served.recovered(10)
    tally += await served.call(*tally.unsettled)
    assert tally.unsettled == []
    counted = await served.counted()
    acknowledged = tally.acknowledged
    for user in tally.users:
        assert (counted[user].life if user in counted else 0) == acknowledged[user], user
    assert await served.contradictions() == {}
    assert (await asyncio.to_thread(served.doctor))["holds"]


@pytest.mark.slow
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_log_that_cannot_be_written_stops_nothing(durable_settings: Settings) -> None:
    served = Served(durable_settings, await found(durable_settings))
    log = served.server._log
    log.symlink_to("/dev/full")  # every write to it fails with ENOSPC; reading it would never end
    served.server.launch()
    try:
        await served.recovered()
        tally = await served.call(*[Call(f"user-{turn}") for turn in range(100)])
        async with served.api() as api:
            made = await api.post("/api/customers", json={"userId": "made"})
    finally:
        log.unlink()
        served.stop()

    assert tally.answers == {(200, ""): 100}
    assert made.status_code == 201

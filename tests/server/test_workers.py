"""`dream-api serve --workers 2` on PostgreSQL: one port, one supervisor, two processes that share the work."""

import asyncio
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2 as httpx
import psutil
import pytest

from dream_api import catalog
from dream_api.app import open_database
from dream_api.core.settings import Settings
from tests.support.load import Call, Served, Tally, found
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database_kind", ["postgres"])]

LIMIT = 1_000


@pytest.fixture(autouse=True)
def own_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts a server removes what others left there."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))


@pytest.fixture
async def served(database_settings: Settings) -> AsyncIterator[Served]:
    """Two processes, both of which listen; the tier `thousand` allows 1,000."""
    alice = await found(database_settings)
    database = open_database(database_settings)
    async with database.write() as tx:
        await catalog.set_tier(tx, alice.project, "test", "thousand", [catalog.TierLimit(LIMIT)])
    await database.close()
    served = Served(database_settings, alice, processes=2)
    served.start()
    until(lambda: '"listening"' in served.server.log)
    yield served
    for process in served.server.processes if served.server.is_running else []:
        process.resume()
    served.stop()


@pytest.fixture
def server(served: Served) -> Server:
    return served.server


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "It did not come to be."
        time.sleep(0.02)


def is_alive(process: psutil.Process) -> bool:
    """Not where it has ended, also where the system's first process, who inherits orphans, has not noticed yet."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def only(server: Server, chosen: psutil.Process) -> Iterator[None]:
    """Whoever connects now is accepted by this one: the others stand still."""
    others = [process for process in server.processes if process != chosen]
    for process in others:
        process.suspend()
    try:
        yield
    finally:
        for process in others:
            process.resume()


def connected(server: Server, process: psutil.Process) -> httpx.Client:
    """A client on a kept-alive connection with this process."""
    client = httpx.Client(base_url=server.url, timeout=60)
    with only(server, process):
        assert client.get("/readyz").status_code == 200
    return client


def figure(client: httpx.Client, name: str) -> float:
    told = client.get("/metrics").text
    (value,) = re.findall(rf"^{re.escape(name)} (\S+)$", told, re.MULTILINE)
    return float(value)


def figures_of(process: psutil.Process) -> Path:
    return Path(process.environ()["PROMETHEUS_MULTIPROC_DIR"])


def test_each_process_answers_on_the_one_port(server: Server) -> None:
    first, second = server.processes
    for process in (first, second):
        with only(server, process):
            assert httpx.get(server.url + "/readyz").status_code == 200


def test_request_ids_of_two_processes_differ(server: Server) -> None:
    ids: list[str] = []
    for process in server.processes:
        with closing(connected(server, process)) as client:
            ids += [client.get("/healthz").headers["x-request-id"] for _ in range(3)]

    assert len(set(ids)) == 6


def test_a_killed_process_is_replaced_while_the_other_serves(server: Server) -> None:
    first, second = server.processes

    first.kill()

    assert httpx.get(server.url + "/readyz").status_code == 200
    until(lambda: server.log.count("server process listens") == 3)
    assert second in server.processes
    (replacement,) = set(server.processes) - {second}
    with only(server, replacement):
        assert httpx.get(server.url + "/readyz").status_code == 200
    assert f'"pid": {first.pid}, "signal": "SIGKILL"' in server.log


@pytest.mark.rest
def test_both_killed_at_once_are_replaced_and_whoever_connects_meanwhile_is_answered(server: Server) -> None:
    for process in server.processes:
        process.kill()

    assert httpx.get(server.url + "/readyz", timeout=60).status_code == 200


@pytest.mark.rest
async def test_one_that_cannot_start_is_tried_again_with_pauses(served: Served) -> None:
    server = served.server
    first, _ = server.processes
    await rename_revision(served.settings, "9999")
    try:
        first.kill()
        until(lambda: server.log.count("server process died") == 3)
        assert httpx.get(server.url + "/readyz").status_code == 200
    finally:
        await rename_revision(served.settings, None)

    until(lambda: server.log.count("server process listens") == 3)
    _, second, third, *_ = map(float, re.findall(r'"next_in_seconds": ([\d.]+)', server.log))
    assert third == 2 * second > 0


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.rest
async def test_what_was_begun_is_answered_before_all_end(served: Served, signum: signal.Signals) -> None:
    server = served.server
    processes = server.processes
    calls = (Call(f"user-{turn % 50}") for turn in itertools.count())
    calling = asyncio.create_task(served.call(*itertools.islice(calls, 50_000), connections=32))
    await asyncio.sleep(0.5)

    os.kill(server.pid, signum)
    code = await asyncio.to_thread(server.wait)
    tally = await calling

    assert code == 0
    assert not any(process.is_running() for process in processes)
    counted = await served.counted()
    assert {user: one.life for user, one in counted.items()} == dict(tally.acknowledged)
    assert "Traceback" not in server.log


async def test_a_second_signal_waits_for_nothing(server: Server) -> None:
    stuck, _ = processes = server.processes
    stuck.suspend()
    os.kill(server.pid, signal.SIGTERM)
    until(lambda: "server process stopped" in server.log)

    os.kill(server.pid, signal.SIGTERM)

    assert server.wait() == 1
    assert "second signal to stop" in server.log
    assert not any(process.is_running() for process in processes)


@pytest.mark.rest
def test_without_their_parent_they_end_and_leave_the_port(server: Server) -> None:
    processes = server.processes
    figures = figures_of(processes[0])

    server.kill()

    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive
    assert figures.exists()
    server.start()
    assert not figures.exists()
    assert server.stop() == 0


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3])
@pytest.mark.rest
def test_without_their_parent_they_end_at_once_while_they_import(database_settings: Settings, seconds: float) -> None:
    """The parent is killed so long after it has started them; within a second they are gone, and the port is free.

    The second begins when an interpreter that starts after them has done so: on a busy machine that takes long, too.
    """
    server = Server(database_settings, processes=2)
    server.launch()
    until(lambda: len(server.processes) == 2)
    processes = server.processes
    time.sleep(seconds)

    server.kill()
    subprocess.run([sys.executable, "-P", "-c", "import socket, threading"], check=True)
    until(lambda: not any(map(is_alive, processes)), seconds=1)

    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", server.port))
    assert "server process listens" not in server.log


@pytest.mark.rest
async def test_all_are_renewed_one_after_the_other_and_nothing_is_lost(served: Served) -> None:
    server = served.server
    before = set(server.processes)
    stop = asyncio.Event()
    calls = (Call(f"user-{turn % 50}", key=f"key-{turn}") for turn in itertools.count())
    calling = asyncio.create_task(
        served.call(*itertools.islice(calls, 100_000), connections=8, stop=stop, insisting=True)
    )

    os.kill(server.pid, signal.SIGHUP)
    await asyncio.to_thread(until, lambda: server.log.count("server process listens") == 4)
    stop.set()
    tally = await calling

    assert before.isdisjoint(server.processes)
    assert "server process died" not in server.log
    assert tally.statuses.keys() <= {200, 503}
    counted = await served.counted()
    assert {user: one.life for user, one in counted.items()} == dict(tally.acknowledged)


async def test_a_limit_admits_exactly_what_it_allows_over_both(served: Served) -> None:
    calls = [Call("ada", plan="thousand")] * 800

    tallies = await through_both(served, calls)

    assert Tally.of(tallies).answers == {(200, ""): LIMIT, (429, "tier_limit_reached"): 1_600 - LIMIT}
    assert all(tally.statuses[200] > 0 for tally in tallies)
    assert await served.usage_of("ada", "thousand") == LIMIT
    assert await served.contradictions() == {}


async def through_both(served: Served, calls: list[Call]) -> list[Tally]:
    """The calls through each process, by callers who are connected to that one, at the same time."""
    server, callers = served.server, 32
    first, second = server.processes
    second.suspend()
    one = asyncio.create_task(served.call(*calls, connections=callers))
    await asyncio.to_thread(until, lambda: server.callers_of(first) == callers)
    first.suspend()
    second.resume()
    other = asyncio.create_task(served.call(*calls, connections=callers))
    await asyncio.to_thread(until, lambda: server.callers_of(second) == callers)
    first.resume()
    return [await one, await other]


async def test_figures_are_those_of_all_processes(served: Served) -> None:
    server = served.server
    first, second = server.processes
    headers = {**served.alice.sk, "X-User-Id": "ada"}
    with closing(connected(server, first)) as to_first, closing(connected(server, second)) as to_second:
        for client, times in ((to_first, 3), (to_second, 4)):
            answers = [client.post("/api/data", headers=headers).status_code for _ in range(times)]
            assert answers == [200] * times
        told = [figure(client, 'dream_metered_calls_total{outcome="allowed"}') for client in (to_first, to_second)]
        assert told == [7, 7]
        assert figure(to_first, "dream_gate_batch_calls_count") == 7
        assert figure(to_first, 'dream_jobs{state="dead"}') == figure(to_second, 'dream_jobs{state="dead"}')

        first.kill()
        until(lambda: server.log.count("server process listens") == 3)
        assert figure(to_second, 'dream_metered_calls_total{outcome="allowed"}') == 7
        replacement = next(process for process in server.processes if process != second)
        with closing(connected(server, replacement)) as to_third:
            assert to_third.post("/api/data", headers=headers).status_code == 200
            assert figure(to_third, 'dream_metered_calls_total{outcome="allowed"}') == 8


@pytest.mark.rest
def test_figures_leave_nothing_behind(server: Server) -> None:
    first, _ = server.processes
    figures = figures_of(first)
    files = Counter(path.name for path in figures.iterdir())
    first.kill()
    until(lambda: server.log.count("server process listens") == 3)

    assert Counter(path.name for path in figures.iterdir()) == files
    assert server.stop() == 0
    assert not figures.exists()


async def rename_revision(settings: Settings, name: str | None) -> None:
    """Claim that another release wrote the database; None takes it back."""
    from dream_api.migrations import head_revision

    database = open_database(settings)
    async with database.write() as tx:
        await tx.connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{name or head_revision()}'")
    await database.close()

"""Test fixtures: databases of their own, servers that can be killed, and no network."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import asyncpg
import psutil
import pytest
from sqlalchemy import BigInteger, insert, select

from dream_api.core.cache.tables import changes
from dream_api.core.db import Database, Statement, is_real_row, values_table
from dream_api.core.db.columns import ByteOrderedText
from dream_api.core.db.migrations import current_revision
from dream_api.core.settings import Settings
from dream_api.migrations import head_revision, migrate
from dream_api.platforms.tables import platforms
from tests.support.postgres import Postgres, execute
from tests.support.valkey import Valkey

pytestmark = pytest.mark.both

ROOT = Path(__file__).parents[2]
ALICE = {"id": "plt_alice", "no": 1, "name": "Alice's", "created_at": 1}


async def names(database: Database) -> list[str]:
    async with database.read() as tx:
        return [row.name for row in await tx.all(select(platforms.c.name))]


async def write_alice(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(insert(platforms), ALICE)


@pytest.mark.parametrize("visit", [1, 2])
async def test_every_test_has_a_database_of_its_own(database: Database, visit: int) -> None:
    assert await names(database) == []

    await write_alice(database)

    assert await names(database) == ["Alice's"]


async def test_a_database_is_handed_over_migrated(database: Database) -> None:
    assert await current_revision(database) == head_revision()
    assert await migrate(database) is False


async def test_another_process_can_use_the_same_database(database: Database, database_settings: Settings) -> None:
    if database_settings.database_url is None:
        other = Database(directory=database_settings.data)
    else:
        other = Database(url=database_settings.database_url)
    await write_alice(database)

    seen = await names(other)
    await other.close()

    assert seen == ["Alice's"]


async def test_what_raises_is_undone(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.write() as tx:
            await tx.execute(insert(platforms), ALICE)
            _ = 1 / 0

    assert await names(database) == []


async def test_a_prepared_statement_belongs_to_the_transaction_it_runs_in(database: Database) -> None:
    statement = Statement(insert(platforms).values(ALICE))

    with pytest.raises(ZeroDivisionError):
        async with database.write() as tx:
            await tx.run(statement, **ALICE)
            _ = 1 / 0
    with pytest.raises(ZeroDivisionError):
        async with database.batch() as batch:
            await batch.run(statement, **ALICE)
            _ = 1 / 0

    assert await names(database) == []


async def test_a_batch_and_a_write_see_each_other(database: Database) -> None:
    statement = Statement(insert(platforms).values(ALICE))
    async with database.batch() as batch:
        await batch.run(statement, **ALICE)

    async with database.write() as tx:
        assert await tx.fetch(Statement(select(platforms.c.id))) == [("plt_alice",)]
        await tx.execute(insert(changes), {"kind": "key", "key": "a", "at": 1})


async def test_a_prepared_statement_takes_rows_and_nulls_on_both_kinds_of_transaction(
    database: Database,
) -> None:
    wanted = values_table("wanted", id=ByteOrderedText, no=BigInteger())
    echo = Statement(select(wanted.c.id, wanted.c.no).where(is_real_row(wanted)).order_by(wanted.c.id), wanted=wanted)

    for rows in ([], [("a", 1)], [("a", 1), ("b", None), ("c", 2**53)]):
        async with database.write() as tx:
            assert [tuple(row) for row in await tx.fetch(echo, wanted=rows)] == rows
        async with database.batch() as batch:
            assert [tuple(row) for row in await batch.fetch(echo, wanted=rows)] == rows
        async with database.read() as tx:
            assert [tuple(row) for row in await tx.fetch(echo, wanted=rows)] == rows


@pytest.mark.slow
def test_what_was_committed_survives_a_killed_postgresql() -> None:
    with Postgres(durable=True) as postgres:
        url = postgres.create("kept")
        execute(url, "CREATE TABLE notes (text text)", "INSERT INTO notes VALUES ('kept')")
        first = postgres.pid
        children = psutil.Process(first).children(recursive=True)

        postgres.kill()
        with pytest.raises((OSError, asyncpg.PostgresError)):
            execute(url, "SELECT 1")
        assert not any(is_alive(process) for process in children)

        postgres.start()
        assert postgres.pid != first
        assert postgres.url("kept") == url
        execute(url, "DO $$ BEGIN ASSERT (SELECT text FROM notes) = 'kept'; END $$")


@pytest.mark.slow
def test_a_postgresql_that_is_stopped_leaves_nothing() -> None:
    with Postgres() as postgres:
        processes = [psutil.Process(postgres.pid), *psutil.Process(postgres.pid).children(recursive=True)]
        postgres.create("template_of_mine")
        postgres.create("copy", template="template_of_mine")
        postgres.drop("template_of_mine")
        folder = Path(processes[0].cwd())

    assert not any(is_alive(process) for process in processes)
    assert not folder.exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
@pytest.mark.parametrize("server", ["postgres.Postgres", "valkey.Valkey"])
def test_a_server_does_not_outlive_the_process_that_started_it(server: str) -> None:
    module, name = server.split(".")
    code = f"""
from tests.support.{module} import {name}
server = {name}()
server.start()
print(server.pid, server._folder, flush=True)
input()
"""
    starter = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=-1, stdout=-1, text=True)
    assert starter.stdout is not None
    pid, folder = starter.stdout.readline().split()
    try:
        process = psutil.Process(int(pid))

        starter.send_signal(signal.SIGKILL)
        starter.communicate()

        assert eventually(lambda: not is_alive(process))
    finally:
        subprocess.run(["rm", "-rf", folder], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("durable", [True, False])
def test_a_killed_valkey_keeps_what_it_was_asked_to_keep(durable: bool) -> None:
    with Valkey(durable=durable) as valkey:
        url = valkey.url()
        assert tell(valkey, "SET note kept") == "+OK"

        valkey.kill()
        valkey.start()

        assert valkey.url() == url
        assert tell(valkey, "EXISTS note") == (":1" if durable else ":0")


async def test_the_network_is_closed() -> None:
    with socket.socket() as one, pytest.raises(RuntimeError, match="this machine only"):
        one.connect(("192.0.2.1", 80))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        pytest.raises(RuntimeError, match="this machine"),
    ):
        one.sendto(b"?", ("192.0.2.1", 53))
    with pytest.raises(RuntimeError, match="this machine only"):
        await asyncio.open_connection("2001:db8::1", 80)


async def test_loopback_and_unix_sockets_are_open(tmp_path: Path) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            reader, writer = await asyncio.open_connection(host, port, family=socket.AF_INET)
            assert await reader.read() == b"hello"
            writer.close()
            await writer.wait_closed()
    async with await asyncio.start_unix_server(greet, tmp_path / "socket"):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("visit", [1, 2])
def test_a_moved_clock_is_put_right_after_the_test(clock: ModuleType, visit: int) -> None:
    assert abs(clock.now() - time.time_ns() // 1000) < clock.SECOND

    clock.move(clock.DAY)

    assert clock.now() > time.time_ns() // 1000 + clock.HOUR


def tell(valkey: Valkey, command: str) -> str:
    with socket.create_connection(("127.0.0.1", valkey.port), timeout=5) as connection:
        connection.sendall(command.encode() + b"\r\n")
        return connection.recv(100).decode().strip()


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()

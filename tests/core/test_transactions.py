"""Transactions: atomic, committed before the response, in turn, and with nothing but the database inside."""

import asyncio
import json
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import asyncpg
import pytest
from sqlalchemy import insert, make_url, select, text
from starlette.types import Message

from dream_api import metering
from dream_api.catalog import TierLimit
from dream_api.core.db import NO_PLATFORM, Database, RawTransaction, Statement, in_transaction
from dream_api.core.errors import StorageUnavailable
from dream_api.metering import queue
from dream_api.platforms import Mode
from dream_api.platforms.tables import sequences
from dream_api.usage import Window
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both

_PUT = insert(sequences).values(platform_no=NO_PLATFORM)
_PUT_IN_BATCH = Statement(insert(sequences).values(platform_no=NO_PLATFORM, series="batch", last=1))
_PUT_AGAIN_IN_BATCH = Statement(insert(sequences).values(platform_no=NO_PLATFORM, series="again", last=1))


async def written(database: Database) -> dict[str, int]:
    """What is committed of the series that these tests write."""
    async with database.read() as tx:
        return {
            row.series: row.last
            for row in await tx.all(select(sequences).where(sequences.c.platform_no == NO_PLATFORM))
            if ":" not in row.series
        }


# Whole or not at all.


async def test_what_a_block_wrote_is_there_at_its_end(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(_PUT, {"series": "a", "last": 1})
        await tx.execute(_PUT, {"series": "b", "last": 2})
    async with database.batch() as batch:
        await batch.run(_PUT_IN_BATCH)

    assert await written(database) == {"a": 1, "b": 2, "batch": 1}


@pytest.mark.parametrize("problem", [RuntimeError("wrong"), asyncio.CancelledError()])
async def test_what_a_block_raises_undoes_all_it_wrote(database: Database, problem: BaseException) -> None:
    with pytest.raises(type(problem)):
        async with database.write() as tx:
            await tx.execute(_PUT, {"series": "a", "last": 1})
            await tx.run(_PUT_IN_BATCH)
            raise problem
    with pytest.raises(type(problem)):
        async with database.batch() as batch:
            await batch.run(_PUT_IN_BATCH)
            await batch.run(_PUT_AGAIN_IN_BATCH)
            raise problem

    assert await written(database) == {}
    assert not in_transaction.get()
    async with database.batch() as batch:
        await batch.run(_PUT_IN_BATCH)
    assert await written(database) == {"batch": 1}


async def test_a_statement_that_fails_undoes_what_went_before(database: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)unique"):
        async with database.write() as tx:
            await tx.execute(_PUT, {"series": "a", "last": 1})
            await tx.execute(_PUT, {"series": "a", "last": 2})
    with pytest.raises(Exception, match=r"(?i)unique"):
        async with database.batch() as batch:
            await batch.run(_PUT_AGAIN_IN_BATCH)
            await batch.run(_PUT_IN_BATCH)
            await batch.run(_PUT_IN_BATCH)

    assert await written(database) == {}


async def test_a_task_that_is_cancelled_in_the_middle_leaves_nothing_and_lets_others_go_on(database: Database) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        async with database.write() as tx:
            await tx.execute(_PUT, {"series": "a", "last": 1})
            begun.set()
            await asyncio.Event().wait()

    hanging = asyncio.create_task(hang())
    await begun.wait()
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)

    async with database.write() as tx:
        await tx.execute(_PUT, {"series": "a", "last": 2})
    assert await written(database) == {"a": 2}


async def test_what_is_to_follow_a_commit_follows_it_and_nothing_else(database: Database) -> None:
    followed: list[dict[str, int]] = []
    with pytest.raises(RuntimeError):
        async with database.write() as tx:
            tx.after_commit.append(lambda: followed.append({}))
            raise RuntimeError
    async with database.write() as tx:
        tx.after_commit.append(lambda: followed.append({"a": 1}))
        assert followed == []

    assert followed == [{"a": 1}]


# What is answered was committed.


async def _visible(database: Database, user_id: str) -> bool:
    """Whether a connection of somebody else sees the customer."""
    if database.path is not None:
        with closing(sqlite3.connect(database.path)) as connection:
            return connection.execute("SELECT 1 FROM customers WHERE user_id = ?", [user_id]).fetchone() is not None
    connection = await asyncpg.connect(database.url, ssl=False)
    try:
        return await connection.fetchval("SELECT true FROM customers WHERE user_id = $1", user_id) is True
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/api/data", b""), ("POST", "/api/customers", b'{"userId": "eve"}')],
)
async def test_when_the_answer_begins_another_connection_sees_the_effect(
    instance: Instance, alice: Account, method: str, path: str, body: bytes
) -> None:
    headers = {**alice.calls("eve"), "Content-Type": "application/json", "Idempotency-Key": "k1"}
    told: list[tuple[int, bool]] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            told.append((message["status"], await _visible(instance.database, "eve")))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "root_path": "",
        "server": ("dream.test", 80),
        "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    assert not await _visible(instance.database, "eve")
    await instance.app(scope, receive, send)

    [(status, was_visible)] = told
    assert status in (200, 201)
    assert was_visible


# In turn.


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_on_sqlite_writers_run_in_the_order_in_which_they_asked(database: Database) -> None:
    order: list[int] = []

    async def write(place: int) -> None:
        async with database.batch() if place % 3 == 0 else database.write():
            order.append(place)

    async with database.write():
        writing = []
        for place in range(30):
            writing.append(asyncio.create_task(write(place)))
            for _ in range(3):
                await asyncio.sleep(0)
        assert order == []
    await asyncio.gather(*writing)

    assert order == list(range(30))


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_on_sqlite_one_writer_runs_at_a_time(database: Database) -> None:
    inside = 0

    async def add() -> None:
        nonlocal inside
        async with database.write() as tx:
            inside += 1
            assert inside == 1
            last = await tx.scalar(select(sequences.c.last).where(sequences.c.series == "a"))
            await asyncio.sleep(0.001)
            await tx.execute(sequences.update().values(last=last + 1).where(sequences.c.series == "a"))
            inside -= 1

    async with database.write() as tx:
        await tx.execute(_PUT, {"series": "a", "last": 0})
    await asyncio.gather(*(add() for _ in range(20)))

    assert await written(database) == {"a": 20}


async def test_readers_do_not_wait_for_a_writer_and_see_what_is_committed(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(_PUT, {"series": "a", "last": 1})
    async with database.write() as tx:
        await tx.execute(sequences.update().values(last=2).where(sequences.c.series == "a"))
        async with asyncio.timeout(10):
            found = await asyncio.gather(*(written(database) for _ in range(8)))

    assert found == [{"a": 1}] * 8
    assert await written(database) == {"a": 2}


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_on_sqlite_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(Exception, match=r"readonly|cannot be written to"):
        async with database.read() as tx:
            await tx.execute(_PUT, {"series": "a", "last": 1})


# Nothing but the database inside.

# Where somebody connected to while a write transaction was open in that task. The hook stays until the process ends.
_connected: list[Any] = []


def _note_connections(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect" and in_transaction.get():
        _connected.append(args[1])


@pytest.fixture(scope="session", autouse=True)
def _hook() -> None:
    sys.addaudithook(_note_connections)


def connected_inside(database: Database) -> list[Any]:
    """The addresses, other than the database's own."""
    found, _connected[:] = list(_connected), []
    port = make_url(database.url).port if database.url is not None else None
    return [address for address in found if port is None or tuple(address[:2]) != ("127.0.0.1", port)]


async def test_a_socket_that_opens_inside_a_transaction_is_noticed(database: Database) -> None:
    connected_inside(database)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = server.getsockname()

        async def call() -> None:
            _, writer = await asyncio.open_connection(*address)
            writer.close()
            await writer.wait_closed()

        await call()
        assert connected_inside(database) == []
        async with database.write():
            await call()
        assert connected_inside(database) == [address]
        async with database.batch():
            await call()
        assert connected_inside(database) == [address]
        await call()
    assert connected_inside(database) == []


async def test_no_request_opens_a_socket_inside_a_transaction(
    instance: Instance, alice: Account, charlie: Account
) -> None:
    connected_inside(instance.database)
    ask = instance.api.request
    for who in (alice, charlie):
        await asyncio.gather(*(ask("POST", "/api/data", headers=who.calls(f"user-{n}")) for n in range(20)))
        keyed = {**who.sk, "Idempotency-Key": "k1"}
        for _ in range(2):
            await ask("POST", "/api/customers", headers=keyed, json={"userId": "ada", "name": "Ada"})
        await ask("PATCH", "/api/customers/userId:ada", headers=who.sk, json={"status": "blocked"})
        await ask("POST", "/api/data", headers=who.calls())
        await ask("DELETE", "/api/customers/userId:ada", headers=who.sk)
        await ask("GET", "/api/customers", headers=who.sk)
        await ask("GET", "/api/usage", headers=who.calls("user-1"))
        await ask("GET", "/readyz")

    assert connected_inside(instance.database) == []


# How many statements a metered call costs.


@asynccontextmanager
async def statements(instance: Instance) -> AsyncIterator[list[str]]:
    """Everything that the drivers were told to run on the gate's connections, as they saw it."""
    told: list[str] = []
    batches: Any = instance.database._batches
    if instance.database.path is not None:
        batches._connection.set_trace_callback(told.append)
        yield told
        batches._connection.set_trace_callback(None)
        return
    connections = [holder._con for holder in batches._pool._holders if holder._con is not None]
    for connection in connections:
        connection.add_query_logger(lambda query: told.append(query.query))
    yield told
    for connection in connections:
        connection._query_loggers.clear()


async def count(
    instance: Instance, account: Account, users: list[str], keyed: str | None = None, mode: Mode = "test"
) -> None:
    """Metered calls that are counted in one transaction."""
    key = await instance.authenticator.authenticate_secret_key(f"Bearer {account.secret[mode]}")
    terms = await instance.metering.get_terms(key)
    calls = [
        metering.build_call(key, terms, user_id=user, idempotency_key=None if keyed is None else f"{keyed}-{user}")
        for user in users
    ]
    outcomes = await asyncio.gather(*(instance.metering.count(call) for call in calls))
    assert all(outcome.is_allowed for outcome in outcomes)


USERS = [f"user-{number}" for number in range(64)]


@pytest.fixture(autouse=True)
def _nothing_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times a second a batch also looks for reservations to release, however many calls it has."""
    monkeypatch.setattr(queue, "_RELEASE_EVERY", 2**63)


Work = Callable[[Instance, Account, list[str]], Awaitable[None]]


async def _known(instance: Instance, account: Account, users: list[str]) -> None:
    await count(instance, account, users)


async def _forgotten(instance: Instance, account: Account, users: list[str]) -> None:
    instance.metering.customers.clear()
    await count(instance, account, users)


async def _keyed(instance: Instance, account: Account, users: list[str]) -> None:
    await count(instance, account, users, keyed=f"k{len(users)}")


async def _newcomers(instance: Instance, account: Account, users: list[str]) -> None:
    await count(instance, account, [f"{len(users)}-{user}" for user in users])


@pytest.mark.parametrize(
    ("work", "most"),
    [(_known, 6), (_forgotten, 7), (_keyed, 8), (_newcomers, 12)],
    ids=["known", "forgotten", "keyed", "newcomers"],
)
async def test_a_batch_of_64_costs_as_many_statements_as_one_call(
    instance: Instance, alice: Account, work: Work, most: int
) -> None:
    await count(instance, alice, USERS)
    await work(instance, alice, USERS[:2])  # drivers ask a few things once
    costs: list[list[str]] = []
    for users in (USERS[:1], USERS):
        await instance.changes.poll()  # what is remembered is believed, however busy the machine is
        await count(instance, alice, USERS)
        async with statements(instance) as told:
            await work(instance, alice, users)
        costs.append(list(told))

    alone, together = costs
    assert len(alone) == len(together) <= most, json.dumps(costs, indent=1)
    assert [cost.split()[0] for cost in alone] == [cost.split()[0] for cost in together]


async def test_a_call_costs_as_many_statements_among_1000_customers_as_alone(
    instance: Instance, alice: Account
) -> None:
    await count(instance, alice, ["ada"])
    costs: list[list[str]] = []
    for others in (0, 1_000):
        await count(instance, alice, [f"other-{number}" for number in range(others)])
        instance.metering.customers.clear()
        async with statements(instance) as told:
            answer = await instance.api.post("/api/data", headers=alice.calls())
        assert answer.status_code == 200
        costs.append(list(told))

    alone, among = costs
    assert len(alone) > 3
    assert [_shape(cost) for cost in alone] == [_shape(cost) for cost in among]


@pytest.mark.parametrize("mode", ["test", "live"])
async def test_a_call_reads_and_writes_as_many_rows_among_1000_customers_as_alone(
    instance: Instance, alice: Account, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    await instance.set_level(9, TierLimit(10**6, "active_users", Window.HOUR))
    await instance.assign(alice, 9)
    await count(instance, alice, ["ada"], mode=mode)
    begin = instance.database.batch
    rows: list[tuple[int, int]] = []

    @asynccontextmanager
    async def counting() -> AsyncIterator[RawTransaction]:
        async with begin() as tx:
            yield _Counting(tx, rows)

    monkeypatch.setattr(instance.database, "batch", counting)
    costs: list[list[tuple[int, int]]] = []
    for others in (0, 1_000):
        await count(instance, alice, [f"other-{number}" for number in range(others)], mode=mode)
        await instance.changes.poll()  # what is remembered is believed, however busy the machine is
        await count(instance, alice, ["ada"], mode=mode)
        instance.metering.customers.clear()
        rows.clear()
        await count(instance, alice, ["ada"], mode=mode)
        costs.append(list(rows))

    alone, among = costs
    assert len(alone) > 3
    assert alone == among


class _Counting:
    """A transaction that tells of each statement how many rows it was given and how many it answered."""

    def __init__(self, tx: RawTransaction, rows: list[tuple[int, int]]) -> None:
        self._tx = tx
        self._rows = rows
        self.locks_rows = tx.locks_rows

    async def fetch(self, statement: Statement, **values: Any) -> Any:
        found = await self._tx.fetch(statement, **values)
        self._rows.append((_given(values), len(found)))
        return found

    async def run(self, statement: Statement, **values: Any) -> None:
        await self._tx.run(statement, **values)
        self._rows.append((_given(values), 0))


def _given(values: dict[str, Any]) -> int:
    return sum(len(value) for value in values.values() if isinstance(value, list))


def _shape(statement: str) -> str:
    """The statement without its values, which SQLite shows in their places."""
    return "".join("0" if letter.isdigit() else letter for letter in statement.partition("VALUES")[0])


@pytest.mark.parametrize("database_kind", ["postgres"])
@pytest.mark.parametrize("code", ["XX001", "XX002"])
async def test_what_postgresql_says_of_damaged_files_is_a_storage_error(database: Database, code: str) -> None:
    """Not an error of ours: 503 instead of 500. PostgreSQL recovers by itself or by a restart, so it is asked again."""
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'invalid page' USING ERRCODE = '{code}'; END $$"

    with pytest.raises(StorageUnavailable, match="The database is damaged"):
        async with database.read() as tx:
            await tx.execute(text(statement))

    async with database.read() as tx:
        assert await tx.scalar(text("SELECT 1")) == 1

"""The embedded database: one file, write-ahead log, every commit synced before it is answered."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from dream_api.core.db.statements import Statement
from dream_api.core.errors import Overloaded

# Small pages: a batch changes rows that are scattered over the file, and each commit syncs whole pages. Measured with
# 10,000 users: 1 KiB pages make a commit a third shorter than 4 KiB ones (docs/decisions/0003-hot-path.md).
PAGE_BYTES = 1024
_CACHE_KIB = 65_536
_READERS = 4
_BUSY_SECONDS = 5.0
_CHECKPOINT_EVERY = 3.0
_SLOW_COMMIT_SECONDS = 0.003

_PRAGMAS = (
    f"PRAGMA page_size = {PAGE_BYTES}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA cache_size = -{_CACHE_KIB}",
    "PRAGMA wal_autocheckpoint = 0",
)


def connect(path: Path, *, busy_seconds: float = _BUSY_SECONDS) -> sqlite3.Connection:
    """A writing connection of the driver's, with this product's pragmas; transactions are begun by hand."""
    connection = sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection


def writing_engine(path: Path) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS}, pool_size=1, max_overflow=0
    )
    _begin_by_hand(engine, "BEGIN IMMEDIATE", _PRAGMAS)
    return engine


def migrating_engine(path: Path) -> AsyncEngine:
    """For an upgrade of the schema, which replaces whole tables: with foreign keys on, SQLite refuses to drop a table
    whose rows others refer to. The setting is without effect inside a transaction.

    Its connection is used for nothing else: the upgrade proves the foreign keys itself before it commits.
    """
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS}, pool_size=1)
    _begin_by_hand(engine, "BEGIN IMMEDIATE", (*_PRAGMAS, "PRAGMA foreign_keys = OFF"))
    return engine


def reading_engine(path: Path) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///file:{path}?mode=ro&uri=true",
        connect_args={"timeout": _BUSY_SECONDS},
        pool_size=_READERS,
        max_overflow=0,
    )
    _begin_by_hand(engine, "BEGIN", ())
    return engine


def _begin_by_hand(engine: AsyncEngine, begin: str, pragmas: tuple[str, ...]) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine.sync_engine, "begin")
    def begin_now(connection: Any) -> None:
        connection.exec_driver_sql(begin)


class EngineStatements:
    """Runs prepared statements on the connection that SQLAlchemy has open."""

    locks_rows = False

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def fetch(self, statement: Statement, **values: Any) -> Sequence[Sequence[Any]]:
        text, flat = statement.for_sqlite(values)
        return (await self._connection.exec_driver_sql(text, tuple(flat))).all()

    async def run(self, statement: Statement, **values: Any) -> None:
        text, flat = statement.for_sqlite(values)
        await self._connection.exec_driver_sql(text, tuple(flat))


class SqliteBatch:
    """A transaction of the metering engine, on the driver and the event loop's thread: statements take microseconds."""

    locks_rows = False

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def fetch(self, statement: Statement, **values: Any) -> Sequence[Sequence[Any]]:
        return self._connection.execute(*statement.for_sqlite(values)).fetchall()

    async def run(self, statement: Statement, **values: Any) -> None:
        self._connection.execute(*statement.for_sqlite(values))


class Batches:
    """The connection on which the metering engine's batches are committed.

    A commit waits for the disk. Where that takes a fraction of a millisecond it is waited for where it stands, because
    a thread costs more than that: it and the event loop keep each other from the interpreter's lock (measured: 1.0 ms
    instead of 0.45). On a slow disk it is made in a thread, so that the event loop goes on meanwhile.
    """

    def __init__(self, path: Path, turn: asyncio.Lock) -> None:
        self._turn = turn
        self._connection = connect(path, busy_seconds=0)
        self._commits = ThreadPoolExecutor(1, thread_name_prefix="commit")
        # What a commit took lately.
        self._commit_seconds = 0.0

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[SqliteBatch, None]:
        async with self._turn:
            await self._begin_immediate()
            try:
                yield SqliteBatch(self._connection)
            except BaseException:
                self._roll_back()
                raise
            await self._commit()

    async def _begin_immediate(self) -> None:
        """Another process (a command) may be writing: wait for it without holding up the event loop."""
        for _ in range(int(_BUSY_SECONDS / 0.002)):
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as problem:
                if "locked" not in str(problem) and "busy" not in str(problem):
                    raise
                await asyncio.sleep(0.002)
            else:
                return
        raise Overloaded("Another process locked the database for too long.")

    async def _commit(self) -> None:
        began = time.perf_counter()
        try:
            if self._commit_seconds < _SLOW_COMMIT_SECONDS:
                self._connection.execute("COMMIT")
            else:
                await self._commit_aside()
        finally:
            self._commit_seconds += (time.perf_counter() - began - self._commit_seconds) / 8
            self._roll_back()

    async def _commit_aside(self) -> None:
        committing = asyncio.get_running_loop().run_in_executor(self._commits, self._connection.execute, "COMMIT")
        try:
            await asyncio.shield(committing)
        except asyncio.CancelledError:
            await asyncio.wait([committing])
            raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    async def close(self) -> None:
        self._commits.shutdown()
        self._connection.close()


class Checkpoints:
    """Copies the log into the file concurrently with writers; only its last pages are copied while writers wait."""

    def __init__(self, path: Path, turn: asyncio.Lock) -> None:
        self._path = path
        self._turn = turn
        self._copying = asyncio.create_task(self._copy_forever())
        self._is_due = asyncio.Event()

    def note_write(self) -> None:
        self._is_due.set()

    async def _copy_forever(self) -> None:
        # The thread ends before its connection is closed.
        with closing(connect(self._path)) as connection, ThreadPoolExecutor(1, "checkpoint") as thread:
            loop = asyncio.get_running_loop()

            def copy() -> None:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

            while True:
                await self._is_due.wait()
                self._is_due.clear()
                await asyncio.sleep(_CHECKPOINT_EVERY)
                try:
                    await loop.run_in_executor(thread, copy)
                    async with self._turn:
                        await loop.run_in_executor(thread, copy)
                except sqlite3.OperationalError:
                    self._is_due.set()  # a full disk: the log keeps everything until there is space again

    async def close(self) -> None:
        self._copying.cancel()
        await asyncio.gather(self._copying, return_exceptions=True)

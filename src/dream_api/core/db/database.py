"""Transactions on SQLite or PostgreSQL, with the same guarantees."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dream_api.core.db import files, postgresql, sqlite
from dream_api.core.db.driver_errors import error_for, is_contention, is_damage
from dream_api.core.db.transactions import RawTransaction, Tx, in_transaction
from dream_api.core.errors import AppError, Overloaded, StorageUnavailable

FILE_NAME = "dream.db"
_TURN_SECONDS = 10
# Other processes look back ten seconds for cache invalidations; half of that is left for the commit itself.
_INVALIDATION_SECONDS = 5


class Database:
    """Opens transactions. Once one has ended, its writes are on the disk.

    `write`: one at a time on SQLite, in the order of the calls; many at once on PostgreSQL.
    `batch`: a write transaction of the metering engine, without SQLAlchemy's execution.
    `read`: sees committed data, never waits for a writer.
    """

    def __init__(self, *, directory: Path | None = None, url: str | None = None) -> None:
        if (directory is None) == (url is None):
            raise ValueError("A database is either a data directory or a PostgreSQL URL.")
        self.path = None if directory is None else directory / FILE_NAME
        self.url = url
        self.is_sqlite = url is None
        # Whether it lies on several machines, so that each statement must name one tenant; None: not known yet.
        self.is_distributed: bool | None = None if url else False
        # Then its files are left as they are, to be repaired.
        self.is_damaged = False
        # Called after a commit with the (kind, key) of the cached values that it changed.
        self.on_noted: Callable[[list[tuple[str, str]]], None] = lambda noted: None
        self._turn = asyncio.Lock()
        self._writing: AsyncEngine
        self._reading: AsyncEngine
        self._batches: sqlite.Batches | postgresql.Batches | None = None
        self._checkpoints: sqlite.Checkpoints | None = None
        if self.path is not None:
            self._writing = sqlite.writing_engine(self.path)
            self._reading = sqlite.reading_engine(self.path)
        else:
            assert url is not None
            self._writing = self._reading = postgresql.engine_for(url)

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[Tx, None]:
        """Commits at the end of the block, undoes everything where the block raises."""
        async with self._in_turn(), self._transaction() as tx:
            yield tx
        self._note_write()
        if tx.noted:
            self.on_noted(tx.noted)
        for callback in tx.after_commit:
            callback()

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[Tx, None]:
        is_decided = False
        marker = in_transaction.set(True)
        try:
            async with self._writing.connect() as connection:
                transaction = await connection.begin()
                began = time.monotonic()
                tx = await self._open(connection)
                try:
                    yield tx
                    _require_timely_invalidation(tx, began)
                except BaseException:
                    if not connection.invalidated:
                        await transaction.rollback()
                    raise
                is_decided = True
                await transaction.commit()
        except Exception as problem:
            error = self._error_for(problem, committing=is_decided)
            if error is None:
                raise
            raise error from problem
        finally:
            in_transaction.reset(marker)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[Tx, None]:
        try:
            async with self._reading.connect() as connection, connection.begin():
                yield await self._open(connection)
        except Exception as problem:
            error = self._error_for(problem)
            if error is None:
                raise
            raise error from problem

    @asynccontextmanager
    async def batch(self) -> AsyncGenerator[RawTransaction, None]:
        """A write transaction on the driver itself, for the metering engine.

        Raises AppError where storage fails; contention is raised as the driver's error, so that it can be retried.
        """
        if self._batches is None:
            self._batches = await self._open_batches()
        marker = in_transaction.set(True)
        is_decided = False
        try:
            async with self._batches.begin() as tx:
                yield tx
                is_decided = True
            self._note_write()
        except Exception as problem:
            error = None if is_contention(problem) else self._error_for(problem, committing=is_decided)
            if error is None:
                raise
            raise error from problem
        finally:
            in_transaction.reset(marker)

    async def ping(self) -> None:
        """Raises AppError where the database does not answer."""
        async with self.read() as tx:
            await tx.scalar(text("SELECT 1"))

    async def require_readable(self) -> None:
        """Raises AppError where a row cannot be read, or damage of the file was found before.

        Damage on PostgreSQL may be repaired while the server runs.
        """
        if self.is_damaged and self.is_sqlite:
            raise StorageUnavailable("The database is damaged.", retry_after=60)
        async with self.read() as tx:
            await tx.scalar(text("SELECT version_num FROM alembic_version"))

    def _error_for(self, problem: Exception, *, committing: bool = False) -> AppError | None:
        if is_damage(problem):
            self.is_damaged = True
        return error_for(problem, committing=committing)

    def _note_write(self) -> None:
        if self.path is None:
            return
        if self._checkpoints is None:
            self._checkpoints = sqlite.Checkpoints(self.path, self._turn)
        self._checkpoints.note_write()

    async def close(self) -> None:
        """On SQLite everything is in the one file afterwards, where no other process has it open."""
        if self._checkpoints is not None:
            await self._checkpoints.close()
        if self._batches is not None:
            await self._batches.close()
        if self._reading is not self._writing:
            await self._reading.dispose()
        await self._writing.dispose()
        if self.path is not None and not self.is_damaged:
            files.remove_log(self.path)

    @asynccontextmanager
    async def _in_turn(self) -> AsyncGenerator[None, None]:
        if not self.is_sqlite:
            yield
            return
        try:
            await asyncio.wait_for(self._turn.acquire(), _TURN_SECONDS)
        except TimeoutError as problem:
            raise Overloaded("Too many write transactions are waiting.") from problem
        try:
            yield
        finally:
            self._turn.release()

    async def _open(self, connection: AsyncConnection) -> Tx:
        if self.is_sqlite:
            return Tx(connection, sqlite.EngineStatements(connection))
        if self.is_distributed is None:
            self.is_distributed = bool(await connection.scalar(text(postgresql.IS_DISTRIBUTED)))
        return Tx(connection, postgresql.EngineStatements(connection, by_tenant=self.is_distributed))

    async def _open_batches(self) -> "sqlite.Batches | postgresql.Batches":
        if self.path is not None:
            return sqlite.Batches(self.path, self._turn)
        async with self.read():  # so that it is known whether it is distributed
            return postgresql.Batches(self.url or "", by_tenant=bool(self.is_distributed))


def _require_timely_invalidation(tx: Tx, began: float) -> None:
    if tx.noted and time.monotonic() - began > _INVALIDATION_SECONDS:
        raise Overloaded("The transaction took too long and was rolled back.")

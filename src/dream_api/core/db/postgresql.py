"""PostgreSQL: many writers at once, rows locked in the order of their keys."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from dream_api.core.db.statements import Statement

_CONNECTIONS = 10
_CONNECT_SECONDS = 5
# A server that stalls must not keep callers waiting: the statement fails with 503.
_COMMAND_SECONDS = 8
_LOCK_MILLISECONDS = 5_000
# A transaction that writes `changes` must be over before readers stop looking back for it (10 s).
_SERVER_SETTINGS = {
    "lock_timeout": str(_LOCK_MILLISECONDS),
    "idle_in_transaction_session_timeout": "5000",
    "synchronous_commit": "on",
    "timezone": "UTC",
}
# The metering engine finds every row by its primary key, hundreds at a time. The planner, which sees arrays of unknown
# length and tables without statistics, would rather read whole tables: measured, 0.6 k calls/s instead of 13 k.
_BATCH_SETTINGS = _SERVER_SETTINGS | {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    "random_page_cost": "0.1",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}


def engine_for(url: str, *, command_seconds: float | None = _COMMAND_SECONDS) -> AsyncEngine:
    """`command_seconds`: how long a statement may take; None where it is a migration."""
    limits = {} if command_seconds is None else {"command_timeout": command_seconds}
    return create_async_engine(
        driver_url(url),
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={"server_settings": _SERVER_SETTINGS, "timeout": _CONNECT_SECONDS, **limits},
    )


# Whether tables are distributed over several machines by their tenant.
IS_DISTRIBUTED = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"


def driver_url(url: str) -> URL:
    """The same URL, for asyncpg."""
    return make_url(url).set(drivername="postgresql+asyncpg")


class EngineStatements:
    """Runs prepared statements on the connection that SQLAlchemy has open.

    Through SQLAlchemy, not on the driver's connection beneath it: BEGIN is sent with the first statement that
    SQLAlchemy sees, and a statement that went past it before then would be committed by itself.
    """

    locks_rows = True

    def __init__(self, connection: AsyncConnection, *, by_tenant: bool) -> None:
        self._connection = connection
        self._by_tenant = by_tenant

    async def fetch(self, statement: Statement, **values: Any) -> Sequence[Sequence[Any]]:
        found: list[Sequence[Any]] = []
        for text, flat in _texts(statement, values, by_tenant=self._by_tenant):
            found += (await self._connection.exec_driver_sql(text, tuple(flat))).all()
        return found

    async def run(self, statement: Statement, **values: Any) -> None:
        for text, flat in _texts(statement, values, by_tenant=self._by_tenant):
            await self._connection.exec_driver_sql(text, tuple(flat))


class PostgresBatch:
    """A transaction of the metering engine, on the driver."""

    locks_rows = True

    def __init__(self, connection: Any, *, by_tenant: bool) -> None:
        self._connection = connection
        self._by_tenant = by_tenant

    async def fetch(self, statement: Statement, **values: Any) -> Sequence[Sequence[Any]]:
        if not self._by_tenant:
            text, flat = statement.for_postgresql(values)
            return await self._connection.fetch(text, *flat)
        found: list[Sequence[Any]] = []
        for text, flat in statement.by_tenant(values):
            found += await self._connection.fetch(text, *flat)
        return found

    async def run(self, statement: Statement, **values: Any) -> None:
        for text, flat in _texts(statement, values, by_tenant=self._by_tenant):
            await self._connection.fetch(text, *flat)


def _texts(statement: Statement, values: dict[str, Any], *, by_tenant: bool) -> Iterable[tuple[str, list[Any]]]:
    """`by_tenant`: one statement for each tenant, as a distributed database needs them."""
    return statement.by_tenant(values) if by_tenant else (statement.for_postgresql(values),)


async def _leave_as_it_is(_: object) -> None:
    """A batch leaves nothing behind in its session: no reset, which would cost a round trip before the answers."""


class Batches:
    """The connections on which the metering engine's batches are committed."""

    def __init__(self, url: str, *, by_tenant: bool) -> None:
        self._by_tenant = by_tenant
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._pool: Any = None

    async def _ready(self) -> Any:
        if self._pool is None:
            import asyncpg  # noqa: PLC0415 - three megabytes, needed with PostgreSQL only

            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=2,
                timeout=_CONNECT_SECONDS,
                command_timeout=_COMMAND_SECONDS,
                server_settings=_BATCH_SETTINGS,
                reset=_leave_as_it_is,
            )
        return self._pool

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[PostgresBatch, None]:
        pool = await self._ready()
        async with pool.acquire(timeout=_CONNECT_SECONDS) as connection:
            await connection.execute("BEGIN")
            try:
                yield PostgresBatch(connection, by_tenant=self._by_tenant)
            except BaseException:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

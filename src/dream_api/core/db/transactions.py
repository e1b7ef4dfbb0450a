"""The transaction that rules and queries are given, on either database."""

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

from sqlalchemy import Executable
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from dream_api.core.db.statements import Statement

Values = Mapping[str, Any]

# True while a write transaction is open in this task: then nothing but the database may be awaited.
in_transaction: ContextVar[bool] = ContextVar("inside_transaction", default=False)


class RawTransaction(Protocol):
    """A driver-level transaction, enough for metering: runs prepared statements."""

    @property
    def locks_rows(self) -> bool:
        """Whether other writers run at the same time, so that rows must be locked before they are read."""
        ...

    async def fetch(self, statement: Statement, **values: Any) -> Sequence[Sequence[Any]]:
        """All rows of the statement."""
        ...

    async def run(self, statement: Statement, **values: Any) -> None:
        """Run a statement that returns no rows."""
        ...


class Tx:
    """Runs any SQLAlchemy Core statement, and calls `after_commit` once it is committed.

    It is a `RawTransaction` as well, so that usage can be counted in the transaction of what is counted.
    """

    def __init__(self, connection: AsyncConnection, driver: RawTransaction) -> None:
        self.connection = connection
        self._driver = driver
        self.after_commit: list[Callable[[], None]] = []
        # Cached values that this transaction changes, as (kind, key): see `core.cache`.
        self.noted: list[tuple[str, str]] = []

    @property
    def locks_rows(self) -> bool:
        return self._driver.locks_rows

    async def fetch(self, statement: Statement, **values: Any) -> Sequence[Sequence[Any]]:
        return await self._driver.fetch(statement, **values)

    async def run(self, statement: Statement, **values: Any) -> None:
        await self._driver.run(statement, **values)

    async def all(self, clause: Executable, values: Values | None = None) -> Sequence[Row[Any]]:
        return (await self.connection.execute(clause, values)).all()

    async def first(self, clause: Executable, values: Values | None = None) -> Row[Any] | None:
        return (await self.connection.execute(clause, values)).first()

    async def scalar(self, clause: Executable, values: Values | None = None) -> Any:
        """The first column of the first row, None where there is no row."""
        return (await self.connection.execute(clause, values)).scalar()

    async def execute(self, clause: Executable, values: Values | Sequence[Values] | None = None) -> int:
        """How many rows were written."""
        return (await self.connection.execute(clause, values)).rowcount

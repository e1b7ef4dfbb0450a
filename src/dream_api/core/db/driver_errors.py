"""Maps errors of the database drivers to API errors: 503, never 500."""

import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dream_api.core.errors import AppError, OutcomeUnknown, Overloaded, StorageUnavailable

_SQLITE_BUSY = ("locked", "busy")
_SQLITE_DAMAGED = ("malformed", "not a database")
# PostgreSQL: 08 connection, 53 resources (disk full, memory, too many connections), 57P0x shutdown, 58 system.
_LOST = ("08", "57P", "58")
_FULL = ("53",)
_CONTENDED = ("40001", "40P01", "55P03")


def error_for(problem: BaseException, *, committing: bool = False) -> AppError | None:
    """The API error for a failure of storage; None where the failure is a bug."""
    cause: BaseException = problem
    if isinstance(problem, PoolTimeout):
        return Overloaded("All database connections are in use.")
    if isinstance(problem, DBAPIError) and problem.orig is not None:
        cause = problem.orig.__cause__ or problem.orig
    kind = _kind_of(cause)
    if kind is None:
        return None
    if kind == "contended":
        return Overloaded("Other writers locked the database for too long.")
    if committing and kind == "lost":
        return OutcomeUnknown("The connection to the database was lost during the commit.")
    return StorageUnavailable("The database is not available or cannot be written to.", retry_after=2)


def is_contention(problem: BaseException) -> bool:
    """Whether the same transaction is likely to succeed when it is retried.

    Also a row that another writer inserted first: the retried transaction sees it.
    """
    if isinstance(problem, _asyncpg().UniqueViolationError):
        return True
    cause = problem.orig.__cause__ if isinstance(problem, DBAPIError) and problem.orig is not None else problem
    return cause is not None and _kind_of(cause) == "contended"


def is_damage(problem: DBAPIError) -> bool:
    """Whether SQLite found its file damaged, or not a database."""
    cause = problem.orig.__cause__ or problem.orig if problem.orig is not None else problem
    return isinstance(cause, sqlite3.DatabaseError) and any(word in str(cause) for word in _SQLITE_DAMAGED)


def _kind_of(cause: BaseException) -> str | None:
    if isinstance(cause, sqlite3.OperationalError):
        return _kind_of_sqlite(cause)
    if isinstance(cause, _asyncpg().PostgresError):
        return _kind_of_postgresql(str(getattr(cause, "sqlstate", "")))
    if isinstance(cause, (_asyncpg().InterfaceError, ConnectionError, OSError, TimeoutError)):
        return "lost"
    return None


def is_database_error(problem: Exception) -> bool:
    """Whether the database or its driver raised it."""
    return isinstance(problem, (DBAPIError, _asyncpg().PostgresError))


def _asyncpg() -> Any:
    # Imported late: three megabytes, needed with PostgreSQL or after a failure only.
    import asyncpg  # noqa: PLC0415

    return asyncpg


def _kind_of_sqlite(cause: sqlite3.OperationalError) -> str | None:
    text = str(cause)
    if any(word in text for word in _SQLITE_BUSY):
        return "contended"
    if "disk I/O" in text:
        return "lost"
    return "full" if "full" in text or "readonly" in text or "unable to open" in text else None


def _kind_of_postgresql(state: str) -> str | None:
    if state in _CONTENDED:
        return "contended"
    if state.startswith(_LOST):
        return "lost"
    return "full" if state.startswith(_FULL) else None

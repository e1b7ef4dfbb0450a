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
_DAMAGED = ("XX001", "XX002")
_CONTENDED = ("40001", "40P01", "55P03")


def error_for(problem: BaseException, *, committing: bool = False) -> AppError | None:
    """The API error for a failure of storage; None where the failure is a bug."""
    if isinstance(problem, PoolTimeout):
        return Overloaded("All database connections are in use.")
    kind = _kind_of(_cause_of(problem))
    if kind is None:
        return None
    if kind == "contended":
        return Overloaded("Other writers locked the database for too long.")
    if committing and kind == "lost":
        return OutcomeUnknown("The connection to the database was lost during the commit.")
    if kind == "damaged":
        return StorageUnavailable("The database is damaged.", hint=_HINT, retry_after=60)
    return StorageUnavailable("The database is not available or cannot be written to.", retry_after=2)


_HINT = "The operator of this instance must restore a backup. `dream-api doctor` shows what is damaged."


def _cause_of(problem: BaseException) -> BaseException:
    """What the driver raised."""
    if isinstance(problem, DBAPIError) and problem.orig is not None:
        return problem.orig.__cause__ or problem.orig
    return problem


def is_contention(problem: BaseException) -> bool:
    """Whether the same transaction is likely to succeed when it is retried.

    Also a row that another writer inserted first: the retried transaction sees it.
    """
    if isinstance(problem, _asyncpg().UniqueViolationError):
        return True
    return _kind_of(_cause_of(problem)) == "contended"


def is_damage(problem: BaseException) -> bool:
    """Whether the database found its files damaged, or no database in them."""
    return _kind_of(_cause_of(problem)) == "damaged"


def _kind_of(cause: BaseException) -> str | None:
    if isinstance(cause, sqlite3.DatabaseError):
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


def _kind_of_sqlite(cause: sqlite3.DatabaseError) -> str | None:
    text = str(cause)
    if any(word in text for word in _SQLITE_DAMAGED):
        return "damaged"
    if not isinstance(cause, sqlite3.OperationalError):
        return None
    if any(word in text for word in _SQLITE_BUSY):
        return "contended"
    if "disk I/O" in text:
        return "lost"
    return "full" if "full" in text or "readonly" in text or "unable to open" in text else None


def _kind_of_postgresql(state: str) -> str | None:
    if state in _CONTENDED:
        return "contended"
    if state in _DAMAGED:
        return "damaged"
    if state.startswith(_LOST):
        return "lost"
    return "full" if state.startswith(_FULL) else None

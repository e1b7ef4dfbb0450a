"""Integrity checks for `doctor`: each is a sentence and a query that finds the rows that violate it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, Select, text

from dream_api.core.db import Database, Tx
from dream_api.core.errors import StorageUnavailable

_SHOWN = 20
DATABASE_CHECK = "database_is_intact"
_HINT = (
    "Someone changed the database by hand, or this is a bug in dream-api. Restore a backup, or report the bug with the "
    "output of `dream-api doctor --json`."
)
# For what SQL cannot compute: at most so many violations, as column → value.
Search = Callable[[Tx, int], Awaitable[Sequence[dict[str, Any]]]]


@dataclass(frozen=True, slots=True)
class IntegrityCheck:
    """`sentence` holds if and only if `contradictions` finds no row; `hint` says what to do where it does."""

    name: str
    sentence: str
    contradictions: Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]] | Search
    hint: str = _HINT


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check: the first violations, as column → value."""

    check: IntegrityCheck
    contradictions: list[dict[str, Any]]

    @property
    def holds(self) -> bool:
        return not self.contradictions


def database_check() -> IntegrityCheck:
    """The database's own check of its files; if it fails, no other check says anything."""
    return IntegrityCheck(
        DATABASE_CHECK,
        "The database finds no damage in its files.",
        _damage,
        hint="Stop the server and restore a backup.",
    )


async def _damage(tx: Tx, limit: int) -> Sequence[dict[str, Any]]:
    """SQLite reads the whole file; PostgreSQL knows which indexes are not valid."""
    if tx.locks_rows:
        invalid = await tx.all(text("SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid"))
        return [{"what": f"the index {row.name} is not valid"} for row in invalid[:limit]]
    rows = await tx.all(text(f"PRAGMA integrity_check({limit})"))
    return [{"what": row[0]} for row in rows if row[0] != "ok"]


async def run_check(database: Database, check: IntegrityCheck) -> Finding:
    """Run one check on committed data."""
    found: list[dict[str, Any]] = []
    try:
        async with database.read() as tx:
            found = await violations(tx, check)
    except StorageUnavailable:
        if check.name != DATABASE_CHECK or not database.is_damaged:
            raise
        # SQLite says so at the end of the transaction, too.
        found = found or [{"what": "the file cannot be read"}]
    return Finding(check, found)


async def violations(tx: Tx, check: IntegrityCheck) -> list[dict[str, Any]]:
    """The first rows that violate the check, as column → value."""
    if callable(check.contradictions):
        return list(await check.contradictions(tx, _SHOWN))
    found = await tx.connection.execute(check.contradictions.limit(_SHOWN))
    return [dict(row) for row in found.mappings()]

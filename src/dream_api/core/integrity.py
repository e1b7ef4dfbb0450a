"""Integrity checks for `doctor`: each is a sentence and a query that finds the rows that violate it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select

from dream_api.core.db import Database, Tx

_SHOWN = 20
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
    contradictions: Select[*tuple[Any, ...]] | Search
    hint: str = _HINT


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check: the first violations, as column → value."""

    check: IntegrityCheck
    contradictions: list[dict[str, Any]]

    @property
    def holds(self) -> bool:
        return not self.contradictions


async def run_check(database: Database, check: IntegrityCheck) -> Finding:
    """Run one check on committed data."""
    async with database.read() as tx:
        return Finding(check, await violations(tx, check))


async def violations(tx: Tx, check: IntegrityCheck) -> list[dict[str, Any]]:
    """The first rows that violate the check, as column → value."""
    if callable(check.contradictions):
        return list(await check.contradictions(tx, _SHOWN))
    found = await tx.connection.execute(check.contradictions.limit(_SHOWN))
    return [dict(row) for row in found.mappings()]

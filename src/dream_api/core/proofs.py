"""What `doctor` can prove: each check is a statement that finds what contradicts a sentence."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select

from dream_api.core.db import Database

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Check:
    """`sentence` holds if and only if `contradictions` finds no row."""

    name: str
    sentence: str
    contradictions: Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a check: the first contradictions, as column → value."""

    check: Check
    contradictions: list[dict[str, Any]]

    @property
    def holds(self) -> bool:
        return not self.contradictions


async def prove(database: Database, check: Check) -> Finding:
    """Run one check on what is committed at this moment."""
    async with database.read() as tx:
        found = await tx.connection.execute(check.contradictions.limit(_SHOWN))
        rows = [dict(row) for row in found.mappings()]
    return Finding(check, rows)

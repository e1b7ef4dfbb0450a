"""What `doctor` can prove: each check is a statement that finds what contradicts a sentence."""

from dataclasses import dataclass

from sqlalchemy import Select
from typing import Any

from dream_api.core.db import Database

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Check:
    """`sentence` holds if and only if `contradictions` finds no row."""

    name: str
    sentence: str
    contradictions: Select[Any]


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
        rows = await tx.all(check.contradictions.limit(_SHOWN))
    return Finding(check, [dict(row._mapping) for row in rows])

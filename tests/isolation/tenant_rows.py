"""Every row of a platform, or of one project and mode of it, by the tables' metadata: two reads show what changed."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dream_api.core.db import Database
from dream_api.core.db.tenant_tables import TENANT
from dream_api.platforms import Project
from dream_api.schema import metadata

Row = dict[str, Any]
Rows = dict[str, list[Row]]
_ID = re.compile(r"\b[a-z]{2,8}_[0-9a-hjkmnp-tv-z]{26}\b")


@dataclass(frozen=True, slots=True)
class Dump:
    """`own`: rows with the platform's number. `named`: rows of the instance's tables that name one of its ids."""

    own: Rows
    named: Rows

    @property
    def ids(self) -> set[str]:
        """All ids in the rows with the platform's number."""
        return ids_in(repr(self.own))

    def changes_to(self, later: "Dump") -> list[str]:
        """Rows that came, went or changed; of rows that only name the platform, those that went or changed: anybody
        may write to a person's address."""
        before, after = _lines(self.own), _lines(later.own)
        gone = _lines(self.named) - _lines(later.named)
        return [f"- {line}" for line in sorted((before - after) | gone)] + [f"+ {x}" for x in sorted(after - before)]


def ids_in(text: str) -> set[str]:
    return set(_ID.findall(text))


async def dump(database: Database, platform_no: int, *, names: Iterable[str] = ()) -> Dump:
    """All rows with the platform's number, and all other rows that contain one of the names."""
    known = tuple(names)
    async with database.read() as tx:
        rows = {table.name: await tx.all(_of_platform(table, platform_no)) for table in metadata.tables.values()}
    told = {name: [dict(row._mapping) for row in found] for name, found in rows.items()}
    return Dump(
        own={name: found for name, found in told.items() if _has_platform(name)},
        named={
            name: [row for row in found if any(one in repr(row) for one in known)]
            for name, found in told.items()
            if not _has_platform(name)
        },
    )


def _of_platform(table: sa.Table, platform_no: int) -> sa.Select[Any]:
    every = sa.select(table)
    if table.name == "platforms":
        return every.where(table.c.no == platform_no)
    return every.where(table.c[TENANT] == platform_no) if _has_platform(table.name) else every


def _has_platform(table: str) -> bool:
    return table == "platforms" or TENANT in metadata.tables[table].c


def of_project(whole: Dump, project: Project, mode: str) -> Dump:
    """The rows of one project and mode: those that say so, what its customers used, and the rows that refer to them."""
    said = {"project_id": project.id, "project_no": project.no}
    mine = {name: [row for row in rows if _says(row, said, mode)] for name, rows in whole.own.items()}
    numbers = {row["no"] for row in mine["customers"]}
    known = {row["id"] for rows in mine.values() for row in rows if "id" in row}
    for name, rows in whole.own.items():
        if "mode" not in metadata.tables[name].c:
            mine[name] = [
                row for row in rows if row.get("customer_no") in numbers or known.intersection(map(str, row.values()))
            ]
    return Dump(own={name: rows for name, rows in mine.items() if name not in _OF_THE_PLATFORM}, named={})


# They tell of a project's rows, and what others do in the same platform is told in them too.
_OF_THE_PLATFORM = ("audit_entries", "audit_fields", "jobs", "idempotency_keys", "sequences")


def _says(row: Row, said: Row, mode: str) -> bool:
    return row.get("mode") == mode and any(row.get(name) == value for name, value in said.items())


def _lines(rows: Rows) -> set[str]:
    return {f"{table}: {row!r}" for table, found in rows.items() for row in found}


def files(data: Path) -> dict[str, str]:
    """The digest of every stored file."""
    stored = sorted(path for path in (data / "objects").rglob("*") if path.is_file())
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in stored}


def newest_of_each_kind(ids: Iterable[str], *, without: Sequence[str] = ()) -> list[str]:
    """One id for each prefix."""
    return list({one.partition("_")[0]: one for one in sorted(set(ids).difference(without))}.values())

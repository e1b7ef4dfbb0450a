"""Every statement that the code can build: it names its tenant, joins stay within a platform, and directories are
written by the listed functions only.

`make statements` runs this without a database, as a part of `make check`; all other tests check what they execute.
"""

import importlib
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import TextClause, UniqueConstraint
from sqlalchemy.sql.dml import UpdateBase

import dream_api
from dream_api.core.db import Statement
from dream_api.schema import metadata
from tests.support.cross_tenant_statements import CROSS_TENANT, EVERY_TABLE, PREPARED
from tests.support.directory_writes import DIRECTORY_WRITES
from tests.support.statement_builder import Built, build, modules, unreached
from tests.support.tenant_filters import is_tenant_table, unnamed_tables
from tests.support.tenant_statements import tenant_tables

# Statements that only tests execute, where each is checked too: made-up arguments do not get so far.
NOT_BUILT = {
    "core.expiry:_delete_some": "rules of what expires, each with a table of its own; across tenants",
    "identity.one_time_links:find_link": "needs a link with a valid checksum; of a directory",
    "identity.one_time_links:use_link": "the same",
    "identity.totp:_accept": "needs a secret that opens with the instance key; of a directory",
    "identity.totp:confirm_totp": "the same",
    "identity.totp:enroll_totp": "the same",
    "operations.sealed_values:_sealed_rows": "columns with encrypted values, of any table; across tenants",
    "operations.sealed_values:clear": "the same",
    "platforms.test_clock:move_to": "needs a moment that the clock may be moved to",
    "retention.purge:_delete": "rows of a project or platform, of any table, by `ownership`",
    "usage.admission_queries:add_hours": "a prepared statement, checked where it is defined",
    "webhooks.outbox:record_events": "a prepared statement, checked where it is defined",
}
# Prepared statements stand for the functions that fetch them.
_PREPARED = {"usage.reservation_queries:get_overdue": PREPARED["usage.reservation_queries:_OVERDUE"].tables}
_PLANTED = """
from sqlalchemy import delete, insert, select
from dream_api.catalog.tables import prices, tiers
from dream_api.keys.tables import key_hashes

async def named(tx, platform_no: int):
    return await tx.all(select(tiers).where(tiers.c.platform_no == platform_no))

async def unnamed(tx, tier_id: str):
    return await tx.all(select(tiers).where(tiers.c.id == tier_id))

async def unnamed_for_one_choice(tx, platform_no: int | None):
    query = select(tiers)
    return await tx.all(query if platform_no is None else query.where(tiers.c.platform_no == platform_no))

async def apart(tx, platform_no: int):
    joined = tiers.join(prices, prices.c.tier_id == tiers.c.id)
    return await tx.all(select(tiers).select_from(joined).where(tiers.c.platform_no == platform_no))

async def changed(tx, tier_id: str):
    await tx.execute(delete(tiers).where(tiers.c.id == tier_id))

async def written(tx, platform_no: int, hashed: bytes):
    await tx.execute(insert(key_hashes).values(hash=hashed, platform_no=platform_no, key_id="key_1"))

async def never_reached(tx, platform_no: int):
    if platform_no == 123_456_789:
        await tx.all(select(tiers))
"""


@pytest.fixture(scope="module")
def built() -> list[Built]:
    return build(modules())


def clause_of(one: Built) -> object:
    return one.clause.clause if isinstance(one.clause, Statement) else one.clause


def violations(built: Iterable[Built]) -> set[str]:
    """Functions with a statement that leaves a tenant unnamed, and the tables."""
    found: set[str] = set()
    for one in built:
        listed, clause = CROSS_TENANT.get(one.function), clause_of(one)
        known = listed.tables if listed else _PREPARED.get(one.function, ())
        if known == EVERY_TABLE:
            continue
        if isinstance(clause, TextClause):
            unnamed = {name for name in tenant_tables() if name in clause.text}
        else:
            unnamed = unnamed_tables(clause, known)  # pyright: ignore[reportArgumentType]
        found |= {f"{one.function} {name}" for name in unnamed}
    return found


def directory_writes(built: Iterable[Built]) -> dict[str, set[str]]:
    """The functions that write each table which is not a tenant table."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one in built:
        clause = clause_of(one)
        if isinstance(clause, UpdateBase) and not is_owned(clause.table.name):  # pyright: ignore
            found[clause.table.name].add(one.function)  # pyright: ignore
    return dict(found)


def is_owned(table: str) -> bool:
    """Whether it is a tenant table, not a directory."""
    found = metadata.tables[table]
    return is_tenant_table(found) and found.info["scope"] != "directory"


def test_every_statement_names_its_tenant(built: list[Built]) -> None:
    assert violations(built) == set(), "Name the tenant, or list the function with a reason."


def test_every_place_that_executes_a_statement_is_reached(built: list[Built]) -> None:
    assert unreached(modules(), built) == NOT_BUILT.keys()


def test_directories_are_written_by_the_listed_functions_only(built: list[Built]) -> None:
    assert directory_writes(built) == {name: set(one.functions) for name, one in DIRECTORY_WRITES.items()}


def test_planted_violations_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = _plant(tmp_path, monkeypatch)
    built = build([planted])

    assert violations(built) == {
        "planted:unnamed tiers",
        "planted:unnamed_for_one_choice tiers",
        "planted:apart prices",
        "planted:changed tiers",
    }
    assert directory_writes(built) == {"key_hashes": {"planted:written"}}
    assert unreached([planted], built) == {"planted:never_reached"}


def _plant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    (folder / "planted.py").write_text(_PLANTED)
    monkeypatch.setattr(dream_api, "__path__", [*dream_api.__path__, str(folder)])
    planted = importlib.import_module("dream_api.planted")
    monkeypatch.delitem(sys.modules, "dream_api.planted")
    return planted


def test_tenant_tables_begin_with_the_platform_and_directories_do_not_point_into_them() -> None:
    """As a distributed database needs them."""
    for table in metadata.tables.values():
        into_tenants = [one for one in table.foreign_key_constraints if is_owned(one.referred_table.name)]
        if not is_owned(table.name):
            assert into_tenants == [], table.name
            continue
        unique = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
        for key in [table.primary_key, *unique, *into_tenants]:
            assert next(iter(key.columns)).name == "platform_no", (table.name, key.name)

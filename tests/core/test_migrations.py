"""Migrations bring every database to the schema that the tables describe, and reject foreign databases."""

import asyncio
import multiprocessing
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, inspect, text

from dream_api import catalog
from dream_api.app import bootstrap, integrity_checks, open_database
from dream_api.core.db import FILE_NAME, Database, ForeignSchema
from dream_api.core.db.migrations import config, current_revision
from dream_api.core.db.sqlite import connect
from dream_api.core.integrity import run_check
from dream_api.core.settings import Settings
from dream_api.migrations import FOLDER, head_revision, migrate
from dream_api.schema import metadata
from dream_api.usage import Window

pytestmark = pytest.mark.both

# The tables in which the metered call writes are their own primary key's index.
WITHOUT_ROWID = {"meters", "usage_counters", "usage_hours", "usage_events", "usage_subjects", "reservations"} | {
    "usage_totals",
    "usage_rolled",
    "usage_late",
}


async def _do(database: Database, *statements: str) -> None:
    async with database.write() as tx:
        for statement in statements:
            await tx.execute(text(statement))


async def _look(database: Database, look: Any) -> Any:
    async with database.read() as tx:
        return await tx.connection.run_sync(look)


async def test_a_migrated_database_differs_in_nothing_from_the_tables(fresh: Database) -> None:
    assert await migrate(fresh) is True

    assert await _look(fresh, _differences) == []
    assert await _look(fresh, _checks_and_keys) == _expected_checks_and_keys()


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return compare_metadata(context, metadata)


def _checks_and_keys(connection: Connection) -> dict[str, tuple[set[str], list[str]]]:
    """What Alembic does not compare: each table's check constraints and its primary key, in its order."""
    found = inspect(connection)
    return {
        name: (
            {str(check["name"]) for check in found.get_check_constraints(name)},
            found.get_pk_constraint(name)["constrained_columns"],
        )
        for name in metadata.tables
    }


def _expected_checks_and_keys() -> dict[str, tuple[set[str], list[str]]]:
    return {
        table.name: (
            {str(one.name) for one in table.constraints if isinstance(one, CheckConstraint)},
            [column.name for column in table.primary_key],
        )
        for table in metadata.sorted_tables
    }


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_on_sqlite_each_table_is_as_its_description_makes_it(fresh: Database, tmp_path: Path) -> None:
    await migrate(fresh)
    described = Database(directory=tmp_path)
    async with described.write() as tx:
        await tx.connection.run_sync(metadata.create_all)

    made, told = [await _look(one, _tables_of_sqlite) for one in (fresh, described)]
    await described.close()
    assert made == told


def _tables_of_sqlite(connection: Connection) -> dict[str, Any]:
    """Each table's columns and checks, and whether it goes without row numbers."""
    tables = connection.execute(text("SELECT name, wr FROM pragma_table_list WHERE schema = 'main'")).all()
    return {
        name: (
            wr,
            sorted(tuple(row)[1:] for row in connection.execute(text(f"PRAGMA table_info({name})"))),
            sorted((one["name"], one["sqltext"]) for one in inspect(connection).get_check_constraints(name)),
        )
        for name, wr in tables
        if name in metadata.tables
    }


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_the_tables_of_the_metered_call_have_no_row_numbers(database: Database) -> None:
    rows = await _look(
        database, lambda connection: connection.execute(text("SELECT name FROM pragma_table_list WHERE wr = 1")).all()
    )

    assert {row.name for row in rows} == WITHOUT_ROWID


@pytest.mark.parametrize("database_kind", ["postgres"])
async def test_on_postgresql_every_key_is_compared_byte_by_byte(database: Database) -> None:
    query = text(
        "SELECT table_name, column_name, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type LIKE 'character%' AND table_name <> 'alembic_version'"
    )
    found = await _look(database, lambda connection: connection.execute(query).all())

    assert found
    assert {(row.table_name, row.column_name) for row in found if row.collation_name != "C"} == set()


@pytest.mark.parametrize("database_kind", ["postgres"])
async def test_on_postgresql_each_column_is_of_the_described_type(database: Database) -> None:
    query = text(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS kind FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND c.relname <> 'alembic_version'"
    )
    rows = await _look(database, lambda connection: connection.execute(query).all())
    dialect = await _look(database, lambda connection: connection.dialect)

    described = {
        (table.name, column.name): _as_postgresql_says(column.type.compile(dialect))
        for table in metadata.sorted_tables
        for column in table.columns
    }
    assert {(row.relname, row.attname): row.kind for row in rows} == described


def _as_postgresql_says(kind: str) -> str:
    plain = kind.partition(" COLLATE")[0].lower()
    return {"varchar": "character varying"}.get(plain, plain)


def test_the_head_is_alembics_own() -> None:
    scripts = ScriptDirectory.from_config(config(FOLDER))

    assert scripts.get_heads() == [head_revision()]
    assert [script.revision for script in scripts.walk_revisions()][-1] == "0001"


async def test_an_empty_database_is_at_no_revision_and_a_migrated_one_at_the_head(fresh: Database) -> None:
    if fresh.path is None:
        assert await current_revision(fresh) is None
    await migrate(fresh)

    assert await current_revision(fresh) == head_revision()


async def test_migrating_again_does_nothing(fresh: Database) -> None:
    assert await migrate(fresh) is True
    before = await _look(fresh, _tables)

    assert await migrate(fresh) is False
    assert await _look(fresh, _tables) == before


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_a_database_of_an_unknown_release_is_refused_and_stays_as_it_is(database: Database) -> None:
    await _do(database, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(
        ForeignSchema, match=f"revision 9999, but this release only supports revisions up to {head_revision()}"
    ):
        await migrate(database)
    assert await current_revision(database) == "9999"


async def test_a_database_with_a_strangers_tables_is_refused_and_stays_as_it_is(fresh: Database) -> None:
    if fresh.path is not None:
        sqlite3.connect(fresh.path).close()
    await _do(fresh, "CREATE TABLE shopping (item TEXT)")

    with pytest.raises(ForeignSchema, match="none of them belong to dream-api"):
        await migrate(fresh)
    assert await _look(fresh, _tables) == {"shopping"}


def _prepared(settings: Settings, together: Any, told: Any) -> None:
    """In a process of its own: what a server does at its start."""

    async def work() -> None:
        database = open_database(settings)
        together.wait(20)
        try:
            await migrate(database)
            told.put(await current_revision(database))
        except BaseException as problem:
            told.put(repr(problem))
        finally:
            await database.close()

    asyncio.run(work())


@pytest.mark.parametrize("database_kind", ["postgres"])
async def test_processes_that_migrate_an_empty_postgresql_at_once_all_succeed(fresh_settings: Settings) -> None:
    processes = multiprocessing.get_context("spawn")
    together, told = processes.Barrier(2), processes.Queue()
    working = [processes.Process(target=_prepared, args=(fresh_settings, together, told)) for _ in range(2)]
    for process in working:
        process.start()
    answers = [await asyncio.to_thread(told.get, timeout=30) for _ in working]
    for process in working:
        await asyncio.to_thread(process.join)

    assert answers == [head_revision(), head_revision()]


async def test_a_new_sqlite_file_is_made_and_an_instance_begins_with_its_home(fresh_settings: Settings) -> None:
    database = open_database(fresh_settings)
    await bootstrap(database, fresh_settings)
    async with database.read() as tx:
        facts = text("SELECT name, value FROM instance ORDER BY name")
        before = await tx.all(facts)
    assert [row.name for row in before] == ["first_project_id", "home_project_id", "key_fingerprint"]
    await bootstrap(database, fresh_settings)
    async with database.read() as tx:
        assert await tx.all(facts) == before
    await database.close()
    if fresh_settings.is_embedded:
        assert (fresh_settings.data / FILE_NAME).exists()


# What the first release left behind.


async def test_what_the_first_release_counted_is_whole_in_this_one(fresh: Database) -> None:
    if fresh.path is not None:
        connect(fresh.path).close()
    async with fresh.write() as tx:
        await tx.connection.run_sync(_to_the_first_release)
    await _do(fresh, *_FIRST_RELEASE)

    await migrate(fresh)

    findings = [await run_check(fresh, check) for check in integrity_checks()]
    assert [finding.check.name for finding in findings if not finding.holds] == []
    async with fresh.read() as tx:
        level = await tx.scalar(
            text("SELECT count FROM usage_counters WHERE platform_no = 2 AND customer_no = 0 AND meter_no = 1")
        )
        kept = await tx.scalar(text('SELECT windows FROM usage_counters WHERE customer_no = 1 AND "window" = 0'))
    assert (level, kept) == (4, 1 << Window.PERIOD)


def _to_the_first_release(connection: Connection) -> None:
    command.upgrade(config(FOLDER, connection), "0001")


async def test_the_levels_of_an_earlier_release_have_prices_in_this_one(fresh: Database) -> None:
    if fresh.path is not None:
        connect(fresh.path).close()
    async with fresh.write() as tx:
        await tx.connection.run_sync(_to_the_first_release)
    tier = "INSERT INTO tiers (platform_id, id, project_id, mode, name, display_name, number, is_default, created_at,"
    levels = [
        f"{tier} updated_at) VALUES ('{platform}', 'tier_{platform}{mode}{number}', '{project}', '{mode}',"
        f" 'level-{number}', 'L', {number}, false, 1, 1)"
        for platform, project in (("plt_a", "prj_a"), ("plt_b", "prj_b"))
        for mode in ("test", "live")
        for number in (0, 1, 2, 3, 9)
    ]
    await _do(fresh, *_FIRST_RELEASE, *levels)

    await migrate(fresh)

    async with fresh.read() as tx:
        rows = await tx.all(text("SELECT * FROM prices ORDER BY tier_id"))
        levels_now = {mode: await catalog.list_levels(tx, mode) for mode in ("test", "live")}
    assert [row.tier_id for row in rows] == [f"tier_plt_a{mode}{n}" for mode in ("live", "test") for n in (1, 2, 3)]
    assert len({row.id for row in rows}) == 6
    for found in levels_now.values():
        shipped = {level.number: level.prices for level in catalog.LEVELS}
        assert {level.number: level.prices for level in found} == {**shipped, 9: ()}


_HOUR = 1_795_248_000_000_000
_MONTH = 1_793_491_200_000_000
# Platform 1 is the operator's, with home; platform 2 has a test customer, and a live one with four calls in two hours.
_FIRST_RELEASE = (
    "INSERT INTO platforms (id, no, name, created_at) VALUES ('plt_a', 1, 'Operator', 1), ('plt_b', 2, 'Alice', 1)",
    "INSERT INTO projects (platform_id, id, no, name, type, created_at)"
    " VALUES ('plt_a', 'prj_a', 1, 'home', 'saas', 1), ('plt_b', 'prj_b', 2, 'Alice', 'saas', 1)",
    "INSERT INTO instance (name, value) VALUES ('home_project_id', 'prj_a')",
    "INSERT INTO numbers (series, last) VALUES ('customers:1', 0), ('customers:2', 2)",
    "INSERT INTO meters (platform_no, meter_no, project_no, name, aggregation)"
    " VALUES (1, 1, 1, 'requests', 'sum'), (2, 1, 2, 'requests', 'sum')",
    "INSERT INTO customers (platform_id, id, no, project_id, mode, user_id, status, created_at, updated_at)"
    " VALUES ('plt_b', 'cus_1', 1, 'prj_b', 'test', 'ada', 'active', 1, 1),"
    " ('plt_b', 'cus_2', 2, 'prj_b', 'live', 'ada', 'active', 1, 1)",
    f"INSERT INTO usage_hours VALUES (2, 1, 1, {_HOUR}, {_MONTH}, 5, 1), (2, 2, 1, {_HOUR}, {_MONTH}, 7, 3),"
    f" (2, 2, 1, {_HOUR + 3_600_000_000}, {_MONTH}, 1, 1)",
    'INSERT INTO usage_counters (platform_no, customer_no, meter_no, "window", starts_at, count, announced, held)'
    f" VALUES (2, 1, 1, 0, 0, 5, 0, 0), (2, 1, 1, 4, {_MONTH}, 5, 0, 0),"
    f" (2, 2, 1, 0, 0, 8, 0, 0), (2, 2, 1, 4, {_MONTH}, 8, 0, 0)",
)

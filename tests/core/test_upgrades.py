"""Databases of every revision, with rows in every table, are upgraded without loss of data."""

import hashlib
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, select, text

from dream_api.core.db import Database, ReferencesBroken
from dream_api.core.db.migrations import config, current_revision
from dream_api.core.db.sqlite import connect
from dream_api.migrations import FOLDER, head_revision, migrate, revisions
from tests.core.revision_choice import oldest_and_newest
from tests.support.row_generator import rows_for

pytestmark = pytest.mark.both

OLD = revisions()[:-1]

# Revisions read these of the rows: the operator's project home with a level, and a live customer of another platform.
# JSON of before revision 0011, which makes it a list.
_USAGE_PRICES = '{"lasting": [], "carried": [], "carriedFor": null, "endsIt": false}'
KNOWN: dict[str, list[dict[str, Any]]] = {
    "instance": [{"name": "home_project_id", "value": "id 0"}],
    "meters": [{"name": "requests"}, {"name": "requests"}],
    # Rows without a foreign key, and those that name a platform in a text.
    "gateway_objects": [{"platform_id": "id 0"}, {"platform_id": "id 1"}],
    "sandbox_requests": [{"platform_id": "id 0"}, {"platform_id": "id 1"}],
    "idempotency_keys": [{"platform_id": "id 0"}, {"platform_id": "a user"}],
    "audit_books": [{"book": "id 0"}, {"book": "a user"}],
    "numbers": [{"series": "customers:1"}, {"series": "orders:id 0:live"}],
    "subscriptions": [{"usage_prices": _USAGE_PRICES}] * 2,
}
# Rows that a revision adds to those, and why.
ADDED = {
    "0002": {"usage_hours": 1, "usage_counters": 1},  # live calls count against the platform's level
    "0003": {"prices": 1},  # levels have prices
    "0010": {"project_ids": 2, "sequences": 2},  # projects are found by their id, and numbered on each platform
}

# What has landed is never edited: databases out there were made by it.
LANDED = {
    "0001": (None, "5fc4c05b9bbca57e233244387771ff7e81ad94989149169e9d8d88a98349e31f"),
    "0002": ("0001", "5ac25c082d346f6b43fb1c08c2c6798877aa81abb1fd706a6a663d5fce7e6b7e"),
    "0003": ("0002", "17ae31b6622e42734bac0e1fab2cf872c7efca178dbc56fd59e1a61ff56dc5c5"),
    "0004": ("0003", "91fcdfe4f8a41c6861bff51518512aa78afd5dbeaad7a65304f9471b9e4d9c8c"),
    "0005": ("0004", "8ff717c0e1e828bae97426fe27166c8f37c9a43c0e0ecd4b3fcdf7fd1460e26a"),
    "0006": ("0005", "af461d33e71ac2b14fd57b0a2b8f26fd2b7ebf46b9312008c8c0cee8baab9344"),
    "0007": ("0006", "41fb25a19f058fa6f8891f58c839318ab9873e2f7dd4f888b91662b8a02c5cbf"),
    "0008": ("0007", "54c81f92a55967504d9e3434936c84e535fbeaad5d1e2c84087900d47a5cefd9"),
    "0009": ("0008", "8e29e417332fa419d61bddb275c55e2e96346795a7224a3fd3de13b4015b772a"),
    "0010": ("0009", "905d83919a64f7ccae12b890eff5a40c4b2f03fe0a1f2f6e881dde5c4fc939c7"),
    "0011": ("0010", "72e9516a05022dfc715bbbd459d4bf03bd90335bf283636c011d2eeb25109882"),
}


def test_landed_revisions_are_frozen() -> None:
    scripts = ScriptDirectory.from_config(config(FOLDER))
    found = {
        script.revision: (script.down_revision, hashlib.sha256(Path(script.path).read_bytes()).hexdigest())
        for script in scripts.walk_revisions()
    }
    changed = sorted(revision for revision in LANDED if found.get(revision) != LANDED[revision])
    unlisted = {revision: found[revision] for revision in sorted(found.keys() - LANDED.keys())}

    assert not changed, (
        f"The revisions {changed} have landed and are frozen: databases exist that were made by them. "
        "Restore these files (git checkout), and write what you need as a new revision behind the head."
    )
    assert not unlisted, f"New revisions. Once they are final, add them to LANDED: {unlisted}"


async def _at(database: Database, revision: str) -> None:
    """Brings an empty database to the revision."""
    if database.path is not None:
        connect(database.path).close()
    async with database.write() as tx:
        await tx.connection.run_sync(lambda connection: command.upgrade(config(FOLDER, connection), revision))


class Patterns:
    """The schema of each revision, and rows for it; both are read from SQLite, and are the same on both databases."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._schemas: dict[str, MetaData] = {}

    async def schema(self, revision: str) -> MetaData:
        if revision not in self._schemas:
            self._schemas[revision] = await self._reflected(revision)
        return self._schemas[revision]

    async def _reflected(self, revision: str) -> MetaData:
        folder = self._folder / revision
        folder.mkdir()
        database, schema = Database(directory=folder), MetaData()
        await _at(database, revision)
        async with database.read() as tx:
            await tx.connection.run_sync(schema.reflect)
        await database.close()
        schema.remove(schema.tables["alembic_version"])
        return schema

    async def fill(self, database: Database, revision: str) -> MetaData:
        """Brings an empty database to the revision, with rows in every table; its schema."""
        await _at(database, revision)
        schema = await self.schema(revision)
        rows = rows_for(schema, KNOWN)
        async with database.write() as tx:
            for table in schema.sorted_tables:
                await tx.execute(table.insert(), rows[table.name])
        return schema


@pytest.fixture(scope="module")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> Patterns:
    return Patterns(tmp_path_factory.mktemp("patterns"))


Rows = list[dict[str, Any]]


async def _rows_of(database: Database, schema: MetaData) -> dict[str, Rows]:
    """Each table's rows with the columns that the schema has."""
    async with database.read() as tx:
        return {
            table.name: sorted((dict(row._mapping) for row in await tx.all(select(table))), key=repr)
            for table in schema.sorted_tables
        }


def _lost(rows: Rows, after: Rows) -> Rows:
    """The rows that are not there any more with all their columns."""
    left = list(after)
    lost: Rows = []
    for row in rows:
        found = next((one for one in left if row.items() <= one.items()), None)
        lost.append(row) if found is None else left.remove(found)
    return lost


def _by_number(filled: dict[str, Rows]) -> dict[str, Rows]:
    """The rows as revision 0010 writes them: with the number of their platform in place of its id."""
    numbers = {row["id"]: row["no"] for row in filled["platforms"]}
    renamed = {"numbers": "sequences", "audit_books": "audit_streams"}
    return {
        renamed.get(name, name): [_row_by_number(name, row, numbers) for row in rows] for name, rows in filled.items()
    }


def _with_exact_billing(filled: dict[str, Rows]) -> dict[str, Rows]:
    """The rows as revision 0011 writes them."""
    coupons = [
        {name: value for name, value in row.items() if name != "percent_off"}
        | {"basis_points": None if row["percent_off"] is None else 100 * row["percent_off"]}
        for row in filled.get("coupons", [])
    ]
    subscriptions = [row | {"usage_prices": "[]"} for row in filled.get("subscriptions", [])]
    return filled | {
        name: rows for name, rows in (("coupons", coupons), ("subscriptions", subscriptions)) if name in filled
    }


def _row_by_number(table: str, row: dict[str, Any], numbers: dict[str, int]) -> dict[str, Any]:
    if table == "numbers":
        of_customers = {"platform_no": 1, "series": "customers"}
        return row | (of_customers if row["series"] == "customers:1" else {"platform_no": numbers["id 0"]})
    if "book" in row:
        book = row["book"]
        stream = {"platform_no": numbers.get(book, 0), "user_id": "" if book in numbers else book}
        name = {"name": book} if table == "audit_books" else {}
        return {**{column: value for column, value in row.items() if column != "book"}, **stream, **name}
    if "platform_id" not in row:
        return row
    unknown = 0 if table == "idempotency_keys" else None
    others = {column: value for column, value in row.items() if column != "platform_id"}
    return {**others, "platform_no": numbers.get(row["platform_id"], unknown)}


async def _schema_of(database: Database) -> Any:
    """The whole schema, as the database itself describes it."""
    async with database.read() as tx:
        if database.is_sqlite:
            rows = await tx.all(text("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"))
            columns = "SELECT t.name, c.cid, c.name FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c"
            ordered = await tx.all(text(f"{columns} WHERE t.schema = 'main' ORDER BY 1, 2"))
            # The constraints of a table that was replaced stand in any order.
            return [[*row[:3], sorted(_lines(row[3]))] for row in rows], [tuple(row) for row in ordered]
        return [[tuple(row) for row in await tx.all(text(query))] for query in _POSTGRESQL_SCHEMA]


def _lines(statement: str | None) -> list[str]:
    return [line.strip().rstrip(",") for line in (statement or "").splitlines()]


_POSTGRESQL_SCHEMA = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name"
    " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
)


@pytest.mark.parametrize("revision", oldest_and_newest(revisions()))
async def test_a_filled_database_is_upgraded_with_nothing_lost(
    fresh: Database, database: Database, revision: str, patterns: Patterns
) -> None:
    schema = await patterns.fill(fresh, revision)
    filled = await _rows_of(fresh, schema)
    assert {name for name, rows in filled.items() if len(rows) < 2} == set()
    before = _by_number(filled) if revision < "0010" else filled
    if revision < "0011":
        before = _with_exact_billing(before)

    assert await migrate(fresh) is (revision != head_revision())

    assert await current_revision(fresh) == head_revision()
    assert await _schema_of(fresh) == await _schema_of(database)
    after = await _rows_of(fresh, await patterns.schema(head_revision()))
    assert {name: lost for name, rows in before.items() if (lost := _lost(rows, after[name]))} == {}
    grown = {name: len(rows) - len(before.get(name, ())) for name, rows in after.items()}
    assert {name: count for name, count in grown.items() if count} == _added_since(revision)
    await _has_no_broken_reference(fresh)


def _added_since(revision: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for later, added in ADDED.items():
        if later > revision:
            found.update(added)
    return dict(found)


async def _has_no_broken_reference(database: Database) -> None:
    if database.is_sqlite:
        async with database.write() as tx:
            assert await tx.scalar(text("PRAGMA foreign_keys")) == 1
            assert await tx.all(text("PRAGMA foreign_key_check")) == []


@pytest.mark.parametrize("revision", oldest_and_newest(OLD))
async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(
    fresh: Database, revision: str, patterns: Patterns
) -> None:
    """A table stands in its way of a name that the last revision creates itself."""
    schema = await patterns.fill(fresh, revision)
    async with fresh.write() as tx:
        await tx.execute(text("CREATE TABLE usage_segments (id INTEGER)"))
    before = (await _schema_of(fresh), await _rows_of(fresh, schema))

    with pytest.raises(Exception, match="usage_segments"):
        await migrate(fresh)

    assert await current_revision(fresh) == revision
    assert (await _schema_of(fresh), await _rows_of(fresh, schema)) == before
    async with fresh.write() as tx:
        await tx.execute(text("DROP TABLE usage_segments"))
    assert await migrate(fresh) is True


async def test_segments_begin_with_the_period_in_which_the_database_is_upgraded(
    fresh: Database, patterns: Patterns
) -> None:
    """What was sold until a change of plan ends with the period, and what is tried for nothing has no segment."""
    schema = await patterns.fill(fresh, "0010")
    names = ", ".join(f'"{column.name}"' for column in schema.tables["prices"].columns if column.name != "id")
    usage = "type = 'usage', meter = id, \"interval\" = 'month', billing_scheme = 'per_unit'"
    stored = '{"lasting": ["id 0"], "carried": ["carried"], "carriedFor": 100, "endsIt": false}'
    changed = "UPDATE subscriptions SET usage_prices = :prices, period_starts_at = 100, period_ends_at = 200, status = "
    async with fresh.write() as tx:
        copied = f"INSERT INTO prices (id, {names}) SELECT 'carried', {names} FROM prices WHERE id = 'id 0'"
        await tx.execute(text(copied))
        await tx.execute(text(f"UPDATE prices SET {usage}, unit_amount = 1, tiers = NULL"))
        for subscription_id, status in (("id 0", "active"), ("id 1", "trialing")):
            await tx.execute(text(f"{changed}'{status}' WHERE id = '{subscription_id}'"), {"prices": stored})

    await migrate(fresh)

    async with fresh.read() as tx:
        segments = await tx.all(text("SELECT * FROM usage_segments ORDER BY meter, number"))
        prices = [row.usage_prices for row in await tx.all(text("SELECT usage_prices FROM subscriptions"))]
    assert [(row.meter, row.number, row.period_starts_at, row.price_id) for row in segments] == [
        ("carried", 1, 100, "carried"),
        ("carried", 2, 200, None),
        ("id 0", 1, 100, "id 0"),
    ]
    assert {(row.subscription_id, row.starts_at_quantity) for row in segments} == {("id 0", 0)}
    assert prices == ['["id 0"]'] * 2


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("revision", oldest_and_newest(OLD))
async def test_a_database_with_broken_references_is_not_upgraded(
    fresh: Database, revision: str, patterns: Patterns
) -> None:
    schema = await patterns.fill(fresh, revision)
    assert fresh.path is not None
    for statement in ("DELETE FROM projects", "DELETE FROM keys"):
        with sqlite3.connect(fresh.path) as other:  # where foreign keys are off by default
            other.execute(statement)
        other.close()
    before = (await _schema_of(fresh), await _rows_of(fresh, schema))

    with pytest.raises(ReferencesBroken, match=r"rows refer to rows that do not exist \(\w+ to \w+, "):
        await migrate(fresh)

    assert await current_revision(fresh) == revision
    assert (await _schema_of(fresh), await _rows_of(fresh, schema)) == before


def test_the_rows_are_of_every_table_and_refer_to_one_another(tmp_path: Path) -> None:
    """What the tests above rest on."""
    with sqlite3.connect(tmp_path / "any.db") as database:
        database.execute("CREATE TABLE parents (a TEXT, b TEXT, PRIMARY KEY (a, b))")
        database.execute(
            "CREATE TABLE children (a TEXT, b TEXT, state TEXT NOT NULL, ended INTEGER, FOREIGN KEY (a, b) REFERENCES"
            " parents (a, b), CHECK (state IN ('open', 'ended')), CHECK ((state = 'ended') = (ended IS NOT NULL)))"
        )
    database.close()
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{tmp_path / 'any.db'}")
    schema = MetaData()
    schema.reflect(engine)
    engine.dispose()

    assert rows_for(schema, {"parents": [{"b": "known"}]}) == {
        "parents": [{"a": "a 0", "b": "known"}, {"a": "a 1", "b": "b 1"}],
        "children": [
            {"a": "a 0", "b": "known", "state": "ended", "ended": 1},
            {"a": "a 1", "b": "b 1", "state": "ended", "ended": 2},
        ],
    }

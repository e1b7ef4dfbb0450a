"""The check of executed statements: what it hears of, whom it holds responsible, and the list of exceptions."""

import ast
import contextlib
import importlib
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import dream_api
from dream_api.core.db import Database, Statement, Tx
from dream_api.keys import queries as key_queries
from dream_api.keys.tables import keys
from tests.support.cross_tenant_statements import CROSS_TENANT, EVERY_TABLE, PREPARED
from tests.support.tenant_filters import unnamed_tables
from tests.support.tenant_report import USED, UnusedEntries, check, report_violations
from tests.support.tenant_statements import TenantCheck, prepared_statements, tenant_tables

pytestmark = pytest.mark.both

SOURCE = Path(dream_api.__file__).parent
ALL_KEYS = sa.select(keys)
HER_KEYS = sa.select(keys).where(keys.c.platform_no == 7)
_PLANTED = """
async def get_all(tx, clause):
    return await tx.all(clause)

async def by_hash(tx, clause):
    return await tx.all(clause)

async def swallow(tx, clause):
    try:
        await tx.all(clause)
    finally:
        return []
"""


def planted(name: str, module: str = "dream_api.planted") -> Callable[[Tx, Any], Awaitable[Any]]:
    """A function as if it stood in our code."""
    namespace: dict[str, Any] = {"__name__": module}
    exec(compile(_PLANTED, "planted.py", "exec"), namespace)
    return namespace[name]


async def violations(database: Database, clause: Any, name: str = "get_all", module: str = "dream_api.planted") -> str:
    async with database.read() as tx:
        await planted(name, module)(tx, clause)
    return "\n".join(check.take_violations())


async def test_the_function_that_executes_a_statement_without_a_tenant_is_named(database: Database) -> None:
    found = await violations(database, ALL_KEYS)

    assert found.startswith("planted:get_all uses keys without naming the tenant: SELECT keys.platform_no, ")
    assert await violations(database, HER_KEYS) == ""


async def test_the_same_statement_is_found_every_time(database: Database) -> None:
    first = await violations(database, ALL_KEYS)

    assert first == await violations(database, ALL_KEYS) != ""


async def test_a_test_may_execute_what_it_likes(database: Database) -> None:
    async with database.read() as tx:
        await tx.all(ALL_KEYS)

    assert check.take_violations() == []
    assert await violations(database, ALL_KEYS, module="tests.planted") == ""


async def test_hand_written_sql_has_no_business_with_tenant_tables(database: Database) -> None:
    hers = sa.text("SELECT id FROM keys WHERE platform_no = 7")

    assert (await violations(database, hers)).startswith("planted:get_all uses keys")
    assert await violations(database, sa.text("SELECT id FROM users")) == ""


async def test_what_becomes_of_the_error_does_not_matter(database: Database) -> None:
    phase = report_violations()
    next(phase)
    async with database.read() as tx:
        await planted("swallow")(tx, ALL_KEYS)

    with pytest.raises(pytest.fail.Exception, match="planted:swallow uses keys"):
        phase.send(None)


async def test_a_test_that_fails_by_itself_says_it_too(database: Database) -> None:
    phase = report_violations()
    next(phase)
    async with database.read() as tx:
        await planted("get_all")(tx, ALL_KEYS)

    with pytest.raises(ValueError, match="its own") as caught:
        phase.throw(ValueError("its own"))
    assert "planted:get_all uses keys" in caught.value.__notes__[0]


def test_a_phase_without_violations_passes() -> None:
    phase = report_violations()
    next(phase)

    with pytest.raises(StopIteration):
        phase.send(None)


async def test_a_listed_function_may_leave_its_own_tables_unnamed_and_no_others(database: Database) -> None:
    """`by_hash` finds a key by the directory of hashes."""
    async with database.read() as tx:
        assert await key_queries.by_hash(tx, bytes(32)) is None

    assert check.take_violations() == []
    assert "keys.queries:by_hash uses keys" in await violations(
        database, ALL_KEYS, name="by_hash", module="dream_api.keys.queries"
    )


async def test_other_processes_report_by_a_file(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.touch()
    other, ours = TenantCheck(path), TenantCheck()
    other.listen()
    with contextlib.closing(other):
        text = await violations(database, ALL_KEYS)
        async with database.read() as tx:
            await key_queries.by_hash(tx, bytes(32))

    ours.read(path)

    assert (other.take_violations(), ours.take_violations()) == ([], [text])
    assert ours.used == {"keys.queries:by_hash"}
    ours.read(path)
    assert ours.take_violations() == []


# Prepared statements, which run on the drivers themselves.


def test_every_prepared_statement_names_its_tenant() -> None:
    found = {name: unnamed_tables(statement.clause) for name, statement in prepared_statements().items()}

    assert {name: tables for name, tables in found.items() if tables} == {
        name: set(entry.tables) for name, entry in PREPARED.items()
    }


def test_prepared_statements_are_defined_by_modules_where_they_are_found() -> None:
    calls = [
        node
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == Statement.__name__
        # That one derives a statement for a distributed database from any other.
        if path != SOURCE / "core/db/statements.py"
    ]

    assert len(calls) == len(prepared_statements()) > 20


def test_only_the_database_layer_uses_the_drivers() -> None:
    """Whoever else does would not be heard."""
    allowed = {SOURCE / "core/db" / name for name in ("sqlite.py", "postgresql.py", "files.py", "migrations.py")}
    words = ("exec_driver_sql", "sqlite3.connect", "asyncpg.connect", "create_async_engine", "create_engine")

    assert [str(path) for path in SOURCE.rglob("*.py") if path not in allowed and _says(path, words)] == []


def _says(path: Path, words: tuple[str, ...]) -> bool:
    text = path.read_text()
    return any(word in text for word in words)


# The list.


def test_every_entry_names_a_function_and_tables_that_there_are() -> None:
    for name, entry in CROSS_TENANT.items():
        module, _, attribute = name.partition(":")
        target = getattr(importlib.import_module(f"dream_api.{module}"), attribute)
        assert inspect.isfunction(target), name
        assert entry.tables == EVERY_TABLE or set(entry.tables) <= tenant_tables(), name
        assert entry.reason.strip(), name


def _report(*used: str) -> pytest.TestReport:
    properties = [(USED, list(used))] if used else []
    return pytest.TestReport(
        "tests/x.py::test", ("x.py", 1, "test"), {}, "passed", None, "call", user_properties=properties
    )


def test_entries_that_no_test_of_the_whole_suite_needs_are_reported() -> None:
    whole, some = UnusedEntries(is_complete=True), UnusedEntries(is_complete=False)
    first, *others = sorted(CROSS_TENANT)

    for run in (whole, some):
        run.pytest_runtest_logreport(_report())
        run.pytest_runtest_logreport(_report(first))

    assert (whole.unused(), some.unused()) == (others, [])

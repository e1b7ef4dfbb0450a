"""A fresh database of each kind for every test that requests one: `database` runs it on SQLite and on PostgreSQL."""

import contextlib
import shutil
import sqlite3
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

import dream_api.schema  # noqa: F401  (every room's tables join the metadata)
from dream_api.core.db import FILE_NAME, Database
from dream_api.core.settings import Settings
from dream_api.migrations import migrate
from tests.support.instance import INSTANCE_KEY_HEX, Cast, open_cast, write_instance_key
from tests.support.postgres import Postgres, execute, run_aside

KINDS = ("sqlite", "postgres")
_TEMPLATE = "migrated"
_server = pytest.StashKey[Postgres]()

# One PostgreSQL for the whole run. Under xdist it belongs to the process that hands out the tests;
# otherwise it starts with the first test that needs it.


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    if node.config.getoption("--only-database") != "sqlite":
        node.workerinput["postgres_url"] = _started(node.config).url("{}")


def pytest_unconfigure(config: pytest.Config) -> None:
    server = config.stash.get(_server, None)
    if server is not None:
        server.stop()


def _started(config: pytest.Config) -> Postgres:
    if _server not in config.stash:
        server = Postgres()
        server.start()
        config.stash[_server] = server
    return config.stash[_server]


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> str:
    """The run's PostgreSQL, with `{}` where the database's name stands."""
    shared: dict[str, str] | None = getattr(pytestconfig, "workerinput", None)
    return _started(pytestconfig).url("{}") if shared is None else shared["postgres_url"]


# A database is migrated once, and copied for each test; for the tests that ask for the instance, with the cast in it.


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("migrated")
    run_aside(_migrate(Database(directory=directory)))
    return _one_file(directory)


@pytest.fixture(scope="session")
def furnished_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cast]:
    directory = tmp_path_factory.mktemp("furnished")
    cast = run_aside(open_cast(Settings(data=directory, instance_key=SecretStr(INSTANCE_KEY_HEX))))
    return _one_file(directory), cast


def _one_file(directory: Path) -> Path:
    with contextlib.closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return directory / FILE_NAME


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> str:
    """The first of the processes that share the server makes it, the others wait for it."""

    async def make() -> None:
        unfinished = _TEMPLATE + "_unfinished"
        admin = await asyncpg.connect(postgres_url.format("postgres"), ssl=False)
        try:
            await admin.execute("SELECT pg_advisory_lock(1)")
            if not await admin.fetchval("SELECT true FROM pg_database WHERE datname = $1", _TEMPLATE):
                await admin.execute(f"DROP DATABASE IF EXISTS {unfinished}")
                await admin.execute(f"CREATE DATABASE {unfinished}")
                await _migrate(Database(url=postgres_url.format(unfinished)))
                await admin.execute(f"ALTER DATABASE {unfinished} RENAME TO {_TEMPLATE}")
        finally:
            await admin.close()

    run_aside(make())
    return _TEMPLATE


@pytest.fixture(scope="session")
def furnished_template(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Cast]:
    """Each process has its own, whose cast it knows."""
    name = f"furnished_{uuid.uuid4().hex}"
    execute(postgres_url.format("postgres"), f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    data = tmp_path_factory.mktemp("furnished")
    write_instance_key(data)
    settings = Settings(data=data, database_url=postgres_url.format(name))
    return name, run_aside(open_cast(settings))


async def _migrate(database: Database) -> None:
    try:
        await migrate(database)
    finally:
        await database.close()


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def cast(database_kind: str, request: pytest.FixtureRequest) -> Cast | None:
    """Who is in the test's database from the beginning."""
    if "instance" not in request.fixturenames:
        return None
    return request.getfixturevalue("furnished_file" if database_kind == "sqlite" else "furnished_template")[1]


@pytest.fixture
def database_settings(
    database_kind: str, cast: Cast | None, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Settings]:
    """Settings of an instance with a key and a fresh, migrated database, for an app or server that a test starts.

    Tests call in bursts from one address, so open requests are limited only where a test says so.
    """
    data = tmp_path / "data"
    settings = Settings(data=data, open_rate=0)
    write_instance_key(data)
    if database_kind == "sqlite":
        made = (
            request.getfixturevalue("migrated_file") if cast is None else request.getfixturevalue("furnished_file")[0]
        )
        shutil.copyfile(made, data / FILE_NAME)
        yield settings
        return
    template = request.getfixturevalue("migrated_template")
    if cast is not None:
        template = request.getfixturevalue("furnished_template")[0]
    with fresh_postgres(request.getfixturevalue("postgres_url"), template) as url:
        yield Settings(data=data, database_url=url, open_rate=0)


@contextlib.contextmanager
def fresh_postgres(server: str, template: str) -> Iterator[str]:
    """The URL of a copy of the template; `server` has `{}` where a database's name stands."""
    name = f"test_{uuid.uuid4().hex}"
    execute(server.format("postgres"), f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield server.format(name)
    execute(server.format("postgres"), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
async def database(database_settings: Settings) -> AsyncIterator[Database]:
    """An open, migrated database that nobody else uses."""
    if database_settings.database_url is None:
        opened = Database(directory=database_settings.data)
    else:
        opened = Database(url=database_settings.database_url)
    yield opened
    await opened.close()

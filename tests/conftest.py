"""What every test has: a closed network, a clock that is put right, and a fresh database of each kind.

`database` runs a test on SQLite and on PostgreSQL; `--only-database sqlite` (or `postgres`) leaves the other
out.
"""

import contextlib
import ipaddress
import os
import shutil
import socket
import sqlite3
import sys
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import pytest
import structlog

import dream_api.schema  # noqa: F401  (every room's tables join the metadata)
from dream_api.core import clock as the_clock
from dream_api.core.db import FILE_NAME, Database
from dream_api.core.db.migrating import migrate
from dream_api.core.settings import Settings
from tests.support.postgres import Postgres, execute, run_aside

pytest_plugins = ["tests.support.house"]

KINDS = ("sqlite", "postgres")
_TEMPLATE = "migrated"
_server = pytest.StashKey[Postgres]()


# Tracebacks with every local variable take seconds to draw.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--only-database", choices=KINDS, help="run tests that use a database on this one only")


def pytest_configure(config: pytest.Config) -> None:
    for name in [name for name in os.environ if name.startswith("DREAM_")]:
        del os.environ[name]  # the settings of whoever runs the tests are not the tests' settings
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(RoomTimes())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    only = config.getoption("--only-database")
    if only is not None:
        others = [item for item in items if _kind_of(item) not in (None, only)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if _kind_of(item) in (None, only)]


def _kind_of(item: pytest.Item) -> str | None:
    called = getattr(item, "callspec", None)
    return None if called is None else called.params.get("database_kind")


class RoomTimes:
    """Says at the end how long the tests of each room took: a slow one is seen when it becomes slow."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.tests: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        folders = report.nodeid.partition("::")[0].split("/")[1:-1]
        room = folders[0] if folders else "."
        self.seconds[room] += report.duration
        self.tests[room] += report.when == "call"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("seconds of each room")
        for room, seconds in self.seconds.most_common():
            terminalreporter.write_line(f"{seconds:8.2f} s  {self.tests[room]:5} tests  {room}")
        if self.seconds:
            terminalreporter.write_line(f"{self.seconds.total():8.2f} s  {self.tests.total():5} tests  together")


# The network is closed. (An audit hook stays until the process ends, and sees every socket of Python's own;
# those that uvloop opens by itself are out of its sight.)


class NetworkClosed(RuntimeError):
    """A test tried to reach another machine."""


@pytest.fixture(autouse=True, scope="session")
def _closed_network() -> None:
    sys.addaudithook(_refuse_other_machines)


def _refuse_other_machines(event: str, args: tuple[Any, ...]) -> None:
    if event not in ("socket.connect", "socket.sendto"):
        return
    one, address = args
    if one.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
        raise NetworkClosed(f"Tests reach this machine only, not {address[0]} port {address[1]}.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True)
def clock() -> Iterator[ModuleType]:
    """The product's clock, which a test may move; back to the machine's time after each test."""
    yield the_clock
    the_clock.reset()


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


# A database is migrated once, and copied for each test.


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("migrated")
    run_aside(_migrate(Database(directory=directory)))
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


async def _migrate(database: Database) -> None:
    try:
        await migrate(database)
    finally:
        await database.close()


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def database_settings(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings whose database is fresh and migrated, for an app or a server that a test starts itself.

    Tests call in bursts from one address, so open requests are limited only where a test says so.
    """
    data = tmp_path / "data"
    data.mkdir()
    if database_kind == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated_file"), data / FILE_NAME)
        yield Settings(data=data, open_rate=0)
        return
    template = request.getfixturevalue("migrated_template")
    url: str = request.getfixturevalue("postgres_url")
    name = f"test_{uuid.uuid4().hex}"
    execute(url.format("postgres"), f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield Settings(data=data, database_url=url.format(name), open_rate=0)
    execute(url.format("postgres"), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
async def database(database_settings: Settings) -> AsyncIterator[Database]:
    """An open, migrated database that nobody else uses."""
    if database_settings.database_url is None:
        opened = Database(directory=database_settings.data)
    else:
        opened = Database(url=database_settings.database_url)
    yield opened
    await opened.close()

"""Databases whose commits wait for the disk, as an operator's do, and servers on them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dream_api.core.settings import Settings
from tests.support.load import Served, found
from tests.support.postgres import Postgres
from tests.support.small_disk import Disk, small_disk


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[Postgres]:
    with Postgres(durable=True) as postgres:
        yield postgres


@pytest.fixture
def durable_settings(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an instance that does not exist yet."""
    if database_kind == "sqlite":
        yield Settings(data=tmp_path / "data")
        return
    postgres: Postgres = request.getfixturevalue("durable_postgres")
    url = postgres.create(tmp_path.name)
    yield Settings(data=tmp_path / "data", database_url=url)
    postgres.drop(tmp_path.name)


@pytest.fixture
async def served(durable_settings: Settings) -> AsyncIterator[Served]:
    """A running server with Alice's project."""
    served = Served(durable_settings, await found(durable_settings))
    served.start()
    yield served
    served.stop()


@pytest.fixture
def disk() -> Iterator[Disk]:
    with small_disk() as disk:
        yield disk

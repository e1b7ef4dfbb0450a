"""Fixtures: an empty database of each kind."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dream_api.app import open_database
from dream_api.core.db import Database
from dream_api.core.settings import Settings
from tests.support.postgres import execute


@pytest.fixture
def fresh_settings(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings whose database is empty."""
    data = tmp_path / "fresh"
    data.mkdir()
    if database_kind == "sqlite":
        yield Settings(data=data)
        return
    url: str = request.getfixturevalue("postgres_url")
    name = f"fresh_{uuid.uuid4().hex}"
    execute(url.format("postgres"), f"CREATE DATABASE {name}")
    yield Settings(data=data, database_url=url.format(name))
    execute(url.format("postgres"), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def fresh(fresh_settings: Settings) -> AsyncIterator[Database]:
    database = open_database(fresh_settings)
    yield database
    await database.close()

"""A database file that is damaged while an instance uses it."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from dream_api.core.db import FILE_NAME
from dream_api.core.db.sqlite import PAGE_BYTES
from dream_api.core.settings import Settings
from tests.cli.terminal import Terminal
from tests.support.instance import Account, Cast, write_instance_key
from tests.support.server import Server

pytestmark = pytest.mark.slow


def damage(file: Path, *names: str) -> None:
    """Overwrite the first page of these tables and indexes, as a failing disk does."""
    with sqlite3.connect(file) as database:
        asked = f"SELECT rootpage FROM sqlite_schema WHERE name IN ({', '.join('?' * len(names))})"
        pages = [page for (page,) in database.execute(asked, names)]
    database.close()
    assert len(pages) == len(names)
    with file.open("r+b") as raw:
        for page in pages:
            raw.seek((page - 1) * PAGE_BYTES)
            raw.write(os.urandom(PAGE_BYTES))


@pytest.fixture
def settings(furnished_file: tuple[Path, Cast], tmp_path: Path) -> Settings:
    """Of an instance with Alice's project."""
    settings = Settings(data=tmp_path / "data", open_rate=0)
    write_instance_key(settings.data)
    shutil.copyfile(furnished_file[0], settings.data / FILE_NAME)
    return settings


@pytest.fixture
def damaged(settings: Settings, furnished_file: tuple[Path, Cast]) -> Iterator[tuple[Server, Account]]:
    alice = furnished_file[1][0]
    with Server(settings) as server, httpx.Client(base_url=server.url) as api:
        counted = api.post("/api/data", headers=alice.calls())
        assert counted.status_code == 200
    damage(settings.data / FILE_NAME, "customers", "usage_counters")
    with Server(settings) as server:
        yield server, alice


def test_every_call_is_a_storage_error_and_the_server_is_not_ready(damaged: tuple[Server, Account]) -> None:
    server, alice = damaged
    with httpx.Client(base_url=server.url) as api:
        calls = [api.post("/api/data", headers=alice.calls(f"user{n}")) for n in range(30)]
        reads = [api.get("/api/customers", headers=alice.sk) for _ in range(3)]
        ready, alive = api.get("/readyz"), api.get("/healthz")

    for answer in [*calls, *reads, ready]:
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable"), answer.text
    assert "The database is damaged" in reads[0].json()["error"]
    assert "doctor" in reads[0].json()["hint"]
    assert alive.status_code == 200


def test_the_doctor_begins_with_the_databases_own_check(settings: Settings) -> None:
    damage(settings.data / FILE_NAME, "customers")
    terminal = Terminal(settings)

    found = terminal.run("doctor", "--json")
    said = terminal.type("doctor")

    assert found.code == said.code == 1
    assert [check["name"] for check in found.data["checks"]] == ["database_is_intact"]
    assert found.data["checks"][0]["contradictions"]
    assert "Traceback" not in said.out + said.err
    assert "restore a backup" in said.out

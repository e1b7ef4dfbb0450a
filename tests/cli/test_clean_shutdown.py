"""After a clean shutdown everything is in `dream.db`: a copy of that one file is complete."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from dream_api.core.db import FILE_NAME
from dream_api.core.settings import Settings
from tests.cli.terminal import Terminal
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database_kind", ["sqlite"])]
LOG = f"{FILE_NAME}-wal"


@pytest.fixture
def data(database_settings: Settings) -> Path:
    return database_settings.data


def logs_in(data: Path) -> list[str]:
    return sorted(path.name for path in data.glob(f"{FILE_NAME}?*"))


def call(server: Server, project: dict[str, Any], times: int) -> None:
    headers = {"Authorization": f"Bearer {project['secretKey']}", "X-User-Id": "ada"}
    for _ in range(times):
        assert httpx.post(f"{server.url}/api/data", headers=headers).status_code == 200
    assert httpx.get(f"{server.url}/api/usage", headers=headers).json()["usage"]["count"] == times


def counted(file: Path) -> int:
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return database.execute("SELECT coalesce(sum(calls), 0) FROM usage_hours WHERE customer_no <> 0").fetchone()[0]


def test_a_stopped_server_leaves_one_file_with_everything(terminal: Terminal, data: Path, tmp_path: Path) -> None:
    project = terminal.ask("project", "create", "Shop", "--type", "saas")
    with Server(terminal.settings) as server:
        call(server, project, 20)
        assert LOG in logs_in(data)

    assert logs_in(data) == []
    shutil.copyfile(data / FILE_NAME, tmp_path / "copy.db")
    assert counted(tmp_path / "copy.db") == 20


def test_a_server_stopped_at_once_leaves_one_file(terminal: Terminal, data: Path) -> None:
    """Before its first checkpoint, and before anybody called."""
    with Server(terminal.settings):
        pass

    assert logs_in(data) == []


@pytest.mark.parametrize("words", [("project", "list"), ("doctor",), ("platform", "create", "Acme"), ("migrate",)])
def test_a_command_alone_leaves_one_file(terminal: Terminal, data: Path, words: tuple[str, ...]) -> None:
    assert terminal.run(*words).code == 0

    assert logs_in(data) == []


def test_a_command_after_a_killed_server_leaves_one_file(terminal: Terminal, data: Path) -> None:
    project = terminal.ask("project", "create", "Shop", "--type", "saas")
    server = Server(terminal.settings)
    server.start()
    call(server, project, 20)
    server.kill()
    assert LOG in logs_in(data)

    assert terminal.run("project", "list").code == 0

    assert logs_in(data) == []
    assert counted(data / FILE_NAME) == 20


def test_commands_beside_a_server_leave_its_log_alone(terminal: Terminal, data: Path) -> None:
    project = terminal.ask("project", "create", "Shop", "--type", "saas")
    with Server(terminal.settings) as server:
        call(server, project, 1)
        before = (data / LOG).stat().st_ino
        for words in (("project", "list"), ("platform", "create", "Acme"), ("doctor",), ("migrate",)):
            assert terminal.run(*words).code == 0
            assert (data / LOG).stat().st_ino == before
        headers = {"Authorization": f"Bearer {project['secretKey']}", "X-User-Id": "bob"}
        assert httpx.post(f"{server.url}/api/data", headers=headers).status_code == 200

    assert logs_in(data) == []
    assert counted(data / FILE_NAME) == 2

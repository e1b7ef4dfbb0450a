"""Commands while a server runs on the same data: their changes take effect there within a second."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx2 as httpx
import pytest

from dream_api.core.db import FILE_NAME
from dream_api.core.settings import Settings
from tests.cli.terminal import Terminal
from tests.support.deadline import Second
from tests.support.server import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def server(database_settings: Settings) -> Iterator[Server]:
    with Server(database_settings) as server:
        yield server


def call(server: Server, key: str, user: str = "ada", **body: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}", "X-User-Id": user}
    return httpx.post(f"{server.url}/api/data", headers=headers, json=body)


@contextmanager
def sqlite_writer(settings: Settings) -> Iterator[Callable[[], object]]:
    """Another writer, who has the database until told to let go."""
    with closing(sqlite3.connect(settings.data / FILE_NAME, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection.rollback


def within_a_second(holds: Callable[[], bool]) -> None:
    second = Second()
    while not holds():
        assert not second.is_over(), "It was not in force after a second."
        time.sleep(0.02)


def test_a_new_limit_counts_within_a_second(server: Server, terminal: Terminal) -> None:
    platform = terminal.ask("platform", "create", "Alice's", "--level", "1")["platformId"]
    made: dict[str, Any] = terminal.run(
        *("project", "create", "Shop", "--type", "saas", "--platform", platform, "--live", "--json")
    ).data

    first = call(server, made["liveSecretKey"])
    assert first.status_code == 200, first.text
    assert first.json()["usage"]["limit"] == 1_000

    said = terminal.run(
        *("tier", "set", "--project", made["projectId"], "--name", "free", "--limit", "5", "--mode", "live")
    )

    assert said.out == "Changed the live tier free of Shop: 5 requests per billing period.\n"
    within_a_second(lambda: call(server, made["liveSecretKey"]).json()["usage"]["limit"] == 5)
    assert call(server, made["secretKey"]).json()["usage"]["limit"] == 1_000
    assert terminal.ask("doctor")["holds"] is True


def test_limits_of_other_meters_and_windows_count_within_a_second(server: Server, terminal: Terminal) -> None:
    made = terminal.ask("project", "create", "Shop", "--type", "saas")
    key = made["secretKey"]
    assert call(server, key, meter="seats").json()["code"] == "unknown_meter"

    terminal.run(
        *("tier", "set", "--project", made["projectId"], "--name", "free", "--limit", "window=lifetime,max=3"),
        *("--limit", "meter=seats,window=month,max=2,aggregation=distinct"),
    )

    within_a_second(lambda: call(server, key, meter="seats", subject="ada").status_code == 200)
    assert call(server, key, meter="seats", subject="bob").status_code == 200
    refused = call(server, key, meter="seats", subject="charlie")
    assert (refused.status_code, refused.json()["usage"]["window"]) == (429, "month")
    assert call(server, key, quantity=3).status_code == 200
    assert call(server, key).json()["usage"]["window"] == "lifetime"
    assert terminal.ask("doctor")["holds"] is True


def test_a_raised_level_lets_calls_through_within_a_second(server: Server, terminal: Terminal) -> None:
    assert terminal.run("levels", "set", "5", "--requests-per-month", "1", "--json").data["isNew"] is True
    platform = terminal.ask("platform", "create", "Alice's", "--level", "5")["platformId"]
    words = ("project", "create", "Shop", "--type", "saas", "--platform", platform, "--live")
    key = terminal.ask(*words)["liveSecretKey"]
    assert call(server, key).status_code == 200
    assert call(server, key, "bob").json()["code"] == "level_limit_reached"

    terminal.run("levels", "set", "5", "--requests-per-month", "3")

    within_a_second(lambda: call(server, key, "bob").status_code == 200)
    assert call(server, key, "charlie").status_code == 200
    assert call(server, key, "charlie").json()["usage"]["limit"] == 3


def test_a_rotated_key_works_on_and_a_revoked_one_ends(server: Server, terminal: Terminal) -> None:
    made = terminal.ask("project", "create", "Shop", "--type", "saas")
    project, old = made["projectId"], made["secretKey"]
    assert call(server, old).status_code == 200

    new = terminal.run("keys", "rotate", "--project", project, "--json").data["secretKey"]

    assert call(server, new).status_code == 200
    time.sleep(1)
    assert call(server, old).status_code == 200

    _, key, _ = terminal.ask("keys", "list", "--project", project)["data"]
    assert terminal.run("keys", "revoke", key["keyId"], "--project", project).code == 0

    within_a_second(lambda: call(server, old).status_code == 401)
    assert call(server, old).json()["code"] == "key_revoked"
    assert call(server, new).status_code == 200


def test_a_key_rotated_without_grace_ends_within_a_second(server: Server, terminal: Terminal) -> None:
    made = terminal.ask("project", "create", "Shop", "--type", "saas")
    assert call(server, made["secretKey"]).status_code == 200

    terminal.run("keys", "rotate", "--project", made["projectId"], "--grace-hours", "0")

    within_a_second(lambda: call(server, made["secretKey"]).status_code == 401)
    assert call(server, made["secretKey"]).json()["code"] == "key_expired"


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_commands_wait_for_other_writers(database_settings: Settings, terminal: Terminal) -> None:
    terminal.ask("migrate")
    with sqlite_writer(database_settings) as let_go:
        waiting = terminal.begin("platform", "create", "Alice's", "--json")
        time.sleep(2)
        assert waiting.process.poll() is None
        let_go()
        said = waiting.end()

    assert said.code == 0, said


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_commands_do_not_wait_for_ever(database_settings: Settings, terminal: Terminal) -> None:
    terminal.ask("migrate")
    with sqlite_writer(database_settings):
        began = time.monotonic()
        refusal = terminal.refused("platform", "create", "Alice's")
        seconds = time.monotonic() - began

    assert refusal["code"] == "overloaded"
    assert 4 < seconds < 8


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_commands_may_be_the_first_at_once(terminal: Terminal) -> None:
    words = ("project", "create", "Shop", "--type", "saas", "--json")
    fresh = Terminal(terminal.settings.model_copy(update={"data": terminal.settings.data / "fresh"}))
    fresh.ask("migrate")

    both = [fresh.begin(*words) for _ in range(3)]
    said = [one.end(60) for one in both]

    assert [one.code for one in said] == [0, 0, 0], said
    assert len(fresh.ask("project", "list")["data"]) == 5
    assert len(fresh.ask("platform", "list")["data"]) == 1
    for project in fresh.ask("project", "list")["data"][1:]:
        _, secret = fresh.ask("keys", "list", "--project", project["projectId"])["data"]
        fresh.ask("keys", "reveal", secret["keyId"], "--project", project["projectId"])

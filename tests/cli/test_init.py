"""`dream-api init` and `dream-api operator-link`: an instance without a server, and its operator's link."""

import json
import re
import stat
import sys
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import select

from dream_api.app import open_database
from dream_api.core import clock
from dream_api.core.db import FILE_NAME
from dream_api.core.settings import Settings
from dream_api.identity.tables import one_time_links
from dream_api.migrations import head_revision
from dream_api.schema import metadata
from tests.cli.terminal import Terminal
from tests.cli.test_serve import become_operator
from tests.support.postgres import run_aside
from tests.support.server import Server

NAMES = {
    *("created", "data", "database", "revision", "instanceKey", "hasOperator", "operatorLink"),
    *("platform", "project", "keys"),
}
KEYS = re.compile(r"[sp]k_(?:test|live)_\w+|o_\w{38}")


async def all_rows(settings: Settings) -> dict[str, list[str]]:
    """Everything that the database holds."""
    database = open_database(settings)
    async with database.read() as tx:
        found = {name: sorted(map(repr, await tx.all(select(table)))) for name, table in metadata.tables.items()}
    await database.close()
    return found


def test_an_instance_is_created_with_all_that_a_program_needs(terminal: Terminal) -> None:
    made = terminal.ask("init")

    assert set(made) == NAMES
    assert (made["created"], made["revision"], made["hasOperator"]) == (True, head_revision(), False)
    assert made["data"] == str(terminal.settings.data)
    assert made["platform"]["name"] == "My company"
    assert (made["project"]["name"], made["project"]["type"]) == ("My first project", "saas")
    assert set(made["keys"]) == {"test"}
    assert terminal.ask("doctor")["holds"] is True


def test_what_init_shows_works(terminal: Terminal) -> None:
    made = terminal.ask("init")

    with Server(terminal.settings) as server:
        secret = {"Authorization": f"Bearer {made['keys']['test']['secretKey']}", "X-User-Id": "ada"}
        counted = httpx.post(f"{server.url}/api/data", headers=secret)
        products = httpx.get(
            f"{server.url}/api/products",
            headers={"Authorization": f"Bearer {made['keys']['test']['publishableKey']}"},
        )
        path = made["operatorLink"]["url"].partition("8787")[2]
        opened = httpx.get(f"{server.url}{path}")

    assert (counted.status_code, counted.json()["usage"]["limit"]) == (200, 1_000)
    assert products.status_code == 200
    assert (opened.status_code, "Set up the operator account" in opened.text) == (200, True)


def test_an_instance_that_exists_is_not_changed(terminal: Terminal) -> None:
    made = terminal.ask("init")
    before = run_aside(all_rows(terminal.settings))

    again = terminal.ask("init")
    said = terminal.type("init")

    assert again == {**made, "created": False, "operatorLink": None, "keys": None}
    assert said.code == 0
    assert said.out.startswith("An instance already exists in ")
    assert ". Nothing was changed.\n" in said.out
    assert "operator-link` shows the link" in said.out
    assert KEYS.findall(said.out + json.dumps(again)) == []
    assert run_aside(all_rows(terminal.settings)) == before


def test_a_password_of_the_database_is_not_shown(terminal: Terminal) -> None:
    url = terminal.settings.database_url
    if url is None:
        assert terminal.ask("init")["database"] == str(terminal.settings.data / FILE_NAME)
        return
    told = terminal.ask("init", DREAM_DATABASE_URL=url.replace("postgres@", "postgres:hidden@"))

    assert told["database"].startswith("postgresql://127.0.0.1")
    assert "hidden" not in json.dumps(told)


def test_what_a_first_start_creates_is_what_init_creates(terminal: Terminal, tmp_path: Path) -> None:
    by_init = Terminal(Settings(data=tmp_path / "init"))
    by_serve = Terminal(Settings(data=tmp_path / "serve"))

    by_init.ask("init")
    with Server(by_serve.settings):
        pass

    rows = [run_aside(all_rows(each.settings)) for each in (by_init, by_serve)]
    # The schedules and jobs of the server that ran.
    count = [{name: len(found) for name, found in each.items() if name not in RUNNING} for each in rows]
    assert count[0] == count[1]
    assert by_serve.ask("init")["created"] is False


RUNNING = ("jobs", "schedules", "changes")


@pytest.mark.slow
@pytest.mark.parametrize("database_kind", ["postgres"])
def test_of_two_that_create_it_at_once_one_key_is_the_instances(terminal: Terminal, tmp_path: Path) -> None:
    """On two machines, that is with two data directories."""
    both = [Terminal(terminal.settings.model_copy(update={"data": tmp_path / name})) for name in ("one", "two")]

    said = [one.end(90) for one in [each.begin("init", "--json") for each in both]]

    (first, second) = sorted(said, key=lambda one: one.code)
    assert (first.code, first.data["created"]) == (0, True), said
    assert (second.code, second.data["code"]) == (1, "instance_key_missing"), said
    assert [each.settings.data.joinpath("instance.key").exists() for each in both].count(True) == 1


def test_people_read_the_same_and_80_columns_are_enough(tmp_path: Path) -> None:
    terminal = Terminal(Settings(data=Path("data")))
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(tmp_path)
        said = terminal.type("init", DREAM_DATA="data")

    assert said.code == 0
    assert "Next, create your account." in said.out
    assert len(KEYS.findall(said.out)) == 3
    # Paths are as long as they are.
    own = [line for line in said.out.splitlines() if str(tmp_path) not in line and sys.prefix not in line]
    assert max(map(len, own)) <= 80, said.out


def test_the_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    terminal = Terminal(Settings(data=tmp_path / "new" / "data"))

    place = terminal.ask("init")["instanceKey"]["place"]

    assert place == str(tmp_path / "new" / "data" / "instance.key")
    assert stat.S_IMODE(Path(place).stat().st_mode) == 0o600


# The operator's link.


async def only_link(settings: Settings) -> Any:
    database = open_database(settings)
    async with database.read() as tx:
        (row,) = await tx.all(select(one_time_links))
    await database.close()
    return row


def test_a_pending_link_is_shown_again(terminal: Terminal) -> None:
    made = terminal.ask("init")

    again = terminal.ask("operator-link")
    said = terminal.type("operator-link")

    assert again == made["operatorLink"]
    assert again["url"] in said.out
    assert "Expires   in 24 h" in said.out


def test_the_database_does_not_hold_the_link(terminal: Terminal) -> None:
    token = terminal.ask("init")["operatorLink"]["url"].rpartition("/")[2]

    row = run_aside(only_link(terminal.settings))

    assert token not in repr(tuple(row))
    assert token.encode() not in repr(tuple(row)).encode()


def test_an_expired_link_is_replaced_and_stays_dead(terminal: Terminal) -> None:
    former = terminal.ask("init")["operatorLink"]
    clock.move(clock.DAY + clock.SECOND)

    newer = terminal.ask("operator-link")

    assert newer["url"] != former["url"]
    assert newer["expiresAt"] > former["expiresAt"]
    run_aside(only_link(terminal.settings))  # of the former nothing is left
    assert terminal.ask("operator-link") == newer


def test_an_operator_who_is_there_needs_no_link(database_settings: Settings) -> None:
    with Server(database_settings) as server:
        become_operator(server)
        terminal = Terminal(server.settings)

        error = terminal.refused("operator-link")
        another = terminal.ask("operator-link", "--another")["url"]
        opened = httpx.get(another)

    assert (error["code"], error["error"]) == ("operator_exists", "The operator's account is set up already.")
    assert "--another" in error["hint"]
    assert opened.status_code == 200
    assert terminal.ask("init")["hasOperator"] is True

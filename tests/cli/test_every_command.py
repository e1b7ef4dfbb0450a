"""Properties of every command: help, JSON, errors."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from dream_api.cli.main import COMMANDS as ENTRIES
from dream_api.cli.main import load_command
from dream_api.core.settings import Settings
from tests.cli.terminal import Terminal
from tests.support.cases import each_case

NOWHERE = Terminal(Settings())


def leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """The commands that can be run under a name."""
    children: dict[str, Any] = getattr(command, "commands", {})
    if not children or command.invoke_without_command:
        yield name, command
    for child, nested in children.items():
        yield from leaves(f"{name} {child}", nested)


COMMANDS = dict(leaf for name in ENTRIES for leaf in leaves(name, load_command(name)))


def test_there_are_the_commands_that_people_need() -> None:
    assert set(COMMANDS) == {
        "serve",
        "init",
        "worker",
        "operator-link",
        "platform create",
        "platform list",
        "project create",
        "project origins",
        "project list",
        "token create",
        "token list",
        "token revoke",
        "keys create",
        "keys list",
        "keys rotate",
        "keys reveal",
        "keys limit",
        "keys revoke",
        "tier set",
        "tier list",
        "levels",
        "levels set",
        "levels assign",
        "events list",
        "events replay",
        "usage rebuild-rollups",
        "jobs dead",
        "jobs retry",
        "migrate",
        "doctor",
    }


@each_case("name", COMMANDS)
def test_answers_json_and_explains_itself(name: str) -> None:
    command = COMMANDS[name]
    options = {option for parameter in command.params for option in parameter.opts}

    assert {"--json", "--data"} <= options
    assert command.help.split("\n")[0].endswith(".")
    assert all(parameter.help for parameter in command.params if parameter.name != "help")


@each_case("name", ENTRIES)
def test_is_explained_by_one_sentence_that_fits_a_line(name: str) -> None:
    said = NOWHERE.type("--help")

    assert ENTRIES[name].help.endswith(".")
    assert f"{name:<{max(map(len, ENTRIES))}}  {ENTRIES[name].help}\n" in said.out


@each_case("name", COMMANDS)
def test_its_help_fits_a_terminal(name: str) -> None:
    said = NOWHERE.type(*name.split(), "--help", COLUMNS="80")

    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= 80
    assert "..." not in said.out.replace("[ARGS]...", "")


def test_what_is_mistyped_is_told_in_a_sentence() -> None:
    said = NOWHERE.type("kyes")

    assert (said.code, said.out) == (2, "")
    assert said.err == "No such command 'kyes'. Did you mean 'keys'?\nSee `dream-api --help`.\n"


def test_what_is_missing_is_told_as_json_where_json_is_asked_for() -> None:
    said = NOWHERE.type("keys", "list", "--json")

    assert (said.code, said.err) == (2, "")
    assert said.data == {
        "error": "Missing option '--project'.",
        "code": "misused",
        "param": None,
        "hint": "See `dream-api keys list --help`.",
    }


def test_a_name_alone_shows_what_may_follow() -> None:
    said = NOWHERE.type("keys")

    assert said.code == 2
    assert said.out.startswith("Usage: dream-api keys ")
    assert said.err == ""


def test_a_setting_that_cannot_be_used_is_named() -> None:
    refusal = NOWHERE.refused("levels", DREAM_PORT="many")

    assert refusal["code"] == "setting_invalid"
    assert refusal["error"].startswith("The setting DREAM_PORT is not valid: ")


def test_a_database_that_does_not_answer_is_named() -> None:
    refusal = NOWHERE.refused("levels", DREAM_DATABASE_URL="postgresql://me@127.0.0.1:1/dream")

    assert refusal["code"] == "storage_unavailable"
    assert refusal["error"].startswith("The database cannot be reached: ")
    assert refusal["hint"] == "See DREAM_DATABASE_URL."


def test_a_url_that_is_none_is_told() -> None:
    refusal = NOWHERE.refused("levels", DREAM_DATABASE_URL="nonsense")

    assert refusal["code"] == "setting_invalid"


def test_help_needs_nothing_heavy() -> None:
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "dream_api", "--help"], check=True, capture_output=True, text=True
    )
    imported = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines()}

    assert imported.isdisjoint({"sqlalchemy", "fastapi", "uvicorn", "pydantic"})

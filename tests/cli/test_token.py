"""`dream-api token`, and `dream-api project origins`."""

from typing import Any

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def platform(terminal: Terminal) -> str:
    return terminal.ask("platform", "create", "Alice's")["platformId"]


def listed(terminal: Terminal, platform: str) -> list[dict[str, Any]]:
    return terminal.ask("token", "list", "--platform", platform)["data"]


def test_a_token_is_told_once(terminal: Terminal, platform: str) -> None:
    made = terminal.ask(
        *("token", "create", "--platform", platform, "--role", "member"), *("--name", "CI", "--expires-days", "30")
    )

    [row] = listed(terminal, platform)
    said = terminal.type("token", "list", "--platform", platform).out

    assert made["token"].startswith("dpt_")
    assert (row["tokenId"], row["role"], row["name"], row["state"]) == (made["tokenId"], "member", "CI", "working")
    assert row["expiresAt"] == made["expiresAt"] is not None
    assert row["lastUsedAt"] is None
    assert made["token"] not in str(row) + said
    assert row["shown"] == f"{made['token'][:8]}…{made['token'][-4:]}"
    assert row["shown"] in said


def test_a_revoked_token_stays_revoked_and_listed(terminal: Terminal, platform: str) -> None:
    first, second = [
        terminal.ask("token", "create", "--platform", platform, "--role", "owner")["tokenId"] for _ in range(2)
    ]

    assert terminal.ask("token", "revoke", first) == {"tokenId": first, "state": "revoked"}

    assert [(row["tokenId"], row["state"]) for row in listed(terminal, platform)] == [
        (first, "revoked"),
        (second, "working"),
    ]
    assert terminal.refused("token", "revoke", first)["code"] == "token_already_revoked"


def test_what_is_not_there_is_not_found(terminal: Terminal) -> None:
    nobody = "plt_00000000000000000000000000"
    assert terminal.refused("token", "revoke", "tok_00000000000000000000000000")["code"] == "not_found"
    assert terminal.refused("token", "list", "--platform", nobody)["code"] == "not_found"
    assert terminal.refused("token", "create", "--platform", nobody, "--role", "owner")["code"] == "not_found"


@pytest.mark.parametrize("days", ["0", "-1", "36501"])
def test_a_token_lives_for_days(terminal: Terminal, platform: str, days: str) -> None:
    words = ("token", "create", "--platform", platform, "--role", "owner", "--expires-days", days)

    assert terminal.refused(*words)["param"] == "expiresDays"
    assert listed(terminal, platform) == []


def test_a_role_is_one_of_four(terminal: Terminal, platform: str) -> None:
    said = terminal.type("token", "create", "--platform", platform, "--role", "god", "--json")

    assert (said.code, said.data["code"]) == (2, "misused")


def test_a_project_begins_with_origins_and_changes_them(terminal: Terminal) -> None:
    project = terminal.ask("project", "create", "Shop", "--type", "saas", "--origin", "https://MyApp.com/")["projectId"]
    words = ("project", "origins", project)
    assert terminal.ask(*words)["origins"] == ["https://myapp.com"]

    changed = terminal.ask(*words, "--add", "https://*.myapp.com", "--remove", "https://myapp.com")

    assert changed == {"projectId": project, "origins": ["https://*.myapp.com"]}
    assert terminal.ask(*words) == changed
    assert "https://*.myapp.com" in terminal.type(*words).out
    assert terminal.refused(*words, "--add", "http://myapp.com")["param"] == "add"


def test_a_project_with_an_origin_that_is_none_is_not_made(terminal: Terminal) -> None:
    refusal = terminal.refused("project", "create", "Shop", "--type", "saas", "--origin", "myapp.com")

    assert refusal["code"] == "validation_failed"
    assert "Shop" not in [row["name"] for row in terminal.ask("project", "list")["data"]]

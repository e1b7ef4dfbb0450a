"""`dream-api tier` and `dream-api levels`."""

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def project(terminal: Terminal) -> str:
    return terminal.ask("project", "create", "Shop", "--type", "saas")["projectId"]


def test_a_tier_is_made_and_then_changed(terminal: Terminal, project: str) -> None:
    words = ("tier", "set", "--project", project, "--name", "pro", "--limit")

    made = terminal.ask(*words, "50000")
    changed = terminal.ask(*words, "unlimited")

    assert made == {"projectId": project, "mode": "test", "name": "pro", "limit": 50_000, "isNew": True}
    assert changed == {**made, "limit": None, "isNew": False}
    free, pro = terminal.ask("tier", "list", "--project", project)["data"]
    assert (free["name"], free["limit"]) == ("free", 1_000)
    assert (pro["name"], pro["limit"], pro["isDefault"]) == ("pro", None, False)


def test_test_and_live_tiers_are_apart(terminal: Terminal, project: str) -> None:
    terminal.ask("tier", "set", "--project", project, "--name", "pro", "--limit", "0", "--mode", "live")

    assert [tier["name"] for tier in terminal.ask("tier", "list", "--project", project)["data"]] == ["free"]


@pytest.mark.parametrize("limit", ["-1", "1.5", "many", "١٢", "9007199254740993", ""])
def test_a_limit_is_a_whole_number(terminal: Terminal, project: str, limit: str) -> None:
    refusal = terminal.refused("tier", "set", "--project", project, "--name", "pro", f"--limit={limit}")

    assert (refusal["code"], refusal["param"]) == ("validation_failed", "limit")
    assert len(terminal.ask("tier", "list", "--project", project)["data"]) == 1


def test_a_tiers_name_is_an_id(terminal: Terminal, project: str) -> None:
    refusal = terminal.refused("tier", "set", "--project", project, "--name", "Pro Plan", "--limit", "1")

    assert refusal["param"] == "name"


def test_levels_alone_lists_them(terminal: Terminal) -> None:
    found = terminal.ask("levels")

    assert found["mode"] == "live"
    assert [(level["number"], level["activeUsersPerHour"]) for level in found["data"]] == [
        (0, 25),
        (1, 100),
        (2, 200),
        (3, 300),
    ]


def test_people_read_levels_as_a_table(terminal: Terminal) -> None:
    said = terminal.type("levels")

    head, *rows = said.out.splitlines()
    assert head.split() == ["Level", "Name", "Users/hour", "Requests/day", "Requests/month", "Members"]
    assert rows[3].split() == ["3", "Level", "3", "300", "unlimited", "unlimited", "unlimited"]


def test_a_platform_is_put_on_another_level(terminal: Terminal) -> None:
    platform = terminal.ask("platform", "create", "Alice's")["platformId"]

    assert terminal.ask("levels", "assign", platform, "3")["level"] == 3

    assert terminal.ask("platform", "list")["data"][1]["level"] == 3


def test_levels_are_those_of_the_home_mode(terminal: Terminal) -> None:
    platform = terminal.ask("platform", "create", "Alice's", "--level", "1")["platformId"]

    terminal.ask("levels", "assign", platform, "3", DREAM_HOME_MODE="test")

    assert terminal.ask("platform", "list")["data"][1]["level"] == 1
    assert terminal.ask("platform", "list", DREAM_HOME_MODE="test")["data"][1]["level"] == 3


def test_the_operators_own_platform_has_no_level(terminal: Terminal) -> None:
    operator, *_ = terminal.ask("platform", "list")["data"]

    assert terminal.refused("levels", "assign", operator["platformId"], "1")["code"] == "validation_failed"
    assert terminal.refused("levels", "assign", "plt_none", "1")["code"] == "not_found"

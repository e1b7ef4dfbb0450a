"""`dream-api platform` and `dream-api project`."""

import pytest

from tests.cli.terminal import Terminal


def test_a_new_platform_is_on_the_level_it_was_made_on(terminal: Terminal) -> None:
    made = terminal.ask("platform", "create", "Alice's", "--level", "2")
    plain = terminal.ask("platform", "create", "Charlie's")

    listed = terminal.ask("platform", "list")["data"]

    assert made == {"platformId": made["platformId"], "name": "Alice's", "level": 2}
    assert [(each["name"], each["level"], each["isOperator"]) for each in listed] == [
        ("My company", None, True),
        ("Alice's", 2, False),
        ("Charlie's", 0, False),
    ]
    assert [each["platformId"] for each in listed[1:]] == [made["platformId"], plain["platformId"]]


def test_a_platform_on_a_level_that_there_is_not_is_not_made(terminal: Terminal) -> None:
    refusal = terminal.refused("platform", "create", "Alice's", "--level", "9")

    assert refusal["code"] == "validation_failed"
    assert [each["name"] for each in terminal.ask("platform", "list")["data"]] == ["My company"]


def test_a_new_project_has_its_keys_and_is_the_operators(terminal: Terminal) -> None:
    made = terminal.ask("project", "create", "Shop", "--type", "saas")
    operator, *_ = terminal.ask("platform", "list")["data"]

    assert set(made) == {"platformId", "projectId", "origins", "publishableKey", "secretKey"}
    assert made["platformId"] == operator["platformId"]
    assert made["publishableKey"].startswith("pk_test_")
    assert made["secretKey"].startswith("sk_test_")


def test_live_keys_are_made_where_they_are_asked_for(terminal: Terminal) -> None:
    owner = terminal.ask("platform", "create", "Alice's")["platformId"]

    made = terminal.ask("project", "create", "Shop", "--type", "saas", "--platform", owner, "--live")
    keys = terminal.ask("keys", "list", "--project", made["projectId"])["data"]

    assert made["platformId"] == owner
    assert made["livePublishableKey"].startswith("pk_live_")
    assert made["liveSecretKey"].startswith("sk_live_")
    assert [(key["mode"], key["kind"]) for key in keys] == [
        ("test", "publishable"),
        ("test", "secret"),
        ("live", "publishable"),
        ("live", "secret"),
    ]


def test_a_saas_project_begins_with_the_free_tier_in_both_modes(terminal: Terminal) -> None:
    project = terminal.ask("project", "create", "Shop", "--type", "saas")["projectId"]

    for mode in ("test", "live"):
        (free,) = terminal.ask("tier", "list", "--project", project, "--mode", mode)["data"]
        assert (free["name"], free["limit"], free["isDefault"]) == ("free", 1_000, True)


def test_a_store_begins_with_no_tier(terminal: Terminal) -> None:
    project = terminal.ask("project", "create", "Shop", "--type", "store")["projectId"]

    assert terminal.ask("tier", "list", "--project", project)["data"] == []


def test_projects_are_listed_by_platform(terminal: Terminal) -> None:
    alice = terminal.ask("platform", "create", "Alice's")["platformId"]
    terminal.ask("project", "create", "Mine", "--type", "store")
    shop = terminal.ask("project", "create", "Shop", "--type", "saas", "--platform", alice)["projectId"]

    everywhere = terminal.ask("project", "list")["data"]
    (hers,) = terminal.ask("project", "list", "--platform", alice)["data"]

    assert [each["name"] for each in everywhere] == ["Platform levels", "My first project", "Mine", "Shop"]
    assert (hers["projectId"], hers["platformId"], hers["type"]) == (shop, alice, "saas")


def test_a_platform_that_there_is_not_has_no_projects(terminal: Terminal) -> None:
    for words in (
        ("project", "list", "--platform", "plt_none"),
        ("project", "create", "Shop", "--type", "saas", "--platform", "plt_none"),
    ):
        refusal = terminal.refused(*words)
        assert refusal["code"] == "not_found"
        assert refusal["hint"] == "`dream-api platform list` lists all platforms."


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "bell\a"])
def test_a_name_that_nobody_could_read_is_refused(terminal: Terminal, name: str) -> None:
    assert terminal.refused("platform", "create", name)["param"] == "name"
    assert terminal.refused("project", "create", name, "--type", "saas")["param"] == "name"


def test_people_read_sentences_and_tables(terminal: Terminal) -> None:
    made = terminal.type("project", "create", "Shop", "--type", "saas", "--live")
    listed = terminal.type("project", "list")

    assert made.out.startswith("Created the saas project Shop on the platform My company.\n")
    assert "Save the live secret key now. It cannot be shown again." in made.out
    first_column = [line.partition("  ")[0] for line in listed.out.splitlines()]
    assert first_column == ["Project", "Platform levels", "My first project", "Shop"]


def test_people_are_told_what_stands_in_the_way(terminal: Terminal) -> None:
    said = terminal.type("tier", "list", "--project", "prj_none")

    assert (said.code, said.out) == (1, "")
    assert said.err == "✗ Project not found.\n  `dream-api project list` lists all projects.\n"

"""`dream-api keys`."""

from typing import Any

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def project(terminal: Terminal) -> dict[str, Any]:
    return terminal.ask("project", "create", "Shop", "--type", "saas", "--live")


def states(terminal: Terminal, project: dict[str, Any], mode: str) -> list[tuple[str, str]]:
    keys = terminal.ask("keys", "list", "--project", project["projectId"], "--mode", mode)["data"]
    return [(key["kind"], key["state"]) for key in keys]


def test_a_new_key_stands_beside_the_others(terminal: Terminal, project: dict[str, Any]) -> None:
    made = terminal.ask(
        *("keys", "create", "--project", project["projectId"], "--mode", "live"),
        *("--name", "web server", "--expires-in-days", "30"),
    )

    *_, listed = terminal.ask("keys", "list", "--project", project["projectId"], "--mode", "live")["data"]

    assert made["secretKey"].startswith("sk_live_")
    assert (listed["keyId"], listed["name"], listed["state"]) == (made["keyId"], "web server", "working")
    assert listed["expiresAt"] == made["expiresAt"] is not None
    assert made["secretKey"] not in str(listed)
    assert states(terminal, project, "live")[:2] == [("publishable", "working"), ("secret", "working")]


def test_a_key_lives_for_days(terminal: Terminal, project: dict[str, Any]) -> None:
    for days in ("0", "-3", "99999999999999"):
        refusal = terminal.refused("keys", "create", "--project", project["projectId"], "--expires-in-days", days)
        assert refusal["param"] == "expiresInDays"


def test_rotating_ends_the_older_keys_after_the_grace(terminal: Terminal, project: dict[str, Any]) -> None:
    made = terminal.ask("keys", "rotate", "--project", project["projectId"])
    keys = terminal.ask("keys", "list", "--project", project["projectId"], "--mode", "test")["data"]

    assert made["graceHours"] == 24
    assert [key["expiresAt"] is None for key in keys] == [True, False, True]
    assert keys[2]["keyId"] == made["keyId"]


def test_rotating_without_grace_ends_them_now(terminal: Terminal, project: dict[str, Any]) -> None:
    terminal.ask("keys", "rotate", "--project", project["projectId"], "--mode", "live", "--grace-hours", "0")

    assert states(terminal, project, "live") == [
        ("publishable", "working"),
        ("secret", "expired"),
        ("secret", "working"),
    ]
    assert states(terminal, project, "test") == [("publishable", "working"), ("secret", "working")]


@pytest.mark.parametrize("hours", ["-1", "169"])
def test_a_grace_is_a_week_at_most(terminal: Terminal, project: dict[str, Any], hours: str) -> None:
    refusal = terminal.refused("keys", "rotate", "--project", project["projectId"], "--grace-hours", hours)

    assert (refusal["code"], refusal["param"]) == ("validation_failed", "grace")


def test_a_test_key_can_be_shown_again(terminal: Terminal, project: dict[str, Any]) -> None:
    publishable, secret = terminal.ask("keys", "list", "--project", project["projectId"], "--mode", "test")["data"]

    shown = terminal.ask("keys", "reveal", secret["keyId"], "--project", project["projectId"])
    said = terminal.type("keys", "reveal", publishable["keyId"], "--project", project["projectId"])

    assert shown["secretKey"] == project["secretKey"]
    assert said.out == project["publishableKey"] + "\n"


def test_a_live_secret_key_cannot(terminal: Terminal, project: dict[str, Any]) -> None:
    publishable, secret = terminal.ask("keys", "list", "--project", project["projectId"], "--mode", "live")["data"]

    refusal = terminal.refused("keys", "reveal", secret["keyId"], "--project", project["projectId"])
    shown = terminal.ask("keys", "reveal", publishable["keyId"], "--project", project["projectId"])

    assert refusal["code"] == "key_not_retrievable"
    assert shown["publishableKey"] == project["livePublishableKey"]


def test_another_instance_key_is_noticed_before_anything_is_opened(terminal: Terminal, project: dict[str, Any]) -> None:
    _, secret = terminal.ask("keys", "list", "--project", project["projectId"], "--mode", "test")["data"]

    refusal = terminal.refused(
        *("keys", "reveal", secret["keyId"], "--project", project["projectId"]),
        DREAM_INSTANCE_KEY="ab" * 32,
    )

    assert refusal["code"] == "instance_key_wrong"


def test_a_revoked_key_stays_revoked(terminal: Terminal, project: dict[str, Any]) -> None:
    _, secret = terminal.ask("keys", "list", "--project", project["projectId"], "--mode", "test")["data"]
    words = ("keys", "revoke", secret["keyId"], "--project", project["projectId"])

    assert terminal.ask(*words) == {"keyId": secret["keyId"], "state": "revoked"}

    assert states(terminal, project, "test")[1] == ("secret", "revoked")
    assert terminal.refused(*words)["code"] == "key_already_revoked"


def test_a_key_can_be_limited_and_not(terminal: Terminal, project: dict[str, Any]) -> None:
    _, secret = terminal.ask("keys", "list", "--project", project["projectId"], "--mode", "test")["data"]
    words = ("keys", "limit", secret["keyId"], "--project", project["projectId"], "--per-second")
    listing = ("keys", "list", "--project", project["projectId"], "--mode", "test")
    assert secret["rateLimit"] is None

    assert terminal.ask(*words, "5000") == {"keyId": secret["keyId"], "rateLimit": 5000}
    assert [key["rateLimit"] for key in terminal.ask(*listing)["data"]] == [None, 5000]
    assert "5,000/s" in terminal.type(*listing).out

    assert terminal.type(*words, "unlimited").out.endswith("now has no rate limit.\n")
    assert [key["rateLimit"] for key in terminal.ask(*listing)["data"]] == [None, None]
    assert "/s" not in terminal.type(*listing).out


@pytest.mark.parametrize("rate", ["0", "-1", "1.5", "many", "", "1000001"])
def test_a_rate_is_a_whole_number_or_unlimited(terminal: Terminal, project: dict[str, Any], rate: str) -> None:
    _, secret = terminal.ask("keys", "list", "--project", project["projectId"], "--mode", "test")["data"]

    refusal = terminal.refused(
        *("keys", "limit", secret["keyId"], "--project", project["projectId"], f"--per-second={rate}")
    )

    assert (refusal["code"], refusal["param"]) == ("validation_failed", "perSecond")


@pytest.mark.parametrize("verb", ["revoke", "reveal"])
def test_a_key_of_another_project_is_not_found(terminal: Terminal, project: dict[str, Any], verb: str) -> None:
    other = terminal.ask("project", "create", "Other", "--type", "saas")["projectId"]
    key, *_ = terminal.ask("keys", "list", "--project", other)["data"]

    refusal = terminal.refused("keys", verb, key["keyId"], "--project", project["projectId"])

    assert refusal["code"] == "not_found"


def test_nothing_can_be_rotated_where_no_key_works(terminal: Terminal, project: dict[str, Any]) -> None:
    _, secret = terminal.ask("keys", "list", "--project", project["projectId"], "--mode", "test")["data"]
    terminal.ask("keys", "revoke", secret["keyId"], "--project", project["projectId"])

    assert terminal.refused("keys", "rotate", "--project", project["projectId"])["code"] == "no_key_to_rotate"


def test_a_table_shows_no_secret(terminal: Terminal, project: dict[str, Any]) -> None:
    said = terminal.type("keys", "list", "--project", project["projectId"])

    assert project["secretKey"] not in said.out
    assert project["liveSecretKey"] not in said.out
    assert project["secretKey"][:12] in said.out

"""`dream-api levels`."""

import pytest

from tests.cli.terminal import Terminal

A_MONTH = {
    "currency": "usd",
    "type": "recurring",
    "billingScheme": "flat_rate",
    "interval": "month",
    "intervalCount": 1,
    "meter": None,
    "per": 1,
}


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
    assert head.split() == ["Level", "Name", "Users/hour", "Requests/day", "Requests/month", "Members", "Price"]
    assert rows[0].split()[-1] == "free"
    assert " ".join(rows[3].split()) == "3 Level 3 300 unlimited unlimited unlimited $180.00 per month"


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


def test_a_level_is_changed_and_what_is_not_named_stays(terminal: Terminal) -> None:
    changed = terminal.ask("levels", "set", "2", "--requests-per-day", "5000", "--members", "3")
    again = terminal.ask("levels", "set", "2", "--members", "unlimited", "--name", "Bigger")

    assert changed == {
        "mode": "live",
        "number": 2,
        "name": "level-2",
        "displayName": "Level 2",
        "activeUsersPerHour": 200,
        "requestsPerDay": 5_000,
        "requestsPerMonth": None,
        "members": 3,
        "prices": [{**A_MONTH, "amount": 12_000, "price": "120.00"}],
        "isArchived": False,
        "isNew": False,
    }
    assert again == {**changed, "displayName": "Bigger", "members": None}
    assert terminal.ask("levels")["data"][2] == {
        name: fact for name, fact in again.items() if name not in ("mode", "isNew")
    }


def test_a_level_that_there_is_not_is_made(terminal: Terminal) -> None:
    platform = terminal.ask("platform", "create", "Alice's")["platformId"]

    made = terminal.ask("levels", "set", "7", "--active-users-per-hour", "1000")

    assert (made["isNew"], made["displayName"], made["activeUsersPerHour"]) == (True, "Level 7", 1_000)
    assert (made["requestsPerDay"], made["requestsPerMonth"], made["members"]) == (None, None, None)
    assert [level["number"] for level in terminal.ask("levels")["data"]] == [0, 1, 2, 3, 7]
    assert terminal.ask("levels", "assign", platform, "7")["level"] == 7


def test_people_read_what_the_level_allows_now(terminal: Terminal) -> None:
    said = terminal.type("levels", "set", "1", "--requests-per-month", "2000000")

    assert said.out.splitlines() == [
        "Changed level 1 (Level 1).",
        "",
        "  Users/hour       100",
        "  Requests/day     unlimited",
        "  Requests/month   2,000,000",
        "  Members          unlimited",
        "  Price            $60.00 per month",
    ]


def test_a_level_is_set_in_the_home_mode(terminal: Terminal) -> None:
    terminal.ask("levels", "set", "1", "--members", "5", DREAM_HOME_MODE="test")

    assert terminal.ask("levels")["data"][1]["members"] is None
    assert terminal.ask("levels", DREAM_HOME_MODE="test")["data"][1]["members"] == 5


def test_there_must_be_something_to_set(terminal: Terminal) -> None:
    refusal = terminal.refused("levels", "set", "1")

    assert refusal["error"] == "There is nothing to change: use a limit option, --price or --name."
    assert refusal["hint"] == "See `dream-api levels set --help`."


@pytest.mark.parametrize(
    ("option", "param"),
    [
        ("--active-users-per-hour", "activeUsersPerHour"),
        ("--requests-per-day", "requestsPerDay"),
        ("--requests-per-month", "requestsPerMonth"),
        ("--members", "members"),
    ],
)
def test_what_a_level_allows_is_a_whole_number(terminal: Terminal, option: str, param: str) -> None:
    refusal = terminal.refused("levels", "set", "1", option, "many")

    assert refusal["param"] == param
    assert refusal["error"].endswith("or the word unlimited, not 'many'.")


def test_a_levels_number_and_name_are_proper(terminal: Terminal) -> None:
    assert terminal.refused("levels", "set", "1000", "--members", "1")["param"] == "number"
    assert terminal.refused("levels", "set", "1", "--name", " ")["param"] == "displayName"


def test_levels_cost_what_the_operator_says(terminal: Terminal) -> None:
    shipped = terminal.ask("levels")["data"]
    priced = terminal.ask("levels", "set", "1", "--price", "15")
    euros = terminal.ask("levels", "set", "1", "--price", "14.50", "--currency", "eur")
    made = terminal.ask("levels", "set", "7", "--price", "amount=900,interval=year")

    def told(level: dict[str, object]) -> list[tuple[str, str, str]]:
        prices = level["prices"]
        assert isinstance(prices, list)
        return [(one["price"], one["currency"], one["interval"]) for one in prices]

    assert [told(level) for level in shipped] == [
        [],
        [("60.00", "usd", "month")],
        [("120.00", "usd", "month")],
        [("180.00", "usd", "month")],
    ]
    assert told(priced) == [("15.00", "usd", "month")]
    assert told(euros) == [*told(priced), ("14.50", "eur", "month")]
    assert told(made) == [("900.00", "usd", "year")]
    assert told(terminal.ask("levels", DREAM_HOME_MODE="test")["data"][1]) == [("60.00", "usd", "month")]

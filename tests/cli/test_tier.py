"""`dream-api tier`."""

from typing import Any

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def project(terminal: Terminal) -> str:
    return terminal.ask("project", "create", "Shop", "--type", "saas")["projectId"]


def test_a_tier_is_made_and_then_changed(terminal: Terminal, project: str) -> None:
    words = ("tier", "set", "--project", project, "--name", "pro", "--limit")

    made = terminal.ask(*words, "50000")
    changed = terminal.ask(*words, "unlimited")

    only = {"meter": "requests", "aggregation": "sum", "window": "period", "kind": "hard", "max": 50_000}
    assert made == {
        "projectId": project,
        "mode": "test",
        "name": "pro",
        "displayName": "Pro",
        "isDefault": False,
        "isVisible": True,
        "isArchived": False,
        "limit": 50_000,
        "limits": [only],
        "prices": [],
        "isNew": True,
        "newMeters": [],
    }
    assert changed == {**made, "limit": None, "limits": [{**only, "max": None}], "isNew": False}
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


def test_a_tier_has_limits_of_several_meters_and_windows(terminal: Terminal, project: str) -> None:
    words = ("tier", "set", "--project", project, "--name", "pro")
    made = terminal.ask(
        *words,
        *("--limit", "meter=seats,window=month,max=5,aggregation=distinct"),
        *("--limit", "max=1000000,meter=tokens,kind=soft"),
        *("--limit", "window=day,max=5000"),
        *("--limit", "100000"),
        *("--display-name", "Professional"),
    )
    changed = terminal.ask(*words, "--limit", "window=hour,max=unlimited", "--limit", " meter = tokens , max = 7 ")

    def told(of: dict[str, Any]) -> list[tuple[object, ...]]:
        return [(each["max"], each["meter"], each["window"], each["kind"]) for each in of["limits"]]

    assert made["displayName"] == "Professional"
    assert made["limit"] == 100_000
    assert {(each["name"], each["aggregation"]) for each in made["newMeters"]} == {
        ("seats", "distinct"),
        ("tokens", "sum"),
    }
    assert sorted(told(made)) == [
        (5, "seats", "month", "hard"),
        (5_000, "requests", "day", "hard"),
        (100_000, "requests", "period", "hard"),
        (1_000_000, "tokens", "period", "soft"),
    ]
    assert changed["newMeters"] == []
    assert told(changed)[:3] == [
        (None, "requests", "hour", "hard"),
        (5_000, "requests", "day", "hard"),
        (100_000, "requests", "period", "hard"),
    ]
    assert (7, "tokens", "period", "hard") in told(changed)
    assert terminal.ask("tier", "list", "--project", project)["data"][1]["limits"] == changed["limits"]


def test_people_read_what_was_set_and_which_meters_were_made(terminal: Terminal, project: str) -> None:
    words = ("tier", "set", "--project", project, "--name", "pro")

    made = terminal.type(
        *words,
        *("--limit", "window=lifetime,max=3", "--limit", "meter=tokens,window=hour,max=unlimited,kind=soft"),
        *("--limit", "meter=seats,max=5,aggregation=distinct"),
    )
    renamed = terminal.type(*words, "--display-name", "Professional")

    assert made.out.splitlines() == [
        "Created the test tier pro of Shop: 3 requests per lifetime, unlimited tokens per hour (soft), "
        "5 seats per billing period.",
        "Created the meter tokens, which adds up quantities.",
        "Created the meter seats, which counts distinct subjects.",
    ]
    assert renamed.out == "Changed the test tier pro of Shop: display name Professional.\n"


def test_people_read_tiers_with_a_line_for_each_limit(terminal: Terminal, project: str) -> None:
    terminal.ask(
        *("tier", "set", "--project", project, "--name", "pro", "--limit", "meter=seats,max=5,aggregation=distinct"),
        *("--limit", "window=lifetime,max=70000,kind=soft", "--limit", "window=day,max=unlimited"),
    )

    lines = terminal.type("tier", "list", "--project", project).out.splitlines()

    assert [line.split() for line in lines] == [
        ["Tier", "Limit", "Meter", "Window", "Kind", "Price", "State", "Name"],
        ["free", "1,000", "requests", "period", "hard", "default", "Free"],
        ["pro", "unlimited", "requests", "day", "hard", "Pro"],
        ["70,000", "requests", "lifetime", "soft"],
        ["5", "seats", "(distinct)", "period", "hard"],
    ]


def test_one_limit_of_a_meter_may_tell_how_it_counts(terminal: Terminal, project: str) -> None:
    made = terminal.ask(
        *("tier", "set", "--project", project, "--name", "pro"),
        *("--limit", "meter=seats,max=5", "--limit", "meter=seats,window=day,max=3,aggregation=distinct"),
    )

    assert made["newMeters"] == [{"name": "seats", "aggregation": "distinct"}]


FAULTS = {
    "max=1,window=week": "The window of a limit must be hour, day, month, period or lifetime, not 'week'.",
    "max=1,kind=firm": "The kind of a limit must be hard or soft, not 'firm'.",
    "meter=seats,max=1,aggregation=mean": "The aggregation of a limit must be sum or distinct, not 'mean'.",
    "max=1,metre=seats": "A limit has no key 'metre'. Its keys are meter, window, max, kind and aggregation.",
    "max=1,max=2": "The limit 'max=1,max=2' contains the key max twice.",
    "max=1,50": "The part '50' of the limit must have the format key=value.",
    "window=day": "The limit 'window=day' needs a max: a whole number, or unlimited.",
    "max=": "A limit must be a whole number from 0 to 9,007,199,254,740,991, or the word unlimited, not ''.",
    "meter=My Seats,max=1": "A meter name must be 1 to 63 characters: a-z, 0-9, - and _, beginning with a-z or 0-9.",
    "meter=requests,max=1,aggregation=distinct": "The meter requests already exists with the aggregation sum.",
}


@pytest.mark.parametrize("limit", FAULTS)
def test_what_is_wrong_with_a_limit_is_named(terminal: Terminal, project: str, limit: str) -> None:
    refusal = terminal.refused("tier", "set", "--project", project, "--name", "pro", "--limit", limit)

    assert (refusal["code"], refusal["error"]) == ("validation_failed", FAULTS[limit])
    assert refusal["param"] in ("limit", "limits")
    assert refusal["hint"]
    assert len(terminal.ask("tier", "list", "--project", project)["data"]) == 1


def test_limits_that_contradict_one_another_are_refused(terminal: Terminal, project: str) -> None:
    words = ("tier", "set", "--project", project, "--name", "pro")

    twice = terminal.refused(*words, "--limit", "5", "--limit", "max=6,kind=soft")
    torn = terminal.refused(
        *words,
        *("--limit", "meter=seats,max=5,aggregation=sum"),
        *("--limit", "meter=seats,window=day,max=5,aggregation=distinct"),
    )

    assert twice["error"] == "There are two limits for requests per billing period."
    assert torn["error"] == "The limits of seats have different aggregations. A meter can have only one."


def test_a_new_tier_needs_a_limit_and_any_change_something_to_set(terminal: Terminal, project: str) -> None:
    words = ("tier", "set", "--project", project, "--name")

    nothing = terminal.refused(*words, "free")
    new = terminal.refused(*words, "pro", "--display-name", "Pro")

    assert nothing["error"] == "There is nothing to change: use --limit, --price or --display-name."
    assert new["error"] == "There is no test tier pro yet. A new tier needs a --limit or a --price."
    assert terminal.refused(*words, "free", "--display-name", "")["param"] == "displayName"
    assert [tier["name"] for tier in terminal.ask("tier", "list", "--project", project)["data"]] == ["free"]


def test_a_tier_has_prices_which_are_replaced_one_by_one(terminal: Terminal, project: str) -> None:
    words = ("tier", "set", "--project", project, "--name", "pro", "--price")

    made = terminal.ask(*words, "19.99", "--price", "amount=199,interval=year", "--limit", "5")
    changed = terminal.ask(*words, "24.99", "--price", "amount=0.50,meter=tokens,per=1000")
    other = terminal.ask(*words, " amount = 18 , currency = EUR , interval = week , count = 2 , scheme = per_unit ")

    def told(of: dict[str, Any]) -> list[tuple[object, ...]]:
        return [(one["price"], one["currency"], one["interval"], one["meter"]) for one in of["prices"]]

    monthly = made["prices"][0]
    assert monthly == {
        "amount": 1999,
        "price": "19.99",
        "currency": "usd",
        "type": "recurring",
        "billingScheme": "flat_rate",
        "interval": "month",
        "intervalCount": 1,
        "meter": None,
        "per": 1,
    }
    yearly = ("199.00", "usd", "year", None)
    assert told(made) == [("19.99", "usd", "month", None), yearly]
    assert told(changed) == [yearly, ("24.99", "usd", "month", None), ("0.50", "usd", "month", "tokens")]
    assert changed["newMeters"] == [{"name": "tokens", "aggregation": "sum"}]
    assert told(other) == [*told(changed), ("18.00", "eur", "week", None)]
    assert other["limit"] == 5
    assert terminal.ask("tier", "list", "--project", project)["data"][1]["prices"] == other["prices"]


def test_a_store_sells_at_a_price_alone(terminal: Terminal) -> None:
    shop = terminal.ask("project", "create", "Shop", "--type", "store")["projectId"]
    words = ("tier", "set", "--project", shop, "--name", "mug")

    made = terminal.ask(*words, "--price", "12.50", "--price", "amount=1500,currency=jpy")

    assert [(one["type"], one["amount"], one["interval"]) for one in made["prices"]] == [
        ("one_time", 1250, None),
        ("one_time", 1500, None),
    ]
    assert terminal.refused(*words, "--limit", "5")["param"] == "limits"
    assert terminal.refused(*words, "--price", "amount=5,interval=month")["param"] == "prices.0.interval"


PRICE_FAULTS = {
    "free": "Enter an amount such as 19.99.",
    "-1": "Enter an amount such as 19.99.",
    "19.999": "USD has 2 digits after the point, but the price has more.",
    "amount=1.5,currency=jpy": "JPY has 0 digits after the point, but the price has more.",
    "interval=year": "The price 'interval=year' needs an amount.",
    "amount=1,interval=decade": "The interval of a price must be day, week, month or year, not 'decade'.",
    "amount=1,scheme=tiered": "The scheme of a price must be flat_rate or per_unit, not 'tiered'.",
    "amount=1,count=many": "The count of a price must be a whole number, not 'many'.",
    "amount=1,color=red": "A price has no key 'color'. Its keys are amount, currency, interval, count, scheme, "
    "meter and per.",
    "amount=1,amount=2": "The price 'amount=1,amount=2' contains the key amount twice.",
    "amount=1,currency=xyz": "This currency is not supported.",
}


def test_what_is_wrong_with_a_price_is_said(terminal: Terminal, project: str) -> None:
    words = ("tier", "set", "--project", project, "--name", "pro")

    for price, sentence in PRICE_FAULTS.items():
        refusal = terminal.refused(*words, f"--price={price}")
        assert (refusal["code"], refusal["error"]) == ("validation_failed", sentence)
        assert refusal["hint"]
    assert len(terminal.ask("tier", "list", "--project", project)["data"]) == 1


def test_people_read_what_a_tier_costs(terminal: Terminal, project: str) -> None:
    words = ("--price", "19.99", "--price", "amount=0.50,meter=tokens,per=1000")

    said = terminal.type("tier", "set", "--project", project, "--name", "pro", *words)

    assert said.out.splitlines() == [
        "Created the test tier pro of Shop: $19.99 per month, $0.50 per 1,000 tokens, billed monthly.",
        "Created the meter tokens, which adds up quantities.",
    ]
    assert "$19.99 per month" in terminal.type("tier", "list", "--project", project).out

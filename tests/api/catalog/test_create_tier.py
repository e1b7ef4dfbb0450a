"""POST /tiers."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from dream_api.catalog.tables import coupons, prices, tier_limits, tiers
from dream_api.store.tables import stock
from dream_api.usage.tables import meters
from tests.support.instance import Account, Instance, bearer

MONTHLY = {"price": "19.99", "currency": "usd"}


async def rows(instance: Instance) -> list[int]:
    """How many there are of everything that a tier is made of."""
    async with instance.database.read() as tx:
        tables = (tiers, tier_limits, prices, coupons, stock, meters)
        return [int(await tx.scalar(select(func.count()).select_from(table))) for table in tables]


async def test_a_tier_is_made_with_its_limits_and_prices_in_one_call(instance: Instance, alice: Account) -> None:
    answer = await instance.api.post(
        "/tiers",
        headers=alice.sk,
        json={
            "name": "pro",
            "displayName": "Professional",
            "description": "For teams.",
            "number": 7,
            "features": ["Fast", "Support by e-mail"],
            "popular": True,
            "trialDays": 14,
            "imageUrl": "https://example.com/pro.png",
            "limit": 50_000,
            "limits": [{"meter": "seats", "window": "month", "max": 5, "aggregation": "distinct"}],
            "prices": [MONTHLY, {"amount": 19_900, "currency": "USD", "interval": "year"}],
        },
    )
    made = answer.json()

    assert answer.status_code == 201, answer.text
    monthly, yearly = made["prices"]
    assert made == {
        "id": made["id"],
        "name": "pro",
        "displayName": "Professional",
        "description": "For teams.",
        "number": 7,
        "features": ["Fast", "Support by e-mail"],
        "popular": True,
        "isVisible": True,
        "default": False,
        "trialDays": 14,
        "limit": 50_000,
        "limits": [
            {"meter": "requests", "aggregation": "sum", "window": "period", "kind": "hard", "max": 50_000},
            {"meter": "seats", "aggregation": "distinct", "window": "month", "kind": "hard", "max": 5},
        ],
        "price": "19.99",
        "currency": "usd",
        "interval": "month",
        "priceId": monthly["id"],
        "productId": made["id"],
        "prices": [monthly, yearly],
        "inventory": None,
        "lowInventory": None,
        "soldOut": False,
        "imageUrl": "https://example.com/pro.png",
        "metadata": {},
        "mode": "test",
        "createdAt": made["createdAt"],
        "updatedAt": made["createdAt"],
        "archivedAt": None,
    }
    assert monthly == {
        "id": monthly["id"],
        "amount": 1999,
        "price": "19.99",
        "currency": "usd",
        "type": "recurring",
        "billingScheme": "flat_rate",
        "per": 1,
        "tiers": None,
        "interval": "month",
        "intervalCount": 1,
        "meter": None,
        "metadata": {},
    }
    assert yearly == {**monthly, "id": yearly["id"], "amount": 19_900, "price": "199.00", "interval": "year"}
    assert (await instance.api.get("/tiers/pro", headers=alice.sk)).json() == made


async def test_a_name_is_all_it_takes(instance: Instance, alice: Account) -> None:
    made = (await instance.api.post("/tiers", headers=alice.sk, json={"name": "hobby"})).json()

    assert [made[name] for name in ("displayName", "features", "limit", "limits", "prices", "isVisible")] == [
        "Hobby",
        [],
        None,
        [],
        [],
        True,
    ]


async def test_the_tier_binds_calls_at_once(instance: Instance, alice: Account) -> None:
    await instance.api.post("/tiers", headers=alice.sk, json={"name": "tiny", "limit": 1, "prices": [MONTHLY]})

    counted = [await instance.api.post("/api/data", headers=alice.calls(**{"X-User-Plan": "tiny"})) for _ in range(2)]

    assert [answer.status_code for answer in counted] == [200, 429]


async def test_a_new_default_tier_takes_the_place_of_the_former(instance: Instance, alice: Account) -> None:
    made = await instance.api.post("/tiers", headers=alice.sk, json={"name": "starter", "default": True, "limit": 3})

    listed = (await instance.api.get("/tiers", headers=alice.sk)).json()["data"]
    assert made.json()["default"] is True
    assert {tier["name"]: tier["default"] for tier in listed} == {"starter": True, "free": False}
    assert (await instance.usage_of(alice, "new"))["plan"] == "starter"


async def test_what_a_usage_price_is_asked_for_is_counted_from_now_on(instance: Instance, alice: Account) -> None:
    usage = {"currency": "usd", "amount": 50, "per": 1000, "meter": "tokens"}
    made = (
        await instance.api.post("/tiers", headers=alice.sk, json={"name": "pro", "prices": [MONTHLY, usage]})
    ).json()

    assert [(one["type"], one["billingScheme"], one["meter"], one["per"]) for one in made["prices"]] == [
        ("recurring", "flat_rate", None, 1),
        ("usage", "per_unit", "tokens", 1000),
    ]
    counted = await instance.api.post("/api/data", headers=alice.calls(), json={"meter": "tokens", "quantity": 7})
    assert counted.json()["usage"]["count"] == 7


async def test_steps_come_back_as_they_were_sent(instance: Instance, alice: Account) -> None:
    steps = [{"upTo": 10, "unitAmount": 500, "flatAmount": 100}, {"upTo": None, "unitAmount": 0, "flatAmount": 0}]
    asked = {"currency": "eur", "billingScheme": "tiered", "tiers": steps}
    made = (await instance.api.post("/tiers", headers=alice.sk, json={"name": "pro", "prices": [asked]})).json()

    [price] = made["prices"]
    assert (price["billingScheme"], price["amount"], price["price"], price["tiers"]) == ("tiered", None, None, steps)


async def test_a_store_sells_once_by_the_piece_and_from_stock(instance: Instance, shop: Account) -> None:
    asked = {
        "name": "mug",
        "prices": [{"price": 12.5, "currency": "eur"}],
        "inventory": 3,
        "features": {"colour": "red"},
    }
    made = (await instance.api.post("/tiers", headers=shop.sk, json=asked)).json()

    [price] = made["prices"]
    assert (price["type"], price["billingScheme"], price["amount"]) == ("one_time", "per_unit", 1250)
    assert (price["interval"], price["intervalCount"]) == (None, None)
    assert (made["inventory"], made["features"], made["limits"]) == (3, {"colour": "red"}, [])


@pytest.mark.parametrize(
    ("price", "currency", "amount"),
    [
        ("500", "jpy", 500),
        (500, "jpy", 500),
        ("5.13", "usd", 513),
        (0.07, "usd", 7),
        ("5.120", "kwd", 5120),
        (0, "usd", 0),
    ],
)
async def test_a_price_is_told_in_major_units_as_text_or_number(
    instance: Instance, alice: Account, price: Any, currency: str, amount: int
) -> None:
    asked = {"name": "pro", "prices": [{"price": price, "currency": currency, "amount": amount}]}
    made = await instance.api.post("/tiers", headers=alice.sk, json=asked)

    assert made.json()["prices"][0]["amount"] == amount


async def test_the_same_request_again_is_answered_again_and_makes_nothing(instance: Instance, alice: Account) -> None:
    headers = {**alice.sk, "Idempotency-Key": "once"}
    first, again = [await instance.api.post("/tiers", headers=headers, json={"name": "pro"}) for _ in range(2)]

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_a_name_is_given_once_also_to_what_was_archived(instance: Instance, alice: Account) -> None:
    await instance.api.post("/tiers", headers=alice.sk, json={"name": "pro"})
    await instance.api.post("/tiers", headers=alice.sk, json={"name": "old"})
    await instance.api.delete("/tiers/old", headers=alice.sk)
    before = await rows(instance)

    for name in ("pro", "old"):
        answer = await instance.api.post("/tiers", headers=alice.sk, json={"name": name, "prices": [MONTHLY]})
        assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (409, "tier_exists", "name")
    assert await rows(instance) == before


async def test_of_all_who_make_a_tier_at_the_same_time_one_does(instance: Instance, alice: Account) -> None:
    asked = {"name": "pro", "limits": [{"meter": "tokens", "max": 1}], "prices": [MONTHLY]}
    answers = await asyncio.gather(*(instance.api.post("/tiers", headers=alice.sk, json=asked) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5


async def test_each_project_and_mode_has_tiers_of_its_own(instance: Instance, alice: Account, charlie: Account) -> None:
    made = [
        await instance.api.post("/tiers", headers=who, json={"name": "pro", "prices": [MONTHLY]})
        for who in (alice.sk, alice.live, charlie.sk)
    ]

    assert [answer.status_code for answer in made] == [201, 201, 201]
    assert len({answer.json()["prices"][0]["id"] for answer in made}) == 3
    assert [answer.json()["mode"] for answer in made] == ["test", "live", "test"]


def _priced(**price: Any) -> dict[str, Any]:
    return {"prices": [MONTHLY, {"currency": "usd", "interval": "year", **price}]}


def _stepped(*steps: dict[str, Any]) -> dict[str, Any]:
    return _priced(billingScheme="tiered", tiers=list(steps))


LAST = {"upTo": None, "unitAmount": 1}
# What is asked for beside the name, and the field at fault.
FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"name": "Pro Plan"}, "name"),
    ({"name": ""}, "name"),
    ({"name": "p" * 64}, "name"),
    ({"name": "a\u0000b"}, "name"),
    ({"name": 7}, "name"),
    ({"displayName": " "}, "displayName"),
    ({"displayName": "a\u0000b"}, "displayName"),
    ({"displayName": None}, "displayName"),
    ({"description": "a\u0000b"}, "description"),
    ({"number": -1}, "number"),
    ({"number": 1000}, "number"),
    ({"number": "1"}, "number"),
    ({"features": "fast"}, "features"),
    ({"features": [1]}, "features"),
    ({"features": ["f" * 201]}, "features"),
    ({"features": ["f"] * 51}, "features"),
    ({"features": None}, "features"),
    ({"features": {"f": "x" * 20_000}}, "features"),
    ({"popular": 1}, "popular"),
    ({"trialDays": -1}, "trialDays"),
    ({"trialDays": 731}, "trialDays"),
    ({"trialDays": True}, "trialDays"),
    ({"imageUrl": "javascript:alert(1)"}, "imageUrl"),
    ({"imageUrl": 'https://x/"onerror="'}, "imageUrl"),
    ({"limit": -1}, "limit"),
    ({"limit": 2**53}, "limit"),
    ({"limit": 1.5}, "limit"),
    ({"limits": [{"max": 1, "window": "week"}]}, "limits.0.window"),
    ({"limits": [{"max": -1}]}, "limits.0.max"),
    ({"limits": [{"max": 1, "meter": "My Seats"}]}, "limits.0.meter"),
    ({"limits": [{"meter": "seats"}]}, "limits.0.max"),
    ({"limits": [{"max": 1}, {"max": 2, "kind": "soft"}]}, "limits"),
    ({"limits": [{"max": 1, "aggregation": "distinct"}]}, "limits"),
    ({"limits": [{"max": 1, "meter": f"m{n}"} for n in range(51)]}, "limits"),
    ({"limit": 5, "limits": [{"max": 6}]}, "limit"),
    ({"inventory": 1}, "inventory"),
    ({"price": "19.99"}, "currency"),
    ({"display_name": "Pro"}, "display_name"),
    (_priced(), "prices.1.amount"),
    (_priced(amount=-1), "prices.1.amount"),
    (_priced(amount=100_000_000), "prices.1.amount"),
    (_priced(amount=1.5), "prices.1.amount"),
    (_priced(amount=False), "prices.1.amount"),
    (_priced(amount=10**30), "prices.1.amount"),
    (_priced(amount=1, price="0.02"), "prices.1.price"),
    (_priced(price="19.999"), "prices.1.price"),
    (_priced(price=19.999), "prices.1.price"),
    (_priced(price="-1"), "prices.1.price"),
    (_priced(price="1e2"), "prices.1.price"),
    (_priced(price=1e300), "prices.1.price"),
    (_priced(price=" 5"), "prices.1.price"),
    (_priced(price="1_000"), "prices.1.price"),
    (_priced(price="١"), "prices.1.price"),
    (_priced(price=""), "prices.1.price"),
    (_priced(price=True), "prices.1.price"),
    (_priced(price=[1]), "prices.1.price"),
    (_priced(price="1000000"), "prices.1.amount"),
    (_priced(price="0.5", currency="jpy"), "prices.1.price"),
    (_priced(price="1.234", currency="kwd"), "prices.1.amount"),
    (_priced(amount=150, currency="isk"), "prices.1.amount"),
    (_priced(amount=1, currency="xyz"), "prices.1.currency"),
    (_priced(amount=1, currency="usdollar"), "prices.1.currency"),
    (_priced(amount=1, currency=None), "prices.1.currency"),
    (_priced(amount=1, type="one_time"), "prices.1.type"),
    (_priced(amount=1, type="yearly"), "prices.1.type"),
    (_priced(amount=1, type="usage"), "prices.1.meter"),
    (_priced(amount=1, type="recurring", meter="tokens"), "prices.1.meter"),
    (_priced(amount=1, meter="My Tokens"), "prices.1.meter"),
    (_priced(amount=1, meter="tokens", billingScheme="flat_rate"), "prices.1.billingScheme"),
    (_priced(amount=1, interval="decade"), "prices.1.interval"),
    (_priced(amount=1, intervalCount=0), "prices.1.intervalCount"),
    (_priced(amount=1, intervalCount=4), "prices.1.intervalCount"),
    (_priced(amount=1, intervalCount=2**70), "prices.1.intervalCount"),
    (_priced(amount=1, billingScheme="per_unit", per=0), "prices.1.per"),
    (_priced(amount=1, billingScheme="per_unit", per=10**9 + 1), "prices.1.per"),
    (_priced(amount=1, per=2), "prices.1.per"),
    (_priced(amount=1, billingScheme="volume"), "prices.1.tiers"),
    (_priced(amount=1, tiers=[LAST]), "prices.1.tiers"),
    (_priced(amount=1, billingScheme="tiered", tiers=[LAST]), "prices.1.amount"),
    (_priced(amount=1, color="red"), "prices.1.color"),
    (_stepped({"upTo": 10, "unitAmount": 1}), "prices.1.tiers.0.upTo"),
    (_stepped(LAST, LAST), "prices.1.tiers.0.upTo"),
    (_stepped({"upTo": 10, "unitAmount": 1}, {"upTo": 10, "unitAmount": 1}, LAST), "prices.1.tiers.1.upTo"),
    (_stepped({"upTo": 10, "unitAmount": 1}, {"upTo": 9, "unitAmount": 1}, LAST), "prices.1.tiers.1.upTo"),
    (_stepped({"upTo": 0, "unitAmount": 1}, LAST), "prices.1.tiers.0.upTo"),
    (_stepped({"upTo": 2**60, "unitAmount": 1}, LAST), "prices.1.tiers.0.upTo"),
    (_stepped({"upTo": None, "unitAmount": -1}), "prices.1.tiers.0.unitAmount"),
    (_stepped({"upTo": None, "unitAmount": 1, "flatAmount": 10**8}), "prices.1.tiers.0.flatAmount"),
    (_stepped({"upTo": None, "unitAmount": 1, "currency": "eur"}), "prices.1.tiers.0.currency"),
    (_stepped({"unitAmount": 1}), "prices.1.tiers.0.upTo"),
    (_stepped(*({"upTo": n, "unitAmount": 1} for n in range(1, 51)), LAST), "prices.1.tiers"),
    ({"prices": [MONTHLY, {"amount": 1999, "currency": "USD", "interval": "month"}]}, "prices.1"),
    ({"prices": [{"amount": n, "currency": "usd", "meter": "tokens"} for n in (1, 2)]}, "prices.1.meter"),
    ({"prices": [{"amount": n, "currency": "usd"} for n in range(51)]}, "prices"),
    ({"prices": {"amount": 1}}, "prices"),
]


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_what_is_wrong_is_told_by_its_field_and_nothing_is_made(instance: Instance, alice: Account) -> None:
    before = await rows(instance)

    for asked, param in FAULTS:
        answer = await instance.api.post("/tiers", headers=alice.sk, json={"name": "pro", **asked})
        told = (answer.status_code, answer.json()["code"], answer.json()["param"])
        assert told == (422, "validation_failed", param), asked
    assert await rows(instance) == before


STORES_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"prices": [{"amount": 1, "currency": "usd", "type": "recurring"}]}, "prices.0.type"),
    ({"prices": [{"amount": 1, "currency": "usd", "type": "usage", "meter": "tokens"}]}, "prices.0.type"),
    ({"prices": [{"amount": 1, "currency": "usd", "meter": "tokens"}]}, "prices.0.meter"),
    ({"prices": [{"amount": 1, "currency": "usd", "interval": "month"}]}, "prices.0.interval"),
    ({"prices": [{"amount": 1, "currency": "usd", "intervalCount": 1}]}, "prices.0.intervalCount"),
    ({"limit": 5}, "limit"),
    ({"limits": [{"max": 5}]}, "limits"),
    ({"trialDays": 7}, "trialDays"),
    ({"default": True}, "default"),
    ({"inventory": -1}, "inventory"),
    ({"inventory": 2**63}, "inventory"),
    ({"inventory": "3"}, "inventory"),
]


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_store_sells_nothing_by_the_period(instance: Instance, shop: Account) -> None:
    before = await rows(instance)

    for asked, param in STORES_FAULTS:
        answer = await instance.api.post("/tiers", headers=shop.sk, json={"name": "mug", **asked})
        assert (answer.status_code, answer.json()["param"]) == (422, param), asked
    assert await rows(instance) == before


async def test_a_price_for_what_counts_subjects_is_refused(instance: Instance, alice: Account) -> None:
    seats = {"meter": "seats", "max": 5, "aggregation": "distinct"}
    price = {"amount": 1, "currency": "usd", "meter": "seats"}
    before = await rows(instance)
    answer = await instance.api.post(
        "/tiers", headers=alice.sk, json={"name": "pro", "limits": [seats], "prices": [price]}
    )

    assert (answer.status_code, answer.json()["param"]) == (422, "prices")
    assert await rows(instance) == before


async def test_a_number_is_given_once(instance: Instance, alice: Account) -> None:
    await instance.api.post("/tiers", headers=alice.sk, json={"name": "pro", "number": 2})
    answer = await instance.api.post("/tiers", headers=alice.sk, json={"name": "max", "number": 2})

    assert (answer.status_code, answer.json()["error"]) == (422, "The tier pro already has this number.")


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "pro", "features": [NaN]}',
        b'{"name": "pro", "features": {"a": 1e400}}',
        b'{"name": "\\ud800"}',
        b"[]",
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_what_is_no_json_is_refused(instance: Instance, alice: Account, body: bytes) -> None:
    before = await rows(instance)
    headers = {**alice.sk, "Content-Type": "application/json"}
    answer = await instance.api.post("/tiers", headers=headers, content=body)

    assert answer.status_code in (400, 422)
    assert await rows(instance) == before


async def test_only_a_server_makes_tiers(instance: Instance, alice: Account) -> None:
    before = await rows(instance)
    for headers, status in (({}, 401), (bearer(alice.publishable["test"]), 403)):
        answer = await instance.api.post("/tiers", headers=headers, json={"name": "pro"})
        assert answer.status_code == status
    assert await rows(instance) == before

"""The default price of a tier: `price` in requests, and what answers show of it."""

from typing import Any

import pytest

from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both

MONTHLY = {"amount": 2900, "currency": "usd", "interval": "month"}
YEARLY = {"amount": 29_000, "currency": "usd", "interval": "year"}
IN_EUROS = {"amount": 2700, "currency": "eur", "interval": "month"}
TOKENS = {"amount": 50, "currency": "usd", "meter": "tokens", "per": 1000}
QUARTERLY = {"amount": 8000, "currency": "usd", "interval": "month", "intervalCount": 3}
VOLUME = {"currency": "usd", "billingScheme": "volume", "tiers": [{"upTo": None, "unitAmount": 100}]}
SHOWN = ("price", "currency", "interval", "priceId", "productId")


async def ask(instance: Instance, account: Account, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    return await instance.api.request(method, path, headers=account.sk, json=body)


async def create(instance: Instance, account: Account, **body: Any) -> dict[str, Any]:
    answer = await ask(instance, account, "POST", "/tiers", {"name": "pro", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def update(instance: Instance, account: Account, **body: Any) -> dict[str, Any]:
    answer = await ask(instance, account, "PUT", "/tiers/pro", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def shown(tier: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(tier[name] for name in SHOWN[:3])


def sold(tier: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(price["amount"], price["currency"], price["interval"]) for price in tier["prices"]]


async def test_a_tier_is_created_with_one_price_as_in_the_source(instance: Instance, alice: Account) -> None:
    body = {"displayName": "Pro", "price": "29.00", "currency": "USD", "interval": "year", "limit": 1000}
    made = await create(instance, alice, **body)

    [price] = made["prices"]
    assert (price["amount"], price["type"], price["billingScheme"]) == (2900, "recurring", "flat_rate")
    assert [made[name] for name in SHOWN] == ["29.00", "usd", "year", price["id"], made["id"]]
    assert (await ask(instance, alice, "GET", "/tiers/pro")).json() == made
    [product] = [
        one for one in (await ask(instance, alice, "GET", "/api/products")).json()["data"] if one["name"] == "pro"
    ]
    assert {name: product[name] for name in SHOWN} == {name: made[name] for name in SHOWN}


async def test_a_plan_recurs_by_the_month_and_a_product_is_sold_once(
    instance: Instance, alice: Account, shop: Account
) -> None:
    plan = await create(instance, alice, price="29", currency="usd")
    product = await create(instance, shop, price="29", currency="usd", inventory=3)

    assert (shown(plan), plan["prices"][0]["type"]) == (("29.00", "usd", "month"), "recurring")
    assert (shown(product), product["prices"][0]["type"]) == (("29.00", "usd", None), "one_time")
    assert product["inventory"] == 3


async def test_a_tier_without_a_price_that_is_paid_in_advance_shows_none(instance: Instance, alice: Account) -> None:
    made = await create(instance, alice, prices=[TOKENS])

    assert [made[name] for name in SHOWN] == [None] * 5


async def test_a_default_price_in_tiers_shows_no_amount(instance: Instance, alice: Account) -> None:
    made = await create(instance, alice, prices=[VOLUME])

    assert (shown(made), made["priceId"]) == ((None, "usd", "month"), made["prices"][0]["id"])


@pytest.mark.parametrize(
    ("price", "currency", "amount"),
    [
        (29, "usd", 2900),
        (0, "usd", 0),
        (19.99, "usd", 1999),
        (0.07, "usd", 7),
        (4.35, "usd", 435),
        (999_999.99, "usd", 99_999_999),
        ("1.5", "usd", 150),
        ("1.50", "bhd", 1500),
        (500, "jpy", 500),
    ],
)
async def test_every_decimal_is_its_exact_amount(
    instance: Instance, alice: Account, price: object, currency: str, amount: int
) -> None:
    made = await create(instance, alice, price=price, currency=currency)

    assert made["prices"][0]["amount"] == amount


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"price": "29.00", "currency": "usd", "prices": []}, "price"),
        ({"price": "29.00"}, "currency"),
        ({"currency": "usd"}, "currency"),
        ({"interval": "month"}, "interval"),
        ({"price": None, "interval": "month", "prices": [MONTHLY]}, "interval"),
        ({"price": "1.005", "currency": "usd"}, "price"),
        ({"price": 0.1 + 0.2, "currency": "usd"}, "price"),
        ({"price": 1e22, "currency": "usd"}, "price"),
        ({"price": "-1", "currency": "usd"}, "price"),
        ({"price": True, "currency": "usd"}, "price"),
        ({"price": "1000000", "currency": "usd"}, "price"),
        ({"price": "1.005", "currency": "bhd"}, "price"),
        ({"price": "1", "currency": "xxx"}, "currency"),
        ({"price": "1", "currency": "usd", "interval": "fortnight"}, "interval"),
    ],
)
async def test_what_is_wrong_is_named(instance: Instance, alice: Account, body: dict[str, Any], param: str) -> None:
    answer = await ask(instance, alice, "POST", "/tiers", {"name": "pro", **body})

    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, "validation_failed", param)
    assert (await ask(instance, alice, "GET", "/tiers/pro")).status_code == 404


async def test_what_a_store_sells_has_no_interval(instance: Instance, shop: Account) -> None:
    body = {"name": "mug", "price": "12.50", "currency": "usd", "interval": "month"}
    answer = await ask(instance, shop, "POST", "/tiers", body)

    assert (answer.status_code, answer.json()["param"]) == (422, "interval")


async def test_a_new_price_takes_the_place_of_the_default_one(instance: Instance, alice: Account) -> None:
    made = await create(instance, alice, prices=[MONTHLY, YEARLY, IN_EUROS, TOKENS])
    monthly, *others = made["prices"]

    changed = await update(instance, alice, price="39")
    again = await update(instance, alice, price=39.0, currency="usd", interval="month")

    assert made["priceId"] == monthly["id"]
    assert [price for price in changed["prices"] if price["id"] != changed["priceId"]] == others
    assert (shown(changed), changed["priceId"] == monthly["id"]) == (("39.00", "usd", "month"), False)
    assert again["prices"] == changed["prices"]


async def test_the_only_price_may_change_its_currency_and_interval(instance: Instance, alice: Account) -> None:
    await create(instance, alice, prices=[MONTHLY, TOKENS])

    changed = await update(instance, alice, price="250", currency="eur", interval="year")

    assert shown(changed) == ("250.00", "eur", "year")
    assert sold(changed) == [(50, "usd", "month"), (25_000, "eur", "year")]


async def test_a_price_is_added_where_there_was_none(instance: Instance, alice: Account) -> None:
    await create(instance, alice, prices=[TOKENS])

    changed = await update(instance, alice, price="5", currency="usd")

    assert (shown(changed), len(changed["prices"])) == (("5.00", "usd", "month"), 2)


async def test_how_the_default_price_is_billed_stays(instance: Instance, alice: Account) -> None:
    await create(instance, alice, prices=[{**QUARTERLY, "billingScheme": "per_unit", "per": 5}])

    [price] = (await update(instance, alice, price="90"))["prices"]

    assert [price[name] for name in ("amount", "billingScheme", "per", "intervalCount")] == [9000, "per_unit", 5, 3]


@pytest.mark.parametrize(
    ("prices", "body"),
    [
        ([MONTHLY, YEARLY], {"price": "10", "interval": "day"}),
        ([MONTHLY, YEARLY], {"price": "10", "interval": "year"}),
        ([MONTHLY, IN_EUROS], {"price": "10", "currency": "eur"}),
        ([MONTHLY, {**MONTHLY, "amount": 1900}], {"price": "10"}),
        ([VOLUME], {"price": "10"}),
    ],
)
async def test_where_it_is_not_clear_which_price_is_meant_nothing_changes(
    instance: Instance, alice: Account, prices: list[dict[str, Any]], body: dict[str, Any]
) -> None:
    made = await create(instance, alice, prices=prices)

    answer = await ask(instance, alice, "PUT", "/tiers/pro", body)

    assert (answer.status_code, answer.json()["param"]) == (422, "price")
    assert (await ask(instance, alice, "GET", "/tiers/pro")).json() == made


async def test_null_is_as_if_left_out(instance: Instance, alice: Account) -> None:
    made = await create(instance, alice, price="29", currency="usd")

    changed = await update(instance, alice, price=None, currency=None, interval=None, popular=True)

    assert {**changed, "popular": False, "updatedAt": made["updatedAt"]} == made


async def test_products_of_a_new_project_have_one_price_each(instance: Instance, alice: Account) -> None:
    products = [{"name": "free", "price": 0, "currency": "usd"}, {"name": "pro", "price": "29.00", "currency": "usd"}]
    body = {"name": "API", "projectType": "saas", "products": products}

    answer = await instance.api.post("/create-products", headers=alice.at_api(), json=body)

    assert answer.status_code == 201, answer.text
    assert {tier["name"]: shown(tier) for tier in answer.json()["products"]} == {
        "free": ("0.00", "usd", "month"),
        "pro": ("29.00", "usd", "month"),
    }


async def test_of_products_in_one_call_the_wrong_price_is_named(instance: Instance, alice: Account) -> None:
    products = [{"name": "pro", "price": "29.00"}]
    body = {"name": "API", "projectType": "saas", "products": products}

    answer = await instance.api.post("/create-products", headers=alice.at_api(), json=body)

    assert (answer.status_code, answer.json()["param"]) == (422, "products.0.currency")

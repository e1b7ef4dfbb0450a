"""PUT and DELETE /tiers/{name}."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from dream_api import store
from dream_api.catalog.tables import prices
from dream_api.platforms import ProjectScope
from dream_api.store import Inventory
from dream_api.store.tables import stock
from tests.api.catalog.test_create_tier import rows
from tests.support.instance import Account, Instance

MONTHLY = {"amount": 1999, "currency": "usd", "interval": "month"}
YEARLY = {"amount": 19_900, "currency": "usd", "interval": "year"}
DAILY = {"meter": "requests", "window": "day", "max": 50}


@pytest.fixture
async def pro(instance: Instance, alice: Account) -> dict[str, Any]:
    """A tier with two limits and two prices."""
    asked = {"name": "pro", "description": "Old.", "limit": 1000, "limits": [DAILY], "prices": [MONTHLY, YEARLY]}
    answer = await instance.api.post("/tiers", headers=alice.sk, json=asked)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def put(instance: Instance, account: Account, tier: str, **asked: Any) -> Any:
    return await instance.api.put(f"/tiers/{tier}", headers=account.sk, json=asked)


async def all_prices(instance: Instance) -> dict[str, tuple[int, bool]]:
    """Amount, and whether it is sold, of every price of a tier that was made in a test."""
    async with instance.database.read() as tx:
        found = await tx.all(select(prices).where(prices.c.unit_amount.not_in([6_000, 12_000, 18_000])))
    return {row.id: (row.unit_amount, row.archived_at is None) for row in found}


async def test_what_is_sent_changes_and_the_rest_stays(instance: Instance, alice: Account, pro: dict[str, Any]) -> None:
    answer = await put(instance, alice, "pro", displayName="Professional", description=None, trialDays=7, soldOut=True)

    changed = answer.json()
    told = {"displayName": "Professional", "description": None, "trialDays": 7, "soldOut": True}
    assert answer.status_code == 200
    assert changed == {**pro, **told, "updatedAt": changed["updatedAt"]}
    assert changed["updatedAt"] > pro["updatedAt"]
    assert (await instance.api.get("/tiers/pro", headers=alice.sk)).json() == changed


async def test_a_price_that_differs_is_a_new_one_and_the_former_is_archived(
    instance: Instance, alice: Account, pro: dict[str, Any]
) -> None:
    monthly, yearly = [price["id"] for price in pro["prices"]]

    changed = (await put(instance, alice, "pro", prices=[{**MONTHLY, "amount": 2499}, YEARLY])).json()

    kept, new = changed["prices"]
    assert (kept["id"], new["amount"]) == (yearly, 2499)
    assert await all_prices(instance) == {monthly: (1999, False), yearly: (19_900, True), new["id"]: (2499, True)}


async def test_the_same_prices_again_change_nothing(instance: Instance, alice: Account, pro: dict[str, Any]) -> None:
    again = [{"price": "19.99", "currency": "USD"}, {**YEARLY, "billingScheme": "flat_rate", "intervalCount": 1}]
    changed = (await put(instance, alice, "pro", prices=again)).json()

    assert changed["prices"] == pro["prices"]
    assert len(await all_prices(instance)) == 2


async def test_a_price_that_comes_back_is_another_one(instance: Instance, alice: Account, pro: dict[str, Any]) -> None:
    await put(instance, alice, "pro", prices=[])
    changed = (await put(instance, alice, "pro", prices=[MONTHLY])).json()

    assert [price["amount"] for price in changed["prices"]] == [1999]
    assert changed["prices"][0]["id"] not in {price["id"] for price in pro["prices"]}
    assert sum(is_sold for _, is_sold in (await all_prices(instance)).values()) == 1


async def test_of_prices_that_are_put_at_the_same_time_one_set_is_sold(
    instance: Instance, alice: Account, pro: dict[str, Any]
) -> None:
    amounts = range(100, 106)
    await asyncio.gather(*(put(instance, alice, "pro", prices=[{**MONTHLY, "amount": amount}]) for amount in amounts))

    sold = [amount for amount, is_sold in (await all_prices(instance)).values() if is_sold]
    assert len(sold) == 1
    assert sold[0] in amounts


async def test_limits_are_replaced_as_a_list_and_bind_at_once(
    instance: Instance, alice: Account, pro: dict[str, Any]
) -> None:
    changed = (await put(instance, alice, "pro", limits=[{"window": "hour", "max": 1}])).json()

    assert changed["limit"] is None
    assert [(limit["window"], limit["max"]) for limit in changed["limits"]] == [("hour", 1)]
    calls = alice.calls(**{"X-User-Plan": "pro"})
    assert [(await instance.api.post("/api/data", headers=calls)).status_code for _ in range(2)] == [200, 429]


async def test_the_limit_of_the_period_changes_alone(instance: Instance, alice: Account, pro: dict[str, Any]) -> None:
    for limit, told in ((5, {"period": 5, "day": 50}), (None, {"day": 50})):
        changed = (await put(instance, alice, "pro", limit=limit)).json()

        assert changed["limit"] == limit
        assert {one["window"]: one["max"] for one in changed["limits"]} == told


async def test_what_is_read_may_be_sent_back(instance: Instance, alice: Account, pro: dict[str, Any]) -> None:
    of_the_default_price = ("price", "currency", "interval", "priceId", "productId")
    shown = ("id", "name", "mode", "createdAt", "updatedAt", "archivedAt", *of_the_default_price)
    asked = {name: value for name, value in pro.items() if name not in shown}
    asked["prices"] = [{name: each[name] for name in each if name not in ("id", "tiers")} for each in pro["prices"]]

    changed = (await put(instance, alice, "pro", **asked)).json()

    assert changed == {**pro, "updatedAt": changed["updatedAt"]}


async def test_the_default_tier_moves_and_may_be_none(instance: Instance, alice: Account, pro: dict[str, Any]) -> None:
    await put(instance, alice, "pro", default=True)
    moved = (await instance.api.get("/tiers", headers=alice.sk)).json()["data"]
    await put(instance, alice, "pro", default=False)
    refused = await instance.api.post("/api/data", headers=alice.calls("nobody"))

    assert {tier["name"]: tier["default"] for tier in moved} == {"free": False, "pro": True}
    assert refused.json()["code"] == "no_plan"


async def test_a_change_that_is_refused_changes_nothing(
    instance: Instance, alice: Account, pro: dict[str, Any]
) -> None:
    before = await rows(instance)

    for asked, param in (
        ({"description": "New.", "prices": [{**MONTHLY, "amount": -1}]}, "prices.0.amount"),
        ({"description": "New.", "limits": [{"max": 1}, {"max": 2}]}, "limits"),
        ({"description": "New.", "inventory": 5}, "inventory"),
        ({"description": "New.", "lowInventory": 5}, "lowInventory"),
        ({"description": "New.", "name": "max"}, "name"),
        ({"description": "New.", "limits": None}, "limits"),
        ({"description": "New.", "prices": None}, "prices"),
    ):
        answer = await put(instance, alice, "pro", **asked)
        assert (answer.status_code, answer.json()["param"]) == (422, param)
    assert (await instance.api.get("/tiers/pro", headers=alice.sk)).json() == pro
    assert await rows(instance) == before


@pytest.mark.parametrize("name", ["gold", "Pro Plan", "a%00b", "x" * 300])
async def test_what_is_not_there_is_not_found(instance: Instance, alice: Account, name: str) -> None:
    for method, body in (("GET", {}), ("PUT", {"json": {}}), ("DELETE", {})):
        answer = await instance.api.request(method, f"/tiers/{name}", headers=alice.sk, **body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_strangers_tier_of_the_same_name_stays(
    instance: Instance, alice: Account, charlie: Account, pro: dict[str, Any]
) -> None:
    await instance.api.post("/tiers", headers=charlie.sk, json={"name": "pro", "prices": [MONTHLY]})
    await instance.api.put("/tiers/pro", headers=charlie.sk, json={"description": "His.", "limits": [], "prices": []})
    await instance.api.delete("/tiers/pro", headers=charlie.sk)
    live = await instance.api.delete("/tiers/pro", headers=alice.live)

    assert live.status_code == 404
    assert (await instance.api.get("/tiers/pro", headers=alice.sk)).json() == pro


# Archived.


async def test_an_archived_tier_is_hidden_from_buyers_and_kept_by_who_has_it(
    instance: Instance, alice: Account, pro: dict[str, Any]
) -> None:
    await instance.api.post("/api/customers", headers=alice.sk, json={"userId": "ada", "plan": "pro"})

    archived = await instance.api.delete("/tiers/pro", headers=alice.sk)

    assert archived.status_code == 200
    assert archived.json()["archivedAt"] is not None
    assert (await instance.api.get("/tiers/pro", headers=alice.sk)).json() == archived.json()
    for path in ("/tiers", "/api/products"):
        assert [one["name"] for one in (await instance.api.get(path, headers=alice.sk)).json()["data"]] == ["free"]
    assert (await instance.usage_of(alice))["plan"] == "pro"


async def test_an_archived_tier_does_not_change_and_stays_archived(
    instance: Instance, alice: Account, pro: dict[str, Any]
) -> None:
    first = await instance.api.delete("/tiers/pro", headers=alice.sk)
    changed = await put(instance, alice, "pro", prices=[])
    again = await instance.api.delete("/tiers/pro", headers=alice.sk)

    assert (changed.status_code, changed.json()["code"]) == (409, "tier_archived")
    assert again.json() == first.json()
    assert again.json()["prices"] == pro["prices"]


async def test_the_default_tier_is_not_archived(instance: Instance, alice: Account) -> None:
    answer = await instance.api.delete("/tiers/free", headers=alice.sk)

    assert (answer.status_code, answer.json()["code"]) == (409, "tier_is_default")
    assert (await instance.usage_of(alice))["plan"] == "free"


# In stock.


@pytest.fixture
async def mug(instance: Instance, shop: Account) -> dict[str, Any]:
    asked = {"name": "mug", "prices": [{"amount": 1250, "currency": "eur"}], "inventory": 5}
    return (await instance.api.post("/tiers", headers=shop.sk, json=asked)).json()


async def test_inventory_is_set_and_left_alone(instance: Instance, shop: Account, mug: dict[str, Any]) -> None:
    told = [
        (await put(instance, shop, "mug", **asked)).json()["inventory"]
        for asked in (
            {"description": "Blue."},
            {"inventory": 9},
            {"inventory": 0},
            {"inventory": None},
            {"inventory": 2},
        )
    ]

    assert told == [5, 9, 0, None, 2]


async def test_the_number_at_which_few_are_left_is_set_and_left_alone(
    instance: Instance, shop: Account, mug: dict[str, Any]
) -> None:
    told = [
        (await put(instance, shop, "mug", **asked)).json()["lowInventory"]
        for asked in ({}, {"lowInventory": 2}, {"inventory": 7}, {"lowInventory": None}, {"lowInventory": 0})
    ]

    assert told == [None, 2, 2, None, 0]


async def test_what_is_not_counted_has_no_number_at_which_few_are_left(
    instance: Instance, shop: Account, mug: dict[str, Any]
) -> None:
    answer = await put(instance, shop, "mug", inventory=None, lowInventory=2)

    assert (answer.status_code, answer.json()["param"]) == (422, "lowInventory")
    assert (await instance.api.get("/tiers/mug", headers=shop.sk)).json()["inventory"] == mug["inventory"]


async def test_inventory_never_falls_below_what_is_held(instance: Instance, shop: Account, mug: dict[str, Any]) -> None:
    async with instance.database.write() as tx:
        await tx.execute(stock.update().values(held=3))

    for inventory in (2, 0, None):
        answer = await put(instance, shop, "mug", inventory=inventory, description="Changed.")
        assert (answer.status_code, answer.json()["code"]) == (422, "inventory_below_held")
    assert (await put(instance, shop, "mug", inventory=3)).json()["inventory"] == 3
    assert (await instance.api.get("/tiers/mug", headers=shop.sk)).json()["description"] is None
    async with instance.database.read() as tx:
        scope = ProjectScope(shop.project.platform_no, shop.project.id, "test")
        assert await store.get_inventory(tx, scope, [mug["id"], "tier_none"]) == {
            mug["id"]: Inventory(3, held=3),
            "tier_none": Inventory(None),
        }

"""POST /create-products."""

from typing import Any

import pytest

from dream_api import platforms
from tests.support.instance import Account, Instance, bearer

PRO = {"name": "pro", "limit": 5, "prices": [{"price": "19.99", "currency": "usd"}]}


async def create(instance: Instance, account: Account, headers: dict[str, str] | None = None, **asked: Any) -> Any:
    whose = bearer(account.token["owner"]) if headers is None else headers
    body = {"name": "New", "projectType": "saas", **asked}
    return await instance.api.post("/create-products", headers=whose, json=body)


async def projects(instance: Instance) -> list[str]:
    async with instance.database.read() as tx:
        return [row.name for row in await platforms.all_projects(tx)]


async def test_a_project_is_ready_to_sell(instance: Instance, alice: Account) -> None:
    answer = await create(instance, alice, products=[PRO, {"name": "max"}])
    made = answer.json()
    account = bearer(made["secretKey"])

    assert answer.status_code == 201, answer.text
    assert [one["name"] for one in made["products"]] == ["max", "pro", "free"]
    assert (await instance.api.get("/tiers", headers=account)).json()["data"] == made["products"]
    seen = await instance.api.get("/api/products", headers=bearer(made["publishableKey"]))
    [price] = made["products"][1]["prices"]
    assert [[each["id"] for each in one["prices"]] for one in seen.json()["data"]] == [[], [price["id"]], []]
    counted = await instance.api.post("/api/data", headers={**account, "X-User-Id": "ada", "X-User-Plan": "pro"})
    assert counted.json()["usage"]["limit"] == 5
    assert (made["name"], made["projectType"]) == ("New", "saas")


async def test_a_store_begins_with_what_it_sells_and_has(instance: Instance, alice: Account) -> None:
    mug = {"name": "mug", "inventory": 4, "prices": [{"amount": 900, "currency": "eur"}]}
    made = (await create(instance, alice, projectType="store", products=[mug])).json()

    [shown] = made["products"]
    assert (shown["inventory"], shown["prices"][0]["type"]) == (4, "one_time")


async def test_the_tier_that_every_saas_project_has_may_be_told(instance: Instance, alice: Account) -> None:
    made = (await create(instance, alice, products=[{"name": "free", "limit": 7}])).json()
    moved = (await create(instance, alice, products=[{"name": "starter", "default": True}])).json()

    assert [(one["name"], one["limit"], one["default"]) for one in made["products"]] == [("free", 7, True)]
    assert [(one["name"], one["default"]) for one in moved["products"]] == [("starter", True), ("free", False)]


async def test_a_replay_tells_no_secret_and_makes_nothing(instance: Instance, alice: Account) -> None:
    headers = {**bearer(alice.token["owner"]), "Idempotency-Key": "once"}
    first, again = [(await create(instance, alice, headers)).json() for _ in range(2)]

    assert first["secretKey"].startswith("sk_test_")
    assert again == {**first, "secretKey": None}
    assert (await projects(instance)).count("New") == 1


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"name": " "}, "name"),
    ({"projectType": "shop"}, "projectType"),
    ({"products": [PRO, {**PRO, "name": "max", "prices": [{"amount": 1}]}]}, "products.1.prices.0.currency"),
    ({"products": [PRO, {"name": "max", "prices": [{"currency": "usd"}]}]}, "products.1.prices.0.amount"),
    ({"products": [PRO, {"name": "max", "limits": [{"max": 1}, {"max": 2}]}]}, "products.1.limits"),
    ({"products": [PRO, {"name": "Pro Plan"}]}, "products.1.name"),
    ({"products": [PRO, PRO]}, "products.1.name"),
    ({"products": [{"name": "mug", "inventory": 1}]}, "products.0.inventory"),
    ({"projectType": "store", "products": [PRO]}, "products.0.limit"),
    ({"products": [{"name": f"t{n}"} for n in range(101)]}, "products"),
    ({"mode": "live"}, "mode"),
]


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_what_is_wrong_is_told_by_its_field_and_nothing_is_made(instance: Instance, alice: Account) -> None:
    before = await projects(instance)

    for asked, param in FAULTS:
        answer = await create(instance, alice, **asked)
        assert (answer.status_code, answer.json()["param"]) == (422, param), asked
    assert await projects(instance) == before


async def test_only_who_runs_the_platform_makes_projects(instance: Instance, alice: Account, charlie: Account) -> None:
    before = await projects(instance)
    answers = [
        await create(instance, alice, headers)
        for headers in (
            {},
            alice.sk,
            bearer(alice.token["viewer"]),
            bearer(alice.token["member"]),
            {**bearer(charlie.token["owner"]), "X-Platform-Id": alice.project.platform_id},
        )
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (401, "key_missing"),
        (403, "personal_token_required"),
        (403, "permission_denied"),
        (403, "permission_denied"),
        (404, "not_found"),
    ]
    assert await projects(instance) == before

"""`POST /api/data/batch`: many calls, each counted or refused on its own."""

from typing import Any

import pytest

from dream_api.catalog import TierLimit
from dream_api.core.settings import Settings
from tests.support.cases import each_case
from tests.support.instance import Account, Instance, open_instance

pytestmark = pytest.mark.both


async def send(instance: Instance, account: Account, items: list[dict[str, Any]], **headers: str) -> Any:
    return await instance.api.post("/api/data/batch", headers={**account.sk, **headers}, json={"items": items})


async def test_each_item_is_answered_in_its_place(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(3))

    answer = await send(
        instance,
        alice,
        [
            {"userId": "ada", "quantity": 2},
            {"userId": "ada", "quantity": 2},
            {"userId": "ada"},
            {"userId": "bob", "plan": "gold"},
            {"userId": "bob", "meter": "tokens"},
            {"userId": "bob", "quantity": 0},
            {"userId": "bob", "quantity": -1},
            {"userId": "bob"},
        ],
    )

    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [one["status"] for one in results] == [200, 429, 200, 422, 422, 422, 422, 200]
    assert [one.get("code") for one in results] == [
        None,
        "tier_limit_reached",
        None,
        "unknown_plan",
        "unknown_meter",
        "quantity_out_of_range",
        "correction_below_zero",
        None,
    ]
    assert [one.get("param") for one in results[3:7]] == [
        "items.3.plan",
        "items.4.meter",
        "items.5.quantity",
        "items.6.quantity",
    ]
    assert (results[2]["allowed"], results[2]["usage"]["count"], results[2]["usage"]["remaining"]) == (True, 3, 0)
    assert (results[1]["allowed"], results[1]["usage"]["count"]) == (False, 2)
    assert (await instance.usage_of(alice, "ada"))["count"] == 3


@each_case(
    ("body", "param"),
    [
        ({"items": []}, "items"),
        ({"items": [{"userId": "ada"}] * 1001}, "items"),
        ({"items": [{"userId": "ada"}, {"quantity": 1}]}, "items.1.userId"),
        ({"items": [{"userId": "ada"}, {"userId": "ada", "quantity": "1"}]}, "items.1.quantity"),
        ({"items": [{"userId": "ada"}, {"userId": "ada", "user": "x"}]}, "items.1.user"),
        ({"items": "ada"}, "items"),
        ({}, "items"),
    ],
)
async def test_a_body_of_the_wrong_form_counts_nothing(instance: Instance, alice: Account, body: Any, param: str):
    answer = await instance.api.post("/api/data/batch", headers=alice.sk, json=body)

    assert (answer.status_code, answer.json()["param"]) == (422, param)
    assert (await instance.usage_of(alice, "ada"))["count"] == 0


async def test_a_thousand_items_are_counted_to_the_last(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(900))

    answer = await send(instance, alice, [{"userId": "ada"}] * 1000)

    statuses = [one["status"] for one in answer.json()["results"]]
    assert statuses == [200] * 900 + [429] * 100


async def test_the_same_batch_under_one_key_counts_once(instance: Instance, alice: Account):
    items = [{"userId": "ada"}, {"userId": "ada", "quantity": 5}, {"userId": "bob"}]

    first = await send(instance, alice, items, **{"Idempotency-Key": "b1"})
    again = await send(instance, alice, items, **{"Idempotency-Key": "b1"})
    longer = await send(instance, alice, [*items, {"userId": "bob"}], **{"Idempotency-Key": "b1"})
    other = await send(instance, alice, [{"userId": "eve"}, *items[1:]], **{"Idempotency-Key": "b1"})

    assert first.json() == again.json()
    assert [one["status"] for one in longer.json()["results"]] == [200] * 4
    assert [one.get("code") for one in other.json()["results"]] == ["idempotency_mismatch", None, None]
    assert (await instance.usage_of(alice, "ada"))["count"] == 6
    assert (await instance.usage_of(alice, "bob"))["count"] == 2


async def test_an_items_own_key_is_the_same_as_a_single_calls(instance: Instance, alice: Account):
    await send(instance, alice, [{"userId": "ada", "idempotencyKey": "e1"}] * 2, **{"Idempotency-Key": "b2"})
    single = await instance.api.post("/api/data", headers=alice.calls("ada", **{"Idempotency-Key": "e1"}))

    assert single.json()["usage"]["count"] == 1
    assert (await instance.usage_of(alice, "ada"))["count"] == 1


async def test_each_live_item_counts_against_the_level(instance: Instance, alice: Account):
    from dream_api.usage import Window

    await instance.set_level(9, TierLimit(3, "requests", Window.DAY))
    await instance.assign(alice, 9)
    body = {"items": [{"userId": "ada", "quantity": 7}] * 5}

    answer = await instance.api.post("/api/data/batch", headers=alice.live, json=body)

    assert [one["status"] for one in answer.json()["results"]] == [200, 200, 200, 429, 429]


async def test_a_batch_that_does_not_fit_the_queue_counts_nothing(database_settings: Settings):
    async with open_instance(database_settings.model_copy(update={"metering_queue": 5})) as instance:
        answer = await send(instance, instance.alice, [{"userId": "ada"}] * 6)

        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert int(answer.headers["Retry-After"]) >= 1
        assert (await instance.usage_of(instance.alice, "ada"))["count"] == 0


async def test_a_store_has_no_metered_calls(instance: Instance):
    from tests.support.instance import open_account

    store = await open_account(instance.database, "Store", "store")

    answer = await send(instance, store, [{"userId": "ada"}])

    assert (answer.status_code, answer.json()["code"]) == (403, "saas_only")

"""Reserve and settle: held before it is known how much will be used."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from dream_api import customers
from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.usage import Window
from tests.support.cases import each_case
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both


async def reserve(instance: Instance, headers: dict[str, str], **body: Any) -> Any:
    return await instance.api.post("/api/usage/reserve", headers=headers, json={"quantity": 1, **body})


async def settle(instance: Instance, headers: dict[str, str], reservation: str, quantity: int, **more: str) -> Any:
    path = f"/api/usage/reserve/{reservation}/settle"
    return await instance.api.post(path, headers={**headers, **more}, json={"quantity": quantity})


def id_of(answer: Any) -> str:
    assert answer.status_code == 201, answer.text
    return answer.json()["reservation"]["id"]


async def test_what_is_held_weighs_on_every_window_and_what_is_settled_counts(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(10), TierLimit(8, window=Window.HOUR))

    held = await reserve(instance, alice.calls(), quantity=6, ttlSeconds=60)
    refused = await instance.api.post("/api/data", headers=alice.calls(), json={"quantity": 3})
    settled = await settle(instance, alice.sk, id_of(held), 4)
    after = await instance.api.post("/api/data", headers=alice.calls(), json={"quantity": 3})

    assert held.json()["usage"] | {"count": 0, "remaining": 2, "window": "hour"} == held.json()["usage"]
    assert held.json()["reservation"]["state"] == "open"
    assert refused.json()["code"] == "tier_limit_reached"
    assert settled.json()["usage"]["count"] == 4
    assert settled.json()["reservation"] | {"state": "settled", "settled": 4} == settled.json()["reservation"]
    assert (after.status_code, after.json()["usage"]["count"]) == (200, 7)


async def test_more_than_fits_is_not_held_and_makes_no_customer(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(5))

    answer = await reserve(instance, alice.calls(), quantity=6)

    assert (answer.status_code, answer.json()["code"]) == (429, "tier_limit_reached")
    assert (await instance.api.get("/api/customers", headers=alice.sk)).json()["data"] == []


async def test_its_time_over_it_weighs_no_more_and_cannot_be_settled(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(5))
    held = await reserve(instance, alice.calls(), quantity=5, ttlSeconds=60)

    clock.move(61 * clock.SECOND)
    read = await instance.usage_of(alice)
    counted = await instance.api.post("/api/data", headers=alice.calls(), json={"quantity": 5})
    late = await settle(instance, alice.sk, id_of(held), 1)

    assert read["remaining"] == 5
    assert counted.status_code == 200
    assert (late.status_code, late.json()["code"]) == (409, "reservation_expired")


async def test_it_is_settled_once(instance: Instance, alice: Account):
    held = id_of(await reserve(instance, alice.calls(), quantity=5))
    await settle(instance, alice.sk, held, 2)

    again = await settle(instance, alice.sk, held, 2)

    assert (again.status_code, again.json()["code"]) == (409, "reservation_settled")
    assert (await instance.usage_of(alice))["count"] == 2


async def test_nothing_used_releases_all_and_counts_nothing(instance: Instance, alice: Account):
    await instance.set_level(9, TierLimit(1, "requests", Window.DAY))
    await instance.assign(alice, 9)
    live = {**alice.live, "X-User-Id": "ada"}
    held = id_of(await reserve(instance, live, quantity=5))

    assert (await reserve(instance, live, quantity=1)).json()["code"] == "level_limit_reached"
    assert (await settle(instance, alice.live, held, 0)).status_code == 200

    again = id_of(await reserve(instance, live, quantity=1))
    assert (await settle(instance, alice.live, again, 1)).status_code == 200
    assert (await reserve(instance, live, quantity=1)).json()["code"] == "level_limit_reached"


async def test_what_was_promised_is_kept_when_the_limit_is_lowered(instance: Instance, alice: Account):
    held = id_of(await reserve(instance, alice.calls(), quantity=5))
    await instance.set_limits(alice, "free", TierLimit(1))

    assert (await settle(instance, alice.sk, held, 5)).json()["usage"]["count"] == 5
    assert (await instance.api.post("/api/data", headers=alice.calls())).status_code == 429


async def test_retries_with_a_key_hold_and_settle_once(instance: Instance, alice: Account):
    key = {"Idempotency-Key": "r1"}
    held = [await reserve(instance, {**alice.calls(), **key}, quantity=4) for _ in range(2)]
    settled = [await settle(instance, alice.sk, id_of(held[0]), 3, **{"Idempotency-Key": "s1"}) for _ in range(2)]

    assert held[0].json() == held[1].json()
    assert [answer.status_code for answer in settled] == [200, 200]
    usage = await instance.usage_of(alice)
    assert (usage["count"], usage["remaining"]) == (3, 997)


@each_case(
    ("body", "code", "param"),
    [
        ({"quantity": 0}, "validation_failed", "quantity"),
        ({"quantity": -1}, "validation_failed", "quantity"),
        ({"quantity": 10**9 + 1}, "validation_failed", "quantity"),
        ({"ttlSeconds": 0}, "validation_failed", "ttlSeconds"),
        ({"ttlSeconds": 86_401}, "validation_failed", "ttlSeconds"),
        ({"meter": "tokens"}, "unknown_meter", "meter"),
        ({"meter": "seats"}, "validation_failed", "meter"),
        ({"subject": "x"}, "validation_failed", "subject"),
    ],
)
async def test_what_cannot_be_held_is_refused(instance: Instance, alice: Account, body: Any, code: str, param: str):
    await instance.set_limits(alice, "free", TierLimit(5, "seats", aggregation="distinct"))

    answer = await reserve(instance, alice.calls(), **body)

    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, code, param)


async def test_more_than_is_held_cannot_be_settled(instance: Instance, alice: Account):
    held = id_of(await reserve(instance, alice.calls(), quantity=5))

    answer = await settle(instance, alice.sk, held, 6)

    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (
        422,
        "settlement_too_large",
        "quantity",
    )
    assert (await instance.usage_of(alice))["remaining"] == 995


async def test_strangers_and_the_other_mode_do_not_find_it(instance: Instance, alice: Account, charlie: Account):
    held = id_of(await reserve(instance, alice.calls(), quantity=5))

    answers = [await settle(instance, headers, held, 1) for headers in (charlie.sk, alice.live)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert [answer.json()["code"] for answer in answers] == ["not_found"] * 2


async def test_at_once_they_hold_exactly_what_fits(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(20))

    answers = await asyncio.gather(*(reserve(instance, alice.calls(), quantity=3) for _ in range(12)))

    assert sorted(answer.status_code for answer in answers) == [201] * 6 + [429] * 6
    assert (await instance.usage_of(alice))["remaining"] == 2


async def test_who_took_a_customer_for_a_new_one_sees_what_others_hold(
    instance: Instance, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    """Whoever looked before the customer was made, and comes to write after that."""
    await instance.set_limits(alice, "free", TierLimit(20))
    assert (await reserve(instance, alice.calls(), quantity=18)).status_code == 201

    async def nobody_yet(*_: Any) -> dict[Any, Any]:
        return {}

    async with instance.database.write() as tx:
        await tx.execute(text("UPDATE usage_counters SET held = held + 2 WHERE held = 18"))
        monkeypatch.setattr(customers, "find_many", nobody_yet)
        late = asyncio.create_task(reserve(instance, alice.calls(), quantity=2))
        await asyncio.sleep(0.5)
        assert not late.done()

    assert (await late).status_code == 429


async def test_twins_settle_once(instance: Instance, alice: Account):
    held = id_of(await reserve(instance, alice.calls(), quantity=5))

    answers = await asyncio.gather(*(settle(instance, alice.sk, held, 5) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert (await instance.usage_of(alice))["count"] == 5

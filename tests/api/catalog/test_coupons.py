"""/coupons, and what billing does with them."""

import asyncio
from typing import Any

import pytest

from dream_api import catalog
from dream_api.catalog import Coupon, CouponInvalid
from dream_api.core import clock
from dream_api.platforms import Mode
from tests.api.catalog.test_create_tier import rows
from tests.support.instance import Account, Instance

QUARTER = {"code": "SPRING25", "percentOff": 25}


async def make(instance: Instance, account: Account, **asked: Any) -> dict[str, Any]:
    answer = await instance.api.post("/coupons", headers=account.sk, json={**QUARTER, **asked})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def find(instance: Instance, account: Account, code: str, now: int | None = None, mode: Mode = "test") -> Coupon:
    project = account.project
    async with instance.database.read() as tx:
        return await catalog.find_coupon(
            tx, project.platform_no, project.id, mode, code, clock.now() if now is None else now
        )


async def refusal_of(
    instance: Instance, account: Account, code: str, now: int | None = None, mode: Mode = "test"
) -> str:
    with pytest.raises(CouponInvalid) as refused:
        await find(instance, account, code, now, mode)
    assert refused.value.param == "coupon"
    return refused.value.sentence


async def test_a_coupon_is_made_and_listed(instance: Instance, alice: Account) -> None:
    percent = await make(instance, alice)
    amount = await make(
        instance,
        alice,
        code="five_off",
        percentOff=None,
        amountOff=500,
        currency="USD",
        duration="repeating",
        durationMonths=3,
        maxRedemptions=10,
        expiresAt="2099-01-01T00:00:00+01:00",
    )

    assert percent == {
        "id": percent["id"],
        "code": "SPRING25",
        "percentOff": 25,
        "amountOff": None,
        "currency": None,
        "duration": "once",
        "durationMonths": None,
        "maxRedemptions": None,
        "redeemed": 0,
        "expiresAt": None,
        "createdAt": percent["createdAt"],
        "archivedAt": None,
    }
    assert [amount[name] for name in ("code", "amountOff", "currency", "durationMonths", "expiresAt")] == [
        "FIVE_OFF",
        500,
        "usd",
        3,
        "2098-12-31T23:00:00Z",
    ]
    listed = (await instance.api.get("/coupons?limit=1", headers=alice.sk)).json()
    rest = (await instance.api.get(f"/coupons?after={listed['nextCursor']}", headers=alice.sk)).json()
    assert (listed["data"], rest) == ([amount], {"data": [percent], "nextCursor": None})


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"code": ""}, "code"),
    ({"code": "two words"}, "code"),
    ({"code": "é"}, "code"),
    ({"code": "C" * 41}, "code"),
    ({"code": None}, "code"),
    ({"percentOff": 0}, "percentOff"),
    ({"percentOff": 101}, "percentOff"),
    ({"percentOff": 12.345}, "percentOff"),
    ({"percentOff": 0.001}, "percentOff"),
    ({"percentOff": 100.01}, "percentOff"),
    ({"percentOff": None}, "percentOff"),
    ({"amountOff": 100, "currency": "usd"}, "percentOff"),
    ({"percentOff": None, "amountOff": 100}, "currency"),
    ({"currency": "usd"}, "currency"),
    ({"percentOff": None, "amountOff": 100, "currency": "xyz"}, "currency"),
    ({"percentOff": None, "amountOff": 0, "currency": "usd"}, "amountOff"),
    ({"percentOff": None, "amountOff": 10**8, "currency": "usd"}, "amountOff"),
    ({"percentOff": None, "amountOff": 5, "currency": "kwd"}, "amountOff"),
    ({"duration": "always"}, "duration"),
    ({"duration": "repeating"}, "durationMonths"),
    ({"durationMonths": 3}, "durationMonths"),
    ({"duration": "repeating", "durationMonths": 0}, "durationMonths"),
    ({"duration": "repeating", "durationMonths": 2**40}, "durationMonths"),
    ({"maxRedemptions": 0}, "maxRedemptions"),
    ({"maxRedemptions": 2**63}, "maxRedemptions"),
    ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
    ({"expiresAt": "2099-01-01T00:00:00"}, "expiresAt"),
    ({"expiresAt": 4_000_000_000}, "expiresAt"),
    ({"redeemed": 5}, "redeemed"),
]


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_what_is_wrong_is_told_by_its_field_and_nothing_is_made(instance: Instance, alice: Account) -> None:
    before = await rows(instance)

    for asked, param in FAULTS:
        answer = await instance.api.post("/coupons", headers=alice.sk, json={**QUARTER, **asked})
        assert (answer.status_code, answer.json()["param"]) == (422, param), asked
    assert await rows(instance) == before


async def test_a_code_is_given_once_capitals_or_not(instance: Instance, alice: Account, charlie: Account) -> None:
    made = await make(instance, alice)
    await instance.api.delete(f"/coupons/{made['id']}", headers=alice.sk)

    answer = await instance.api.post("/coupons", headers=alice.sk, json={**QUARTER, "code": "spring25"})

    assert (answer.status_code, answer.json()["code"]) == (409, "coupon_exists")
    for headers in (alice.live, charlie.sk):
        assert (await instance.api.post("/coupons", headers=headers, json=QUARTER)).status_code == 201


async def test_of_all_who_make_a_coupon_at_the_same_time_one_does(instance: Instance, alice: Account) -> None:
    answers = await asyncio.gather(*(instance.api.post("/coupons", headers=alice.sk, json=QUARTER) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5


async def test_an_archived_coupon_is_not_listed_and_stays_known(instance: Instance, alice: Account) -> None:
    made = await make(instance, alice)
    archived = (await instance.api.delete(f"/coupons/{made['id']}", headers=alice.sk)).json()
    again = (await instance.api.delete(f"/coupons/{made['id']}", headers=alice.sk)).json()

    assert archived == again == {**made, "archivedAt": archived["archivedAt"]}
    assert archived["archivedAt"] is not None
    assert (await instance.api.get("/coupons", headers=alice.sk)).json()["data"] == []
    async with instance.database.read() as tx:
        kept = await catalog.coupon_by_id(tx, alice.project.platform_no, made["id"])
        strange = await catalog.coupon_by_id(tx, 999, made["id"])
    assert (kept is not None and kept.percent_off, strange) == (25, None)


async def test_a_strangers_coupon_is_not_there(instance: Instance, alice: Account, charlie: Account) -> None:
    made = await make(instance, alice)

    for headers in (charlie.sk, alice.live):
        assert (await instance.api.delete(f"/coupons/{made['id']}", headers=headers)).status_code == 404
    assert (await instance.api.get("/coupons", headers=alice.sk)).json()["data"] == [made]


async def test_a_coupon_is_found_by_its_code_while_it_can_be_used(
    instance: Instance, alice: Account, charlie: Account
) -> None:
    ends = clock.now() + clock.DAY
    made = await make(instance, alice, expiresAt=clock.rfc3339(ends))

    assert (await find(instance, alice, "spring25", ends - 1)).id == made["id"]
    assert await refusal_of(instance, alice, "SPRING25", ends) == "This coupon has expired."
    for code in ("SUMMER", "a\u0000b", "", "ß" * 300):
        assert await refusal_of(instance, alice, code) == "This coupon code does not exist."
    assert await refusal_of(instance, charlie, "SPRING25") == "This coupon code does not exist."
    assert await refusal_of(instance, alice, "SPRING25", mode="live") == "This coupon code does not exist."
    await instance.api.delete(f"/coupons/{made['id']}", headers=alice.sk)
    assert await refusal_of(instance, alice, "SPRING25") == "This coupon is no longer valid."


async def test_of_all_who_redeem_at_the_same_time_as_many_succeed_as_there_are_uses(
    instance: Instance, alice: Account
) -> None:
    made = await make(instance, alice, maxRedemptions=3)

    async def redeem() -> bool:
        try:
            async with instance.database.write() as tx:
                await catalog.redeem(tx, alice.project.platform_no, made["id"])
        except CouponInvalid:
            return False
        return True

    assert sorted(await asyncio.gather(*(redeem() for _ in range(10)))) == [False] * 7 + [True] * 3
    assert (await instance.api.get("/coupons", headers=alice.sk)).json()["data"][0]["redeemed"] == 3
    assert await refusal_of(instance, alice, "SPRING25") == "The coupon was used as often as it can be."


async def test_a_use_that_came_to_nothing_is_given_back(instance: Instance, alice: Account) -> None:
    made = await make(instance, alice, maxRedemptions=1)
    platform_no = alice.project.platform_no
    async with instance.database.write() as tx:
        await catalog.redeem(tx, platform_no, made["id"])
        await catalog.release_redemption(tx, platform_no, made["id"])
        await catalog.release_redemption(tx, platform_no, made["id"])
        await catalog.redeem(tx, platform_no, made["id"])

    assert (await instance.api.get("/coupons", headers=alice.sk)).json()["data"][0]["redeemed"] == 1


async def test_nothing_of_a_stranger_or_of_what_was_taken_back_is_redeemed(instance: Instance, alice: Account) -> None:
    made = await make(instance, alice)

    for platform_no in (999, alice.project.platform_no):
        await instance.api.delete(f"/coupons/{made['id']}", headers=alice.sk)
        with pytest.raises(CouponInvalid):
            async with instance.database.write() as tx:
                await catalog.redeem(tx, platform_no, made["id"])

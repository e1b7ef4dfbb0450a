"""What the operator allows a platform in live mode."""

import asyncio
from typing import Any

import pytest

from dream_api import catalog, customers, platforms
from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.core.settings import Settings
from dream_api.usage import Window
from tests.support.deadline import Second
from tests.support.instance import Account, Instance, bearer, open_account, open_instance

pytestmark = pytest.mark.both

LIMITS = {
    "active_users": (TierLimit(2, "active_users", Window.HOUR), "hour"),
    "requests a day": (TierLimit(2, "requests", Window.DAY), "day"),
    "requests a month": (TierLimit(2, "requests", Window.MONTH), "month"),
}


async def call(instance: Instance, headers: dict[str, str], user: str, **body: Any) -> Any:
    return await instance.api.post("/api/data", headers={**headers, "X-User-Id": user}, json=body)


@pytest.mark.parametrize("name", LIMITS)
async def test_each_limit_of_a_level_refuses_in_live_mode_and_not_in_test(
    instance: Instance, alice: Account, name: str
):
    limit, window = LIMITS[name]
    await instance.set_level(9, limit)
    await instance.assign(alice, 9)

    live = [(await call(instance, alice.live, user)).status_code for user in ("ada", "bob", "eve")]
    test = [(await call(instance, alice.sk, user)).status_code for user in ("ada", "bob", "eve")]
    refused = await call(instance, alice.live, "eve")

    assert live == [200, 200, 429]
    assert test == [200, 200, 200]
    told = refused.json()
    assert told["code"] == "level_limit_reached"
    assert told["allowed"] is False
    assert (told["usage"]["plan"], told["usage"]["window"]) == ("level-9", window)
    assert (told["usage"]["count"], told["usage"]["limit"], told["usage"]["remaining"]) == (2, 2, 0)
    assert "higher level" in told["hint"]
    assert 0 < int(refused.headers["Retry-After"]) <= 31 * 86_400


async def test_an_active_user_goes_on_in_a_full_hour(instance: Instance, alice: Account):
    await instance.set_level(9, TierLimit(1, "active_users", Window.HOUR))
    await instance.assign(alice, 9)

    assert (await call(instance, alice.live, "ada")).status_code == 200
    assert (await call(instance, alice.live, "bob")).status_code == 429
    assert (await call(instance, alice.live, "ada")).status_code == 200

    clock.move(clock.HOUR)
    assert (await call(instance, alice.live, "bob")).status_code == 200


async def test_what_the_level_refuses_is_counted_nowhere(instance: Instance, alice: Account):
    await instance.set_level(9, TierLimit(1, "requests", Window.DAY))
    await instance.assign(alice, 9)
    await call(instance, alice.live, "ada")

    assert (await call(instance, alice.live, "ada")).status_code == 429

    usage = await instance.api.get("/api/usage", headers={**alice.live, "X-User-Id": "ada"})
    assert usage.json()["usage"]["count"] == 1
    customers = await instance.api.get("/api/customers", headers=alice.live)
    assert len(customers.json()["data"]) == 1


async def test_what_the_tier_refuses_is_not_counted_against_the_level(instance: Instance, alice: Account):
    await instance.set_level(9, TierLimit(2, "requests", Window.DAY))
    await instance.assign(alice, 9)
    await instance.set_limits(alice, "tiny", TierLimit(1), mode="live")
    tiny = {**alice.live, "X-User-Plan": "tiny"}

    told = [(await call(instance, tiny, "ada")).status_code for _ in range(3)]

    assert told == [200, 429, 429]
    assert (await call(instance, alice.live, "ada")).status_code == 200


async def test_a_correction_is_not_counted_against_the_level(instance: Instance, alice: Account):
    await instance.set_level(9, TierLimit(1, "requests", Window.DAY))
    await instance.assign(alice, 9)
    await call(instance, alice.live, "ada", quantity=5)

    assert (await call(instance, alice.live, "ada", quantity=-2)).status_code == 200
    assert (await call(instance, alice.live, "ada")).json()["code"] == "level_limit_reached"


async def test_the_operators_own_platform_is_never_refused(instance: Instance):
    async with instance.database.write() as tx:
        from dream_api import catalog, keys, platforms
        from tests.support.instance import INSTANCE_KEY

        operator = await platforms.operator_platform(tx)
        project = await catalog.create_project_with_defaults(tx, operator, "Own", "saas", platforms.MODES)
        key = await keys.issue(tx, project, "live", "secret", instance_key=INSTANCE_KEY, created_by="test")
    for number in range(4):
        await instance.set_level(number, TierLimit(0, "requests", Window.DAY))

    answers = [(await call(instance, bearer(key.token), f"user-{number}")).status_code for number in range(30)]

    assert answers == [200] * 30


async def test_a_platform_on_no_level_is_on_the_default_one(instance: Instance):
    newcomer = await open_account(instance.database, "Newcomer", level=None)

    answers = [(await call(instance, newcomer.live, f"user-{number}")).status_code for number in range(26)]

    assert answers == [200] * 25 + [429]


async def test_a_raised_level_is_in_force_within_a_second_in_every_process(
    instance: Instance, alice: Account, database_settings: Settings
):
    await instance.set_level(9, TierLimit(1, "requests", Window.DAY))
    await instance.assign(alice, 9)
    async with open_instance(database_settings) as other:
        assert (await call(other, alice.live, "ada")).status_code == 200
        assert (await call(other, alice.live, "ada")).status_code == 429

        await instance.set_level(9, TierLimit(3, "requests", Window.DAY))
        assert (await call(instance, alice.live, "ada")).status_code == 200
        await allowed_within_a_second(other, alice)
        assert (await call(other, alice.live, "ada")).status_code == 429

        await instance.assign(alice, 3)
        await allowed_within_a_second(other, alice)


async def allowed_within_a_second(instance: Instance, account: Account) -> None:
    second = Second()
    while (await call(instance, account.live, "ada")).status_code != 200:
        assert not second.is_over()
        await asyncio.sleep(0.01)


async def test_64_callers_of_many_users_share_a_level_exactly(instance: Instance, alice: Account):
    await instance.set_level(9, TierLimit(100, "requests", Window.DAY), TierLimit(40, "active_users", Window.HOUR))
    await instance.assign(alice, 9)

    answers = await asyncio.gather(*(call(instance, alice.live, f"user-{n % 64}") for n in range(256)))

    allowed = [answer for answer in answers if answer.status_code == 200]
    assert len(allowed) == 100
    listed = await instance.api.get("/api/customers?limit=100", headers=alice.live)
    assert len(listed.json()["data"]) == 40


async def test_a_level_that_was_not_paid_for_again_falls_back_and_says_so(instance: Instance, alice: Account):
    await instance.set_level(0, TierLimit(1, "requests", Window.DAY))
    async with instance.database.write() as tx:
        home = (await catalog.find_home(tx)).project
        scope = platforms.ProjectScope(home.platform_no, home.id, "live")
        now = clock.now()
        paid = (now - 40 * clock.DAY, now - 10 * clock.DAY)
        await customers.set_plan(tx, scope, alice.project.platform_id, "level-3", now=now, period=paid)

    answers = [await call(instance, alice.live, "ada") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["usage"]["plan"] == "level-0"

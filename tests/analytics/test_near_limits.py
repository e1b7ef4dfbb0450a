"""Customers near limits, by calls that were really counted."""

from random import Random
from typing import Any

import pytest

from dream_api import analytics, usage
from dream_api.analytics import near_limit_report
from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.platforms import MODES, ProjectScope
from dream_api.usage import Window
from tests.analytics.history import Past
from tests.support.instance import Account, Instance


@pytest.fixture(autouse=True)
def _midday() -> None:
    """Half past twelve: no hour and no day ends in the middle of a test."""
    clock.move((12 * clock.HOUR + 30 * clock.MINUTE - clock.now()) % clock.DAY)


async def count(instance: Instance, account: Account, user: str, quantity: int, **headers: str) -> None:
    answer = await instance.api.post("/api/data", headers=account.calls(user, **headers), json={"quantity": quantity})
    assert answer.status_code == 200, answer.text


async def near(instance: Instance, account: Account) -> list[tuple[Any, ...]]:
    told = (await instance.api.get("/api/dashboard", headers=account.sk)).json()["nearLimits"]
    return [tuple(one[name] for name in ("userId", "window", "count", "limit", "percent")) for one in told]


async def test_eighty_percent_of_a_hard_limit_are_near_and_less_is_not(instance: Instance, alice: Account):
    await instance.set_limit(alice, "free", 10)
    for user, quantity in (("ada", 8), ("bob", 7), ("eve", 10)):
        await count(instance, alice, user, quantity)

    assert await near(instance, alice) == [("eve", "period", 10, 10, 100), ("ada", "period", 8, 10, 80)]


async def test_a_window_that_is_over_is_near_to_nothing(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(10, window=Window.DAY), TierLimit(10, window=Window.LIFE))
    await count(instance, alice, "ada", 9)
    clock.move(clock.DAY)

    assert await near(instance, alice) == [("ada", "lifetime", 9, 10, 90)]


async def test_a_limit_that_is_soft_or_nothing_or_none_is_never_near(instance: Instance, alice: Account):
    limits = (TierLimit(5, kind="soft"), TierLimit(0, meter="tokens"), TierLimit(None, window=Window.DAY))
    await instance.set_limits(alice, "free", *limits)
    await count(instance, alice, "ada", 9)

    assert await near(instance, alice) == []


async def test_the_plan_of_a_call_is_not_the_customers(instance: Instance, alice: Account):
    await instance.set_limit(alice, "free", 100)
    await instance.set_limit(alice, "small", 10)
    await count(instance, alice, "ada", 9, **{"X-User-Plan": "small"})

    assert await near(instance, alice) == []


async def test_who_is_blocked_uses_nothing_more(instance: Instance, alice: Account):
    await instance.set_limit(alice, "free", 10)
    await count(instance, alice, "ada", 9)

    await instance.api.patch("/api/customers/userId:ada", headers=alice.sk, json={"status": "blocked"})

    assert await near(instance, alice) == []


async def test_a_customers_own_plan_limits_them(instance: Instance, alice: Account):
    """Charlie's tiers are not Alice's, also where they have the same name."""
    await instance.set_limit(alice, "small", 10)
    await instance.api.post("/api/customers", headers=alice.sk, json={"userId": "ada", "plan": "small"})
    await count(instance, alice, "ada", 9)
    await instance.set_limit(instance.charlie, "small", 1000)

    assert await near(instance, alice) == [("ada", "period", 9, 10, 90)]
    assert await near(instance, instance.charlie) == []


async def test_few_customers_are_found_by_themselves_and_more_by_their_counters(
    instance: Instance, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    project = alice.project
    async with instance.database.write() as tx:
        for mode in MODES:
            await Past(tx, project, mode, Random(f"near {mode}"), clock.now()).fill()
    async with instance.database.read() as tx:
        meters = list((await usage.meters_of(tx, project.platform_no, project.no)).values())
        for mode in MODES:
            scope = ProjectScope(project.platform_no, project.id, mode)
            found = []
            for few in (30, 29):  # there are thirty
                monkeypatch.setattr(near_limit_report, "FEW_CUSTOMERS", few)
                found.append(await analytics.near_limits(tx, scope, meters, clock.now()))

            assert found[0] == found[1]
            assert len(found[0].shown) == 10


async def test_among_very_many_those_are_near_of_whom_an_event_told(
    instance: Instance, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    page = f"/dashboard/{alice.project.id}/test"
    await instance.set_limit(alice, "free", 10)
    for user, quantity in (("ada", 9), ("bob", 7)):
        await count(instance, alice, user, quantity)
    of_all = await instance.api.get(page, headers=alice.cookie())
    for bound in ("FEW_CUSTOMERS", "MANY_CUSTOMERS"):
        monkeypatch.setattr(near_limit_report, bound, 1)
    of_told = await instance.api.get(page, headers=alice.cookie())

    assert await near(instance, alice) == [("ada", "period", 9, 10, 90)]
    assert "Only customers with a recent" in of_told.text
    assert "Only customers with a recent" not in of_all.text

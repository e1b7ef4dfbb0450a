"""Developers are told when a count has come to 50, 80 and 100 % of a limit: once per window."""

import asyncio
from typing import Any

import pytest

from dream_api import catalog, keys
from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.core.settings import Settings
from dream_api.platforms import MODES, Platform
from dream_api.usage import Window
from tests.support.instance import INSTANCE_KEY, Account, Instance, bearer, open_instance

pytestmark = pytest.mark.both

USAGE, LEVEL = "usage.threshold_reached", "level.threshold_reached"


@pytest.fixture(autouse=True)
def _midday() -> None:
    """Half past twelve: no window ends by itself in the middle of a test."""
    clock.move((12 * clock.HOUR + 30 * clock.MINUTE - clock.now()) % clock.DAY)


async def count(instance: Instance, headers: dict[str, str], status: int = 200, **body: Any) -> None:
    answer = await instance.api.post("/api/data", headers=headers, json=body)
    assert answer.status_code == status, answer.text


async def told(instance: Instance, headers: dict[str, str], kind: str = USAGE) -> list[tuple[str, int, int]]:
    """(window, percent, count) of each event, the oldest first."""
    answer = await instance.api.get("/api/events", headers=headers, params={"type": kind, "limit": "100"})
    events = [event["data"] for event in answer.json()["data"]]
    return [(event["window"], event["percent"], event["count"]) for event in reversed(events)]


async def test_each_threshold_is_told_once_when_it_is_reached(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(10))

    for number in range(1, 11):
        await count(instance, alice.calls())
        assert len(await told(instance, alice.sk)) == (number >= 5) + (number >= 8) + (number >= 10)

    assert await told(instance, alice.sk) == [("period", 50, 5), ("period", 80, 8), ("period", 100, 10)]


async def test_a_threshold_that_is_no_whole_number_is_reached_by_the_next_one(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(3))

    for _ in range(3):
        await count(instance, alice.calls())

    assert await told(instance, alice.sk) == [("period", 50, 2), ("period", 80, 3), ("period", 100, 3)]


async def test_one_call_that_jumps_over_several_tells_of_each(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(10))

    await count(instance, alice.calls(), quantity=9)
    await count(instance, alice.calls(), quantity=1)

    assert await told(instance, alice.sk) == [("period", 50, 9), ("period", 80, 9), ("period", 100, 10)]


async def test_every_customer_meter_and_window_is_told_by_itself(instance: Instance, alice: Account):
    limits = (TierLimit(2, window=Window.HOUR), TierLimit(4, window=Window.LIFE), TierLimit(2, "seats"))
    await instance.set_limits(alice, "free", *limits, TierLimit(None, window=Window.PERIOD))
    await count(instance, alice.calls("ada"))
    await count(instance, alice.calls("ada"), meter="seats")
    await count(instance, alice.calls("bob"))
    await count(instance, alice.calls("ada"))

    answer = await instance.api.get("/api/events", headers=alice.sk)

    events = [event["data"] for event in reversed(answer.json()["data"])]
    assert [(event["userId"], event["meter"], event["window"], event["percent"]) for event in events] == [
        ("ada", "requests", "hour", 50),
        ("ada", "seats", "period", 50),
        ("bob", "requests", "hour", 50),
        ("ada", "requests", "hour", 80),
        ("ada", "requests", "hour", 100),
        ("ada", "requests", "lifetime", 50),
    ]


async def test_the_next_window_tells_again(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(2, window=Window.DAY))
    for _ in range(2):
        await count(instance, alice.calls(), quantity=2)
        clock.move(clock.DAY)

    assert await told(instance, alice.sk) == [("day", percent, 2) for percent in (50, 80, 100)] * 2


async def test_what_is_corrected_and_counted_again_is_not_told_again(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(10))
    await count(instance, alice.calls(), quantity=9)
    await count(instance, alice.calls(), quantity=-9)
    await count(instance, alice.calls(), quantity=8)

    assert await told(instance, alice.sk) == [("period", 50, 9), ("period", 80, 9)]
    await count(instance, alice.calls(), quantity=2)
    assert (await told(instance, alice.sk))[2:] == [("period", 100, 10)]


async def test_soft_limits_are_told_too(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(10, kind="soft"))
    await count(instance, alice.calls(), quantity=7)
    await count(instance, alice.calls(), quantity=30)
    await count(instance, alice.calls(), quantity=30)

    assert await told(instance, alice.sk) == [("period", 50, 7), ("period", 80, 37), ("period", 100, 37)]


async def test_the_subjects_of_a_distinct_meter_are_told_when_they_are_new(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(2, "devices", aggregation="distinct"))
    for subject in ("phone", "phone", "watch", "phone"):
        await count(instance, alice.calls(), meter="devices", subject=subject)

    assert await told(instance, alice.sk) == [("period", 50, 1), ("period", 80, 2), ("period", 100, 2)]


async def test_an_unlimited_count_and_a_limit_of_nothing_tell_nothing(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(None), TierLimit(0, window=Window.DAY, kind="soft"))
    await count(instance, alice.calls(), quantity=100)

    assert await told(instance, alice.sk) == []


async def test_a_reservation_tells_when_it_is_settled(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(10))
    held = await instance.api.post("/api/usage/reserve", headers=alice.calls(), json={"quantity": 9})
    path = f"/api/usage/reserve/{held.json()['reservation']['id']}/settle"
    assert await told(instance, alice.sk) == []

    for _ in range(2):
        await instance.api.post(path, headers={**alice.sk, "Idempotency-Key": "k"}, json={"quantity": 6})

    assert await told(instance, alice.sk) == [("period", 50, 6)]


async def test_refused_and_replayed_calls_tell_nothing(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(10))
    await count(instance, alice.calls(), 429, quantity=11)
    assert await told(instance, alice.sk) == []

    for _ in range(3):
        await count(instance, alice.calls(**{"Idempotency-Key": "k"}), quantity=6)
    await count(instance, alice.calls(**{"Idempotency-Key": "k"}), 422, quantity=4)
    await count(instance, alice.calls(), 422, quantity=-7)

    assert await told(instance, alice.sk) == [("period", 50, 6)]


async def test_a_batch_tells_of_each_threshold_once(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(10))
    items = [{"userId": "ada", "quantity": 4} for _ in range(4)]

    answer = await instance.api.post("/api/data/batch", headers=alice.sk, json={"items": items})

    assert [one["status"] for one in answer.json()["results"]] == [200, 200, 429, 429]
    assert await told(instance, alice.sk) == [("period", 50, 8), ("period", 80, 8)]


# Levels.


async def second_project(instance: Instance, alice: Account) -> dict[str, str]:
    """Headers of the live mode of another project on Alice's platform."""
    platform = Platform(alice.project.platform_id, alice.project.platform_no, "Alice")
    async with instance.database.write() as tx:
        project = await catalog.create_project_with_defaults(tx, platform, "Second", "saas", MODES)
        key = await keys.issue(tx, project, "live", "secret", instance_key=INSTANCE_KEY, created_by="test")
    return bearer(key.token)


async def test_a_level_is_told_where_the_call_came_from_and_names_no_user(instance: Instance, alice: Account):
    await instance.set_level(9, TierLimit(4, "requests", Window.DAY))
    await instance.assign(alice, 9)
    second = await second_project(instance, alice)

    await count(instance, {**alice.live, "X-User-Id": "ada"}, quantity=7)
    await count(instance, {**second, "X-User-Id": "ada"})
    await count(instance, {**alice.sk, "X-User-Id": "ada"})
    await count(instance, {**alice.live, "X-User-Id": "ada"}, quantity=-7)
    await count(instance, {**alice.live, "X-User-Id": "bob"})
    await count(instance, {**alice.live, "X-User-Id": "eve"})
    await count(instance, {**alice.live, "X-User-Id": "eve"}, 429)

    assert await told(instance, second, LEVEL) == [("day", 50, 2)]
    # 80 % of 4 is not a whole number.
    assert await told(instance, alice.live, LEVEL) == [("day", 80, 4), ("day", 100, 4)]
    assert await told(instance, alice.sk, LEVEL) == []
    [event] = (await instance.api.get("/api/events", headers=second)).json()["data"]
    now = clock.now()
    today = now - now % clock.DAY
    assert event["data"] == {
        "plan": "level-9",
        "meter": "requests",
        "window": "day",
        "kind": "hard",
        "percent": 50,
        "count": 2,
        "limit": 4,
        "periodStart": clock.rfc3339(today),
        "periodEnd": clock.rfc3339(today + clock.DAY),
    }


async def test_the_active_users_of_a_level_are_told_each_hour(instance: Instance, alice: Account):
    await instance.set_level(9, TierLimit(2, "active_users", Window.HOUR))
    await instance.assign(alice, 9)
    for _ in range(2):
        for user in ("ada", "ada", "bob"):
            await count(instance, {**alice.live, "X-User-Id": user})
        clock.move(clock.HOUR)

    assert await told(instance, alice.live, LEVEL) == [("hour", 50, 1), ("hour", 80, 2), ("hour", 100, 2)] * 2


async def test_a_settlement_counts_for_the_level(instance: Instance, alice: Account):
    await instance.set_level(9, TierLimit(2, "requests", Window.DAY))
    await instance.assign(alice, 9)
    headers = {**alice.live, "X-User-Id": "ada"}
    held = await instance.api.post("/api/usage/reserve", headers=headers, json={"quantity": 9})
    assert await told(instance, alice.live, LEVEL) == []

    path = f"/api/usage/reserve/{held.json()['reservation']['id']}/settle"
    settled = await instance.api.post(path, headers=alice.live, json={"quantity": 3})

    assert settled.status_code == 200
    assert await told(instance, alice.live, LEVEL) == [("day", 50, 1)]


# Many at once.


async def test_64_calls_at_once_in_two_processes_tell_once(
    instance: Instance, alice: Account, database_settings: Settings
):
    await instance.set_limits(alice, "free", TierLimit(40), mode="live")
    await instance.set_level(9, TierLimit(50, "requests", Window.DAY))
    await instance.assign(alice, 9)
    async with open_instance(database_settings) as other:
        headers = {**alice.live, "X-User-Id": "ada"}
        answers = await asyncio.gather(
            *((instance, other)[number % 2].api.post("/api/data", headers=headers) for number in range(64))
        )

    assert sum(answer.status_code == 200 for answer in answers) == 40
    assert await told(instance, alice.live) == [("period", 50, 20), ("period", 80, 32), ("period", 100, 40)]
    assert await told(instance, alice.live, LEVEL) == [("day", 50, 25), ("day", 80, 40)]

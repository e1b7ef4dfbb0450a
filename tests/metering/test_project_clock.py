"""The time of metered calls is their project's: in test mode it may be ahead of the world's."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from dream_api import customers, platforms
from dream_api.app import integrity_checks
from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.core.integrity import run_check
from dream_api.metering import CallResult, build_call
from dream_api.usage import Window
from dream_api.webhooks.tables import events
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both

NOON = clock.from_datetime(datetime(2027, 3, 10, 12, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _noon() -> None:
    """The 10th of a month at noon, so that hours and days are far from the next month."""
    clock.move(NOON - clock.now())


async def move(instance: Instance, account: Account, by: int) -> int:
    """Move the project's time, and answer its present moment."""
    project = account.project
    async with instance.database.write() as tx:
        at = await platforms.project_now(tx, project.platform_no, project.id, "test") + by
        await platforms.move_to(tx, project, at)
    return at


async def count(instance: Instance, account: Account, user: str = "ada", **body: Any) -> Any:
    return await instance.api.post("/api/data", headers=account.calls(user), json=body)


async def subscribe(instance: Instance, account: Account, plan: str | None, period: tuple[int, int] | None) -> None:
    project = account.project
    scope = platforms.ProjectScope(project.platform_no, project.id, "test")
    async with instance.database.write() as tx:
        now = await platforms.project_now(tx, project.platform_no, project.id, "test")
        await customers.set_plan(tx, scope, "ada", plan, now=now, period=period)


async def test_a_full_window_has_room_again_as_soon_as_the_clock_was_moved(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(2, window=Window.HOUR), TierLimit(9))
    await count(instance, alice, quantity=2)
    assert (await count(instance, alice)).status_code == 429

    await move(instance, alice, clock.HOUR)
    answer = await count(instance, alice)

    assert [(limit["window"], limit["count"]) for limit in answer.json()["limits"]] == [("hour", 1), ("period", 3)]
    assert answer.json()["limits"][0]["periodStart"] == "2027-03-10T13:00:00Z"


async def test_live_mode_and_other_projects_stay_in_their_windows(instance: Instance, alice: Account, charlie: Account):
    async def windows() -> list[str]:
        headers = [alice.calls(), {**alice.live, "X-User-Id": "ada"}, charlie.calls()]
        answers = [await instance.api.post("/api/data", headers=one) for one in headers]
        return [answer.json()["usage"]["periodStart"][:7] for answer in answers]

    before = await windows()
    await move(instance, alice, 31 * clock.DAY)

    assert before == ["2027-03", "2027-03", "2027-03"]
    assert await windows() == ["2027-04", "2027-03", "2027-03"]


async def test_calls_of_different_times_are_counted_in_one_transaction(
    instance: Instance, alice: Account, charlie: Account
):
    await move(instance, alice, 31 * clock.DAY)
    asked: list[Any] = []
    for account in (alice, charlie, alice, charlie):
        key = await instance.authenticator.authenticate_secret_key(account.sk["Authorization"])
        asked.append(build_call(key, await instance.metering.get_terms(key), user_id="ada"))

    told = await instance.metering.count_all(asked)

    outcomes = [outcome for outcome in told if isinstance(outcome, CallResult)]
    assert [outcome.standings[0].count for outcome in outcomes] == [1, 1, 2, 2]
    starts = [clock.rfc3339(outcome.standings[0].limit.starts_at)[:7] for outcome in outcomes]
    assert starts == ["2027-04", "2027-03", "2027-04", "2027-03"]


async def test_the_seconds_until_a_window_ends_are_the_projects(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(1, window=Window.HOUR))
    await move(instance, alice, 5 * clock.DAY + 45 * clock.MINUTE)

    answers = [await count(instance, alice), await count(instance, alice)]
    read = await instance.api.get("/api/usage", headers=alice.calls())

    for answer in (*answers, read):
        _, _, seconds = answer.headers["RateLimit"].partition(";t=")
        assert 800 < int(seconds) <= 900
    assert answers[1].status_code == 429
    assert 800 < int(answers[1].headers["Retry-After"]) <= 900


async def test_timestamps_are_held_against_the_projects_time(instance: Instance, alice: Account):
    before = clock.rfc3339(clock.now())
    now = await move(instance, alice, 31 * clock.DAY)

    assert (await count(instance, alice, timestamp=before)).json()["code"] == "timestamp_out_of_range"
    assert (await count(instance, alice, timestamp=clock.rfc3339(now - clock.DAY))).status_code == 200
    ahead = await count(instance, alice, timestamp=clock.rfc3339(now + 6 * clock.MINUTE))
    assert ahead.json()["code"] == "timestamp_out_of_range"
    batch = {"items": [{"userId": "ada", "timestamp": clock.rfc3339(now)}, {"userId": "ada", "timestamp": before}]}
    told = await instance.api.post("/api/data/batch", headers=alice.sk, json=batch)
    assert [one["status"] for one in told.json()["results"]] == [200, 422]


async def test_a_subscription_renews_and_lapses_in_the_projects_time(instance: Instance, alice: Account):
    await instance.set_limits(alice, "pro", TierLimit(50))
    await subscribe(instance, alice, "pro", (NOON, clock.add_months(NOON, 1)))
    await count(instance, alice, quantity=7)

    await move(instance, alice, 32 * clock.DAY)
    renewed = (await instance.usage_of(alice), (await count(instance, alice, quantity=2)).json()["usage"])
    await move(instance, alice, 3 * clock.DAY)
    lapsed = (await count(instance, alice)).json()["usage"]

    assert [usage["count"] for usage in renewed] == [0, 2]
    assert {(usage["plan"], usage["periodStart"]) for usage in renewed} == {("pro", "2027-04-10T12:00:00Z")}
    assert (lapsed["plan"], lapsed["periodStart"]) == ("free", "2027-04-01T00:00:00Z")


async def test_who_leaves_and_comes_back_goes_on_in_the_period_of_the_projects_time(instance: Instance, alice: Account):
    await instance.set_limits(alice, "pro", TierLimit(50))
    await subscribe(instance, alice, "pro", (NOON, clock.add_months(NOON, 12)))
    now = await move(instance, alice, 35 * clock.DAY)
    await count(instance, alice, quantity=7)

    left = await instance.api.patch("/api/customers/userId:ada", headers=alice.sk, json={"plan": None})
    await subscribe(instance, alice, "pro", (now, clock.add_months(now, 1)))
    back = (await count(instance, alice)).json()["usage"]

    assert left.status_code == 200
    assert left.json()["updatedAt"].startswith("2027-04-14T12:00")
    assert (back["count"], back["periodStart"]) == (8, "2027-04-10T12:00:00Z")


async def test_a_reservation_ends_in_real_time_and_is_settled_in_the_projects(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(10))
    held = [
        await instance.api.post("/api/usage/reserve", headers=alice.calls(), json={"quantity": 4, "ttlSeconds": 60})
        for _ in range(2)
    ]
    paths = [f"/api/usage/reserve/{one.json()['reservation']['id']}/settle" for one in held]

    await move(instance, alice, 31 * clock.DAY)
    refused = await count(instance, alice, quantity=3)
    settled = await instance.api.post(paths[0], headers=alice.sk, json={"quantity": 3})
    clock.move(61 * clock.SECOND)
    late = await instance.api.post(paths[1], headers=alice.sk, json={"quantity": 3})

    assert held[0].json()["reservation"]["expiresAt"].startswith("2027-03-10T12:01")
    assert (refused.status_code, refused.json()["usage"]["remaining"]) == (429, 2)
    usage = settled.json()["usage"]
    assert (usage["count"], usage["remaining"], usage["periodStart"]) == (3, 3, "2027-04-01T00:00:00Z")
    assert late.json()["code"] == "reservation_expired"


async def test_thresholds_are_told_once_in_each_window_of_the_project(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(2, window=Window.HOUR))
    await count(instance, alice)
    await count(instance, alice)

    await move(instance, alice, clock.HOUR)
    await count(instance, alice)

    async with instance.database.read() as tx:
        rows = await tx.all(select(events.c.data, events.c.created_at).order_by(events.c.id))
    told = [json.loads(row.data) for row in rows]
    assert [(one["percent"], one["periodStart"][11:13]) for one in told] == [
        (50, "12"),
        (80, "12"),
        (100, "12"),
        (50, "13"),
    ]
    assert [clock.rfc3339(row.created_at)[11:16] for row in rows] == ["12:00", "12:00", "12:00", "13:00"]


async def test_an_idempotency_key_outlives_every_move(instance: Instance, alice: Account):
    keyed = alice.calls(**{"Idempotency-Key": "once"})
    first = await instance.api.post("/api/data", headers=keyed, json={"quantity": 3})

    await move(instance, alice, 400 * clock.DAY)
    again = await instance.api.post("/api/data", headers=keyed, json={"quantity": 3})

    assert again.json() == first.json()
    assert (await instance.usage_of(alice))["count"] == 0


async def test_history_ends_with_the_projects_hour(instance: Instance, alice: Account):
    await count(instance, alice, quantity=5)
    await move(instance, alice, 2 * clock.HOUR)
    await count(instance, alice, quantity=3)

    told = await instance.api.get("/api/usage/history?by=hour", headers=alice.sk)

    assert told.json()["to"] == "2027-03-10T15:00:00Z"
    assert [point["total"] for point in told.json()["data"][-3:]] == [5, 0, 3]


async def test_what_was_counted_in_the_future_agrees(instance: Instance, alice: Account):
    for _ in range(4):
        await move(instance, alice, 200 * clock.DAY)
        assert (await count(instance, alice, quantity=2)).status_code == 200

    findings = [await run_check(instance.database, check) for check in integrity_checks()]

    assert [finding.check.name for finding in findings if not finding.holds] == []

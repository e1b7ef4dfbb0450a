"""Several meters and windows, hard and soft, of sums and of subjects; corrections and timestamps."""

from typing import Any

import pytest

from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.usage import Window
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both


async def count(instance: Instance, account: Account, user: str = "ada", **body: Any) -> Any:
    return await instance.api.post("/api/data", headers=account.calls(user), json=body)


def counts(answer: Any) -> dict[str, int]:
    """What the answer says of each window."""
    assert answer.status_code in (200, 429), answer.text
    return {limit["window"]: limit["count"] for limit in answer.json()["limits"]}


async def test_a_call_counts_in_every_window_and_is_refused_at_the_first_that_is_full(
    instance: Instance, alice: Account
):
    await instance.set_limits(
        alice, "free", TierLimit(5), TierLimit(3, window=Window.DAY), TierLimit(2, window=Window.HOUR)
    )

    answers = [await count(instance, alice) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert counts(answers[1]) == {"hour": 2, "day": 2, "period": 2}
    assert answers[1].json()["usage"]["window"] == "hour"
    assert answers[2].json()["usage"]["window"] == "hour"
    assert answers[2].headers["RateLimit-Policy"] == '"hour";q=2;w=3600'
    assert int(answers[2].headers["Retry-After"]) <= 3600


async def test_the_next_hour_has_room_again_and_the_longer_windows_go_on(instance: Instance, alice: Account):
    clock.move(clock.month_of(clock.now())[0] + 14 * clock.DAY - clock.now())  # the next hour is of the same month
    await instance.set_limits(alice, "free", TierLimit(50, window=Window.LIFE), TierLimit(2, window=Window.HOUR))
    await count(instance, alice, quantity=2)

    clock.move(clock.HOUR)

    assert counts(await count(instance, alice)) == {"hour": 1, "lifetime": 3, "period": 3}


async def test_a_limit_that_is_named_late_finds_what_was_counted_before(instance: Instance, alice: Account):
    await count(instance, alice, quantity=4)

    await instance.set_limits(alice, "free", TierLimit(5, window=Window.DAY), TierLimit(9, window=Window.MONTH))

    assert counts(await count(instance, alice)) == {"day": 5, "month": 5, "period": 5}
    assert (await count(instance, alice)).status_code == 429


async def test_a_window_that_only_another_plan_limits_is_kept_as_well(instance: Instance, alice: Account):
    await instance.set_limits(alice, "hourly", TierLimit(10, window=Window.HOUR))
    hourly = alice.calls("ada", **{"X-User-Plan": "hourly"})
    await instance.api.post("/api/data", headers=hourly, json={"quantity": 3})

    await count(instance, alice, quantity=4)

    refused = await instance.api.post("/api/data", headers=hourly, json={"quantity": 4})
    assert refused.status_code == 429
    assert counts(refused) == {"hour": 7}


async def test_a_soft_limit_lets_pass_and_tells_by_how_much(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(3, kind="soft"))

    answer = await count(instance, alice, quantity=5)

    usage = answer.json()["usage"]
    assert answer.status_code == 200
    assert (usage["count"], usage["limit"], usage["remaining"], usage["overage"]) == (5, 3, 0, 2)


async def test_a_distinct_meter_counts_each_subject_once(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(2, "seats", aggregation="distinct"))

    told = [await count(instance, alice, meter="seats", subject=name) for name in ("a", "b", "a", "c", "b")]

    assert [answer.status_code for answer in told] == [200, 200, 200, 429, 200]
    assert [counts(answer)["period"] for answer in told] == [1, 2, 2, 2, 2]
    assert (await count(instance, alice, "bob", meter="seats")).json()["usage"]["count"] == 1
    assert (await count(instance, alice, meter="seats", quantity=2)).json()["param"] == "quantity"


async def test_a_correction_takes_back_but_not_below_zero(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(5))
    await count(instance, alice, quantity=5)

    corrected = await count(instance, alice, quantity=-3)
    refused = await count(instance, alice, quantity=-3)

    assert counts(corrected) == {"period": 2}
    assert (refused.status_code, refused.json()["code"]) == (422, "correction_below_zero")
    assert counts(await count(instance, alice, quantity=3)) == {"period": 5}


async def test_a_correction_does_not_reach_into_a_closed_period(instance: Instance, alice: Account):
    await count(instance, alice, quantity=5)

    clock.move(32 * clock.DAY)

    assert (await count(instance, alice, quantity=-1)).json()["code"] == "correction_below_zero"


async def test_what_happened_earlier_is_counted_where_it_happened(instance: Instance, alice: Account):
    # The 20th at noon, so that yesterday is in the same month.
    clock.move(clock.month_of(clock.now())[0] + 19 * clock.DAY + 12 * clock.HOUR - clock.now())
    await instance.set_limits(alice, "free", TierLimit(9, window=Window.DAY), TierLimit(3, window=Window.HOUR))
    yesterday = clock.rfc3339(clock.now() - clock.DAY)

    earlier = await count(instance, alice, quantity=3, timestamp=yesterday)
    now = await count(instance, alice, quantity=2)

    assert counts(earlier) == {"day": 3, "hour": 3, "period": 3}
    assert counts(now) == {"day": 2, "hour": 2, "period": 5}
    assert (await count(instance, alice, timestamp=yesterday)).status_code == 429


async def test_a_moment_outside_the_period_or_too_far_ahead_is_refused(instance: Instance, alice: Account):
    start, _ = clock.month_of(clock.now())
    clock.move(start + 14 * clock.DAY - clock.now())

    for moment in (start - 1, clock.now() + 6 * clock.MINUTE):
        answer = await count(instance, alice, timestamp=clock.rfc3339(moment))
        assert (answer.status_code, answer.json()["code"]) == (422, "timestamp_out_of_range")
        assert answer.json()["param"] == "timestamp"
    assert (await count(instance, alice, timestamp=clock.rfc3339(clock.now() + 4 * clock.MINUTE))).status_code == 200
    assert (await count(instance, alice, timestamp=clock.rfc3339(start))).status_code == 200


async def test_meters_are_counted_apart(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(100, "tokens"))

    await count(instance, alice, meter="tokens", quantity=60)

    assert counts(await count(instance, alice)) == {"period": 1}
    assert counts(await count(instance, alice, meter="tokens", quantity=60)) == {"period": 60}
    read = await instance.api.get("/api/usage?meter=tokens", headers=alice.calls())
    assert read.json()["usage"]["count"] == 60


async def test_refused_before_it_is_counted_a_newcomer_is_not_taken_for_another(instance: Instance, alice: Account):
    assert (await count(instance, alice, "ada", timestamp="2020-01-01T00:00:00Z")).status_code == 422
    assert counts(await count(instance, alice, "bob", quantity=7)) == {"period": 7}

    assert counts(await count(instance, alice, "ada")) == {"period": 1}
    assert counts(await count(instance, alice, "bob")) == {"period": 8}

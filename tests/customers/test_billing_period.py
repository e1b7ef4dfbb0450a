"""Which period a customer's calls fall into, and which plan they are on."""

from datetime import UTC, datetime
from typing import Any

from dream_api import customers, platforms
from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.customers import Customer, has_lapsed, period_of
from tests.support.cases import each_case
from tests.support.instance import Account, Instance


def at(text: str) -> int:
    return clock.from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def subscribed(starts: str, ends: str) -> Customer:
    return Customer(1, "active", "pro", at(starts), at(ends))


@each_case(
    ("starts", "ends", "now", "period"),
    [
        ("2026-01-15T10:30", "2026-02-15T10:30", "2026-01-20", ("2026-01-15T10:30", "2026-02-15T10:30")),
        ("2026-01-31", "2026-02-28", "2026-02-10", ("2026-01-31", "2026-02-28")),
        # A year is counted month by month from its start, on the last day where a month is shorter.
        ("2026-01-31", "2027-01-31", "2026-02-28", ("2026-02-28", "2026-03-31")),
        ("2026-01-31", "2027-01-31", "2026-04-29", ("2026-03-31", "2026-04-30")),
        ("2026-01-31", "2027-01-31", "2027-01-30", ("2026-12-31", "2027-01-31")),
        # What is paid for ends inside a month: so does the last period.
        ("2026-01-10", "2026-02-20", "2026-02-15", ("2026-02-10", "2026-02-20")),
        # In silence the next one opens at that very second, for 72 hours.
        ("2026-01-15", "2026-02-15", "2026-02-15", ("2026-02-15", "2026-03-15")),
        ("2026-01-15", "2026-02-15", "2026-02-17T23:59:59", ("2026-02-15", "2026-03-15")),
        ("2026-01-10", "2026-02-20", "2026-02-21", ("2026-02-20", "2026-03-10")),
        ("2026-01-15", "2026-02-15", "2026-02-18", None),
        ("2026-01-15", "2026-02-15", "2026-01-14T23:59:59", None),
        ("2026-01-01", "2026-01-08", "2026-01-09", ("2026-01-08", "2026-01-15")),
        ("2026-01-01", "2026-01-02", "2026-01-04", ("2026-01-04", "2026-01-05")),
    ],
)
def test_the_period_that_a_moment_lies_in(starts: str, ends: str, now: str, period: tuple[str, str] | None):
    expected = None if period is None else (at(period[0]), at(period[1]))

    assert period_of(subscribed(starts, ends), at(now)) == expected


def test_a_plan_lapses_after_72_hours_of_silence():
    customer = subscribed("2026-01-15", "2026-02-15")

    assert not has_lapsed(customer, at("2026-02-17T23:59:59"))
    assert has_lapsed(customer, at("2026-02-18"))


async def put(instance: Instance, account: Account, plan: str | None, period: tuple[str, str] | None = None) -> None:
    project = account.project
    scope = platforms.ProjectScope(project.platform_no, project.id, "test")
    paid = None if period is None else (at(period[0]), at(period[1]))
    async with instance.database.write() as tx:
        await customers.set_plan(tx, scope, "ada", plan, now=clock.now(), period=paid)


async def count(instance: Instance, account: Account, quantity: int = 1) -> dict[str, Any]:
    answer = await instance.api.post("/api/data", headers=account.calls("ada"), json={"quantity": quantity})
    return answer.json()["usage"]


def turn_to(moment: str) -> None:
    clock.move(at(moment) - clock.now())


async def test_a_subscriptions_count_stays_in_its_period_and_the_month_goes_on_as_it_stood(
    instance: Instance, alice: Account
):
    await instance.set_limits(alice, "pro", TierLimit(100))
    turn_to("2027-03-10T12:00")
    assert (await count(instance, alice, 7))["count"] == 7

    await put(instance, alice, "pro", ("2027-03-10T12:00", "2027-04-10T12:00"))
    subscribed_usage = await count(instance, alice, 50)
    await put(instance, alice, None)
    left = await count(instance, alice)

    assert (subscribed_usage["plan"], subscribed_usage["count"], subscribed_usage["periodStart"]) == (
        "pro",
        50,
        "2027-03-10T12:00:00Z",
    )
    assert (left["plan"], left["count"], left["periodStart"]) == ("free", 8, "2027-03-01T00:00:00Z")


async def test_nothing_refills_by_leaving_and_coming_back(instance: Instance, alice: Account):
    await instance.set_limits(alice, "pro", TierLimit(100))
    turn_to("2027-03-10T12:00")
    await put(instance, alice, "pro", ("2027-03-10T12:00", "2027-04-10T12:00"))
    await count(instance, alice, 60)

    await put(instance, alice, None)
    turn_to("2027-03-20T12:00")
    await put(instance, alice, "pro", ("2027-03-20T12:00", "2027-04-20T12:00"))
    back = await count(instance, alice)
    turn_to("2027-04-11T12:00")
    next_month = await count(instance, alice)

    assert (back["count"], back["periodStart"], back["periodEnd"]) == (
        61,
        "2027-03-10T12:00:00Z",
        "2027-04-10T12:00:00Z",
    )
    assert (next_month["count"], next_month["periodStart"]) == (1, "2027-04-10T12:00:00Z")


async def test_a_plan_change_with_the_same_anchor_keeps_the_count(instance: Instance, alice: Account):
    await instance.set_limits(alice, "pro", TierLimit(100))
    await instance.set_limits(alice, "team", TierLimit(500))
    turn_to("2027-03-12T12:00")
    await put(instance, alice, "pro", ("2027-03-10", "2027-04-10"))
    await count(instance, alice, 60)

    await put(instance, alice, "team", ("2027-03-10", "2027-04-10"))
    changed = await count(instance, alice)
    await put(instance, alice, "team", ("2027-03-12", "2027-04-12"))
    anew = await count(instance, alice)

    assert (changed["plan"], changed["count"], changed["limit"]) == ("team", 61, 500)
    assert (anew["count"], anew["periodStart"]) == (1, "2027-03-12T00:00:00Z")


async def test_a_silent_gateway_is_waited_for_72_hours(instance: Instance, alice: Account):
    await instance.set_limits(alice, "pro", TierLimit(100))
    turn_to("2027-03-12T12:00")
    await put(instance, alice, "pro", ("2027-03-10", "2027-04-10"))
    await count(instance, alice, 60)

    turn_to("2027-04-12T12:00")
    silent = await count(instance, alice, 5)
    turn_to("2027-04-13T00:00")
    lapsed = await count(instance, alice)
    await put(instance, alice, "pro", ("2027-04-10", "2027-05-10"))
    told = await count(instance, alice)

    assert (silent["plan"], silent["count"], silent["periodStart"]) == ("pro", 5, "2027-04-10T00:00:00Z")
    assert (lapsed["plan"], lapsed["count"], lapsed["periodStart"]) == ("free", 1, "2027-04-01T00:00:00Z")
    assert (told["plan"], told["count"]) == ("pro", 6)

"""A closed period takes no more: what is billed is what was counted, whoever calls at that moment."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from dream_api import catalog, customers, platforms, usage
from dream_api.app import create_app, integrity_checks, open_database
from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.integrity import run_check
from dream_api.keys import Key
from dream_api.metering import CallTerms, MeteringEngine, build_call
from dream_api.platforms import Mode
from dream_api.usage import Window
from tests.support.instance import Account, Instance, living

pytestmark = pytest.mark.both

ROUNDS = 20


def scope_of(account: Account, mode: Mode = "test") -> platforms.ProjectScope:
    project = account.project
    return platforms.ProjectScope(project.platform_no, project.id, mode)


async def subscribe(instance: Instance, account: Account, user: str, period: tuple[int, int]) -> None:
    async with instance.database.write() as tx:
        await customers.set_plan(tx, scope_of(account), user, "free", now=clock.now(), period=period)


async def place_of(database: Database, account: Account, user: str = "ada", meter: str = "requests") -> Any:
    """The customer's meter, by its numbers."""
    project = account.project
    async with database.read() as tx:
        customer = await customers.find(tx, scope_of(account), f"userId:{user}")
        meters = await usage.meters_of(tx, project.platform_no, project.no)
    return project.platform_no, customer.no, meters[meter].no


async def close(database: Database, place: Any, period: tuple[int, int]) -> int:
    async with database.write() as tx:
        return await usage.close_period(tx, *place, *period)


async def used(database: Database, place: Any, starts_at: int) -> int:
    async with database.read() as tx:
        return await usage.used_in_period(tx, *place, starts_at)


async def count(instance: Instance, account: Account, user: str = "ada", **body: Any) -> Any:
    return await instance.api.post("/api/data", headers=account.calls(user), json=body)


async def proven(instance: Instance) -> None:
    for check in integrity_checks():
        finding = await run_check(instance.database, check)
        assert finding.holds, finding


@pytest.fixture
async def month(instance: Instance, alice: Account) -> tuple[int, int]:
    """The period that Ada is in: it began a minute ago, and 7 are counted in it."""
    starts_at = clock.now() - clock.MINUTE
    period = (starts_at, clock.add_months(starts_at, 1))
    await subscribe(instance, alice, "ada", period)
    assert (await count(instance, alice, quantity=7)).status_code == 200
    return period


async def late_caller(instance: Instance, account: Account, by: int) -> tuple[Key, CallTerms]:
    """What a caller goes by who knows of no move of the clock; it was moved by so much."""
    key = await instance.authenticator.authenticate_secret_key(account.sk["Authorization"])
    terms = await instance.metering.get_terms(key)
    async with instance.database.write() as tx:
        await platforms.move_to(tx, account.project, clock.now() + by)
    return key, terms


async def test_closed_it_is_told_the_same_for_ever(instance: Instance, alice: Account, month: tuple[int, int]):
    place = await place_of(instance.database, alice)
    clock.move(month[1] - clock.now() + clock.SECOND)

    told = [await used(instance.database, place, month[0]), await close(instance.database, place, month)]
    after = await count(instance, alice, quantity=2)
    told += [await close(instance.database, place, month), await used(instance.database, place, month[0])]

    assert told == [7, 7, 7, 7]
    assert (after.json()["usage"]["count"], after.json()["usage"]["periodStart"]) == (2, clock.rfc3339(month[1]))
    await proven(instance)


async def test_a_call_that_comes_too_late_counts_in_the_period_that_follows(
    instance: Instance, alice: Account, month: tuple[int, int]
):
    place = await place_of(instance.database, alice)
    key, terms = await late_caller(instance, alice, 33 * clock.DAY)
    closed = await close(instance.database, place, month)

    late = await instance.metering.count(build_call(key, terms, user_id="ada", quantity=5))

    assert late.standings[0].limit.starts_at == month[1]
    assert late.standings[0].count == 5
    assert [await used(instance.database, place, start) for start in month] == [closed, 5]
    assert closed == 7
    await proven(instance)


async def test_a_caller_who_is_a_year_behind_counts_in_the_period_that_is_open(
    instance: Instance, alice: Account, month: tuple[int, int]
):
    await subscribe(instance, alice, "ada", (month[0], clock.add_months(month[0], 24)))
    place = await place_of(instance.database, alice)
    key, terms = await late_caller(instance, alice, 370 * clock.DAY)
    edges = [clock.add_months(month[0], months) for months in range(13)]
    periods = list(itertools.pairwise(edges))
    told = [await close(instance.database, place, period) for period in reversed(periods)]

    late = await instance.metering.count(build_call(key, terms, user_id="ada"))

    assert told == [0] * 11 + [7]
    limit = late.standings[0].limit
    assert (limit.starts_at, limit.ends_at) == (edges[-1], clock.add_months(month[0], 13))


async def test_what_happened_in_a_closed_period_is_refused(instance: Instance, alice: Account, month: tuple[int, int]):
    place = await place_of(instance.database, alice)
    key, terms = await late_caller(instance, alice, 33 * clock.DAY)
    await close(instance.database, place, month)

    with pytest.raises(usage.TimestampOutOfRange):
        await instance.metering.count(build_call(key, terms, user_id="ada", timestamp=clock.now()))

    assert await used(instance.database, place, month[0]) == 7


async def test_what_is_settled_late_counts_in_the_period_that_follows(
    instance: Instance, alice: Account, month: tuple[int, int]
):
    held = await instance.api.post("/api/usage/reserve", headers=alice.calls(), json={"quantity": 5})
    place = await place_of(instance.database, alice)
    await close(instance.database, place, (month[0], clock.now()))

    path = f"/api/usage/reserve/{held.json()['reservation']['id']}/settle"
    settled = await instance.api.post(path, headers=alice.sk, json={"quantity": 3})

    assert (settled.status_code, settled.json()["usage"]["count"]) == (200, 3)
    assert await used(instance.database, place, month[0]) == 7
    await proven(instance)


async def test_closed_before_its_end_what_remains_is_a_period_of_its_own(
    instance: Instance, alice: Account, month: tuple[int, int]
):
    await instance.set_limits(alice, "free", TierLimit(10))
    place = await place_of(instance.database, alice)
    cut = clock.now()
    assert await close(instance.database, place, (month[0], cut)) == 7

    read = await instance.usage_of(alice)
    held = await instance.api.post("/api/usage/reserve", headers=alice.calls(), json={"quantity": 6})
    counted = [await count(instance, alice, quantity=4), await count(instance, alice, quantity=1)]
    corrected = await count(instance, alice, quantity=-5)

    assert (read["count"], read["periodStart"], read["periodEnd"]) == (0, clock.rfc3339(cut), clock.rfc3339(month[1]))
    assert held.status_code == 201
    assert [answer.status_code for answer in counted] == [200, 429]
    assert corrected.json()["code"] == "correction_below_zero"
    assert [await used(instance.database, place, start) for start in (month[0], cut)] == [7, 4]
    await proven(instance)


async def test_a_period_that_no_limit_names_is_closed_as_well(instance: Instance, alice: Account):
    await instance.set_limits(alice, "hourly", TierLimit(100, window=Window.HOUR))
    hourly = alice.calls(**{"X-User-Plan": "hourly"})
    start, _ = clock.month_of(clock.now())
    assert (await instance.api.post("/api/data", headers=hourly, json={"quantity": 7})).status_code == 200
    place = await place_of(instance.database, alice)

    told = [await used(instance.database, place, start), await close(instance.database, place, (start, clock.now()))]
    answer = await instance.api.post("/api/data", headers=hourly, json={"quantity": 2})

    assert told == [7, 7]
    assert answer.json()["usage"]["count"] == 9
    assert await used(instance.database, place, start) == 7
    await proven(instance)


async def test_where_nothing_was_counted_the_period_is_closed_all_the_same(
    instance: Instance, alice: Account, month: tuple[int, int]
):
    await instance.set_limits(alice, "free", TierLimit(None, "tokens"))
    place = await place_of(instance.database, alice, meter="tokens")
    cut = clock.now()

    assert await close(instance.database, place, (month[0], cut)) == 0

    assert (await count(instance, alice, meter="tokens", quantity=4)).json()["usage"]["count"] == 4
    assert [await used(instance.database, place, start) for start in (month[0], cut)] == [0, 4]
    assert (await count(instance, alice)).json()["usage"]["count"] == 8
    await proven(instance)


async def test_the_calendar_month_of_who_left_goes_on_beside_the_closed_period(
    instance: Instance, alice: Account, month: tuple[int, int]
):
    place = await place_of(instance.database, alice)
    beside = open_database(instance.settings)  # so that the gate still takes Ada for a subscriber
    async with beside.write() as tx:
        await customers.set_plan(tx, scope_of(alice), "ada", None, now=clock.now())
        assert await usage.close_period(tx, *place, month[0], clock.now()) == 7
    await beside.close()

    answer = await count(instance, alice, quantity=2)

    start, _ = clock.month_of(clock.now())
    assert (answer.json()["usage"]["count"], answer.json()["usage"]["periodStart"]) == (2, clock.rfc3339(start))


async def test_a_platforms_own_period_is_closed_like_a_customers(instance: Instance, alice: Account):
    live = {**alice.live, "X-User-Id": "ada"}
    assert (await instance.api.post("/api/data", headers=live, json={"quantity": 3})).status_code == 200
    async with instance.database.read() as tx:
        requests = (await catalog.find_home(tx)).requests.no
    place = (alice.project.platform_no, 0, requests)
    start, cut = clock.month_of(clock.now())[0], clock.now()

    told = await close(instance.database, place, (start, cut))
    answer = await instance.api.post("/api/data", headers=live, json={"quantity": 4})

    assert told == 1
    assert answer.json()["usage"]["count"] == 7
    assert [await used(instance.database, place, begin) for begin in (start, cut)] == [1, 1]
    await proven(instance)


# At the very moment.


@pytest.fixture
async def engines(instance: Instance) -> AsyncIterator[list[MeteringEngine]]:
    """Those of two server processes on PostgreSQL; SQLite has one."""
    if instance.database.is_sqlite:
        yield [instance.metering]
        return
    other = create_app(instance.settings)
    async with living(other):
        yield [instance.metering, other.state.metering]


async def test_what_is_answered_in_a_period_is_what_was_closed_whoever_calls_meanwhile(
    instance: Instance, alice: Account, engines: list[MeteringEngine]
):
    """Callers go on across the end of a short period, while another process closes it the moment it ends."""
    beside = open_database(instance.settings)
    key = await instance.authenticator.authenticate_secret_key(alice.sk["Authorization"])
    billed, begins_after = 0, 0
    for number in range(ROUNDS):
        user = f"user-{number}"
        starts_at = clock.now()
        ends_at = starts_at + begins_after + 120_000
        await subscribe(instance, alice, user, (starts_at, ends_at))
        place = await place_of(instance.database, alice, user)
        begins_after = clock.now() - starts_at  # until somebody can call, on this machine
        answered: Counter[int] = Counter()
        is_over = asyncio.Event()

        async def call(engine: MeteringEngine, user: str, answered: Counter[int], is_over: asyncio.Event) -> None:
            while not is_over.is_set():
                outcome = await engine.count(build_call(key, await engine.get_terms(key), user_id=user))
                answered[outcome.opened.period.starts_at] += outcome.is_allowed

        calling = [asyncio.create_task(call(engine, user, answered, is_over)) for engine in engines for _ in range(8)]
        await asyncio.sleep((ends_at - clock.now()) / clock.SECOND - 0.01)
        async with beside.write() as tx:  # on SQLite the others wait from here on
            await tx.scalar(text("SELECT 1"))
            while clock.now() < ends_at:
                await asyncio.sleep(0)
            closed = await usage.close_period(tx, *place, starts_at, ends_at)
        await asyncio.sleep(0.02)
        is_over.set()
        await asyncio.gather(*calling)

        assert answered[starts_at] == closed
        for start, calls in answered.items():
            assert await used(instance.database, place, start) == calls
        billed += closed
    assert billed > ROUNDS
    await beside.close()
    await proven(instance)

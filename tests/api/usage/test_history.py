"""GET /api/usage/history."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from dream_api import catalog, platforms, usage
from dream_api.app import bootstrap, open_database
from dream_api.catalog import TierLimit
from dream_api.core import clock, ids
from dream_api.core.db import Database, Tx
from dream_api.core.settings import Settings
from dream_api.customers.tables import customers as customer_rows
from dream_api.platforms import MODES, Project
from dream_api.usage import Point, Span, UsageBy
from dream_api.usage.tables import usage_hours
from dream_api.usage.time_series import span_of
from tests.support.cases import each_case
from tests.support.instance import Account, Instance, open_account
from tests.support.statements import statements

BY: list[UsageBy] = ["hour", "day", "customer", "meter"]


@pytest.fixture(autouse=True)
def _midday() -> None:
    """Half past twelve: no hour and no day ends in the middle of a test."""
    clock.move((12 * clock.HOUR + 30 * clock.MINUTE - clock.now()) % clock.DAY)


async def read(instance: Instance, headers: dict[str, str], **params: str) -> Any:
    answer = await instance.api.get("/api/usage/history", headers=headers, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def count(instance: Instance, headers: dict[str, str], **body: Any) -> None:
    answer = await instance.api.post("/api/data", headers=headers, json=body)
    assert answer.status_code == 200, answer.text


def counted(told: Any) -> list[tuple[Any, int, int]]:
    """What is not zero: of what, total, calls."""
    rows = [tuple(one.values()) for one in told["data"]]
    return [(of, total, calls) for of, total, calls in rows if total or calls]


async def test_each_hour_of_the_last_day_is_told_and_each_day_of_the_last_thirty(instance: Instance, alice: Account):
    now = clock.now()
    hour, day = clock.hour_of(now), now - now % clock.DAY
    await count(instance, alice.calls(), quantity=5)
    await count(instance, alice.calls(), quantity=-2)
    await count(instance, alice.calls("bob"))

    hours = await read(instance, alice.sk, by="hour")
    days = await read(instance, alice.sk)

    assert [one["at"] for one in hours["data"]] == [clock.rfc3339(hour - n * clock.HOUR) for n in range(23, -1, -1)]
    assert [one["at"] for one in days["data"]] == [clock.rfc3339(day - n * clock.DAY) for n in range(29, -1, -1)]
    assert counted(hours) == [(clock.rfc3339(hour), 4, 2)]
    assert counted(days) == [(clock.rfc3339(day), 4, 2)]
    assert (hours["by"], hours["meter"], days["by"]) == ("hour", "requests", "day")
    assert (hours["from"], hours["to"]) == (hours["data"][0]["at"], clock.rfc3339(hour + clock.HOUR))
    assert (days["from"], days["to"]) == (days["data"][0]["at"], clock.rfc3339(day + clock.DAY))


async def test_customers_are_told_by_their_totals_and_meters_by_name(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(10, meter="tokens"), TierLimit(10, meter="seats"))
    for user, quantity in (("ada", 2), ("bob", 7), ("eve", 4)):
        await count(instance, alice.calls(user), quantity=quantity)
    await count(instance, alice.calls("ada"), meter="tokens", quantity=9)

    assert counted(await read(instance, alice.sk, by="customer")) == [("bob", 7, 1), ("eve", 4, 1), ("ada", 2, 1)]
    assert counted(await read(instance, alice.sk, by="customer", limit="2")) == [("bob", 7, 1), ("eve", 4, 1)]
    assert counted(await read(instance, alice.sk, by="customer", meter="tokens")) == [("ada", 9, 1)]
    assert counted(await read(instance, alice.sk, by="customer", userId="ada")) == [("ada", 2, 1)]
    told = await read(instance, alice.sk, by="meter")
    assert (told["meter"], [one["meter"] for one in told["data"]]) == (None, ["requests", "seats", "tokens"])
    assert counted(told) == [("requests", 13, 3), ("tokens", 9, 1)]
    assert counted(await read(instance, alice.sk, by="meter", userId="ada")) == [("requests", 2, 1), ("tokens", 9, 1)]
    assert (await read(instance, alice.sk, by="meter", meter="tokens"))["meter"] == "tokens"


@pytest.mark.parametrize("by", BY)
async def test_strangers_the_other_mode_and_unknown_customers_are_not_in_it(
    instance: Instance, alice: Account, charlie: Account, by: UsageBy
):
    for headers in (alice.calls("ada"), charlie.calls("ada"), {**alice.live, "X-User-Id": "ada"}):
        await count(instance, headers)
    await count(instance, {**alice.live, "X-User-Id": "ada"})

    for headers, total in ((alice.sk, 1), (alice.live, 2), (charlie.sk, 1), (charlie.live, 0)):
        told = await read(instance, headers, by=by)
        assert sum(one["total"] for one in told["data"]) == total
    assert counted(await read(instance, alice.sk, by=by, userId="nobody")) == []


async def test_a_span_is_told_in_whole_hours_and_days(instance: Instance, alice: Account):
    span = {"from": "2026-03-01T10:20:00Z", "to": "2026-03-03T00:30:00+02:00"}

    hours = await read(instance, alice.sk, by="hour", **span)
    days = await read(instance, alice.sk, by="day", **span)

    assert (hours["from"], hours["to"], len(hours["data"])) == ("2026-03-01T10:00:00Z", "2026-03-02T23:00:00Z", 37)
    assert (days["from"], days["to"], len(days["data"])) == ("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z", 2)


@each_case(
    ("params", "param"),
    [
        ({"by": "week"}, "by"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-01-01T00:00:00"}, "to"),
        ({"to": "0001-01-01T00:00:00+14:00"}, "to"),
        ({"from": "9999-12-31T23:59:59-12:00"}, "from"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-02T00:00:00Z"}, "from"),
        ({"from": "2026-01-03T00:00:00Z", "to": "2026-01-02T00:00:00Z"}, "from"),
        ({"by": "hour", "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:01Z"}, "from"),
        ({"by": "day", "from": "2026-01-01T00:00:00Z", "to": "2027-02-01T00:00:01Z"}, "from"),
        ({"by": "customer", "from": "2026-01-01T00:00:00Z", "to": "2027-02-01T00:00:01Z"}, "from"),
        ({"by": "meter", "from": "2026-01-01T00:00:00Z", "to": "2027-02-01T00:00:01Z"}, "from"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"userId": ""}, "userId"),
        ({"userId": "a\x00"}, "userId"),
        ({"meter": "m" * 121}, "meter"),
    ],
)
async def test_what_cannot_be_told_is_refused(instance: Instance, alice: Account, params: dict[str, str], param: str):
    answer = await instance.api.get("/api/usage/history", headers=alice.sk, params=params)

    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, "validation_failed", param)


async def test_the_longest_spans_are_told(instance: Instance, alice: Account):
    hours = {"by": "hour", "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
    days = {"by": "day", "from": "2026-01-01T00:00:00Z", "to": "2027-02-01T00:00:00Z"}

    assert len((await read(instance, alice.sk, **hours))["data"]) == 31 * 24
    assert len((await read(instance, alice.sk, **days))["data"]) == 365 + 31


async def test_an_unknown_meter_is_refused_by_the_names_of_those_there_are(instance: Instance, alice: Account):
    for by in BY:
        answer = await instance.api.get("/api/usage/history", headers=alice.sk, params={"by": by, "meter": "none"})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_meter")
        assert "requests" in answer.json()["error"]


async def test_a_store_has_no_usage(instance: Instance):
    store = await open_account(instance.database, "Store", "store")
    answer = await instance.api.get("/api/usage/history", headers=store.sk)

    assert (answer.status_code, answer.json()["code"]) == (403, "saas_only")


def test_a_span_that_has_only_a_beginning_ends_now():
    now = 1_000 * clock.DAY + 5 * clock.HOUR + 1
    assert span_of("day", now - 1, None, now) == Span(1_000 * clock.DAY, 1_001 * clock.DAY)
    assert span_of("meter", clock.add_months(now, -13), None, now).ends_at == now - 1 + clock.HOUR


# The numbers are the sums of the rows, and come with one statement.


@dataclass(frozen=True)
class Row:
    """A row of `usage_hours`: its customer and meter by their places."""

    who: int
    meter: int
    hour: int
    period: int
    total: int
    calls: int


PEOPLE = ("ada", "Bob", "bob", "é")
EPOCH = 1_700_006_400_000_000  # a midnight
ROWS = st.lists(
    st.builds(
        Row,
        who=st.integers(0, 7),
        meter=st.integers(0, 3),
        hour=st.integers(-30, 100),
        period=st.integers(0, 1),
        total=st.integers(-9, 10**12),
        calls=st.integers(0, 50),
    ),
    max_size=40,
    unique_by=lambda row: (row.who, row.meter, row.hour, row.period),
)


@dataclass(frozen=True)
class Filled:
    """Two projects of one platform, with the same people in both modes of the first one."""

    projects: tuple[Project, Project]
    # Two of each project.
    meters: tuple[usage.Meter, ...]

    def scope(self, mode: platforms.Mode) -> platforms.ProjectScope:
        project = self.projects[0]
        return platforms.ProjectScope(project.platform_no, project.id, mode)


async def filled(tx: Tx, rows: list[Row]) -> Filled:
    platform = await platforms.create(tx, "Charts")
    projects = tuple(
        [await catalog.create_project_with_defaults(tx, platform, name, "saas", MODES) for name in ("One", "Other")]
    )
    meters: list[usage.Meter] = []
    for project in projects:
        await usage.create_meter(tx, project, "tokens")
        meters += (await usage.meters_of(tx, project.platform_no, project.no)).values()
    people = [
        {
            "platform_no": platform.no,
            "id": ids.new("cus"),
            "no": no + 1,
            "project_id": projects[0].id,
            "mode": MODES[no // 4],
            "user_id": PEOPLE[no % 4],
            "status": "active",
            "created_at": 0,
            "updated_at": 0,
        }
        for no in range(8)
    ]
    await tx.execute(insert(customer_rows), people)
    hours = [
        {
            "platform_no": platform.no,
            "customer_no": row.who + 1,
            "meter_no": meters[row.meter].no,
            "hour": EPOCH + row.hour * clock.HOUR,
            "period_starts_at": row.period,
            "total": row.total,
            "calls": row.calls,
        }
        for row in rows
    ]
    if hours:
        await tx.execute(insert(usage_hours), hours)
    return Filled((projects[0], projects[1]), tuple(meters))


def meant(rows: list[Row], mode: int, by: UsageBy, span: Span, meters: list[usage.Meter], all_meters: Any) -> Any:
    """What is to be told, told as simply as it can be."""
    totals: Counter[Any] = Counter()
    calls: Counter[Any] = Counter()
    for row in rows:
        at, meter = EPOCH + row.hour * clock.HOUR, all_meters[row.meter]
        if row.who // 4 == mode and meter in meters and span.starts_at <= at < span.ends_at:
            of = {"hour": at, "day": at // clock.DAY * clock.DAY, "customer": PEOPLE[row.who % 4], "meter": meter.name}
            totals[of[by]] += row.total
            calls[of[by]] += row.calls
    if by == "customer":
        order = sorted(totals, key=lambda user: (-totals[user], user.encode()))
    elif by == "meter":
        order = sorted(meter.name for meter in meters)
    else:
        order = list(range(span.starts_at, span.ends_at, clock.DAY if by == "day" else clock.HOUR))
    return [Point(of, totals[of], calls[of]) for of in order]


async def agree(database: Database, rows: list[Row], span: Span) -> None:
    async with database.write() as tx:
        things = await filled(tx, rows)
    own = list(things.meters[:2])
    for mode, by in ((mode, by) for mode in MODES for by in BY):
        for meters in ([own[0]], own):
            async with database.read() as tx:
                with statements(tx) as told:
                    points = await usage.usage_history(tx, things.scope(mode), by, span, meters)
            assert points == meant(rows, MODES.index(mode), by, span, meters, things.meters)
            assert len(told) == 1


def test_the_numbers_are_the_sums_of_the_rows_and_come_with_one_statement(database_settings: Settings):
    with asyncio.Runner() as runner:
        database = open_database(database_settings)
        runner.run(bootstrap(database, database_settings))

        @given(rows=ROWS, starts=st.integers(-2, 3), days=st.integers(1, 3))
        @settings(
            max_examples=25,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def attempt(rows: list[Row], starts: int, days: int) -> None:
            span = Span(EPOCH + starts * clock.DAY, EPOCH + (starts + days) * clock.DAY)
            runner.run(agree(database, rows, span))

        try:
            attempt()
        finally:
            runner.run(database.close())

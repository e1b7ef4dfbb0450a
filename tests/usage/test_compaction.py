"""Old usage is made small, and no sum changes by it."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import delete, select

from dream_api import customers, platforms
from dream_api.app import integrity_checks
from dream_api.catalog import TierLimit
from dream_api.core import clock, jobs
from dream_api.core.db import Database, Tx, keyset
from dream_api.core.integrity import run_check
from dream_api.core.jobs import Job, Registry
from dream_api.core.jobs.tables import schedules
from dream_api.platforms import Mode
from dream_api.usage import Window, compaction
from dream_api.usage import jobs as usage_jobs
from dream_api.usage.tables import usage_counters, usage_hours, usage_subjects
from tests.core.job_workers import at_work, until
from tests.support.instance import Account, Instance

JOB = Job("job_1", usage_jobs.MERGE, None, {}, 1)
EVERY_WINDOW = (Window.LIFE, Window.HOUR, Window.DAY, Window.MONTH, Window.PERIOD)
Rows = Sequence[Any]


async def rows_of(database: Database, table: Any) -> Rows:
    async with database.read() as tx:
        return await tx.all(select(table).order_by(*table.primary_key))


async def proven(instance: Instance) -> None:
    for check in integrity_checks():
        finding = await run_check(instance.database, check)
        assert finding.holds, finding


def sums(hours: Rows, *parts: str) -> dict[tuple[int, ...], tuple[int, int]]:
    """Totals and calls by these columns; `month` is the calendar month."""
    totals: Counter[tuple[int, ...]] = Counter()
    calls: Counter[tuple[int, ...]] = Counter()
    for row in hours:
        facts = {**row._mapping, "month": clock.month_of(row.hour)[0]}
        key = tuple(facts[part] for part in parts)
        totals[key] += row.total
        calls[key] += row.calls
    return {key: (totals[key], calls[key]) for key in totals}


SHORT = (7 * clock.MINUTE, clock.HOUR, 20 * clock.HOUR, 80 * clock.HOUR)
LONG = (clock.HOUR, 9 * clock.DAY, 30 * clock.DAY)
LIFE = ("platform_no", "customer_no", "meter_no")


def place_of(row: Any) -> tuple[int, ...]:
    """What is merged into one: life, month and period."""
    return (row.platform_no, row.customer_no, row.meter_no, clock.month_of(row.hour)[0], row.period_starts_at)


ALL_SUMS = (LIFE, (*LIFE, "period_starts_at"), (*LIFE, "month"), (*LIFE, "month", "period_starts_at"))


async def limits(instance: Instance, alice: Account) -> None:
    """Counters of every window, of a sum meter and of a distinct one, for customers and for the platform."""
    every = [
        TierLimit(None, meter, window, aggregation=aggregation)
        for meter, aggregation in (("requests", "sum"), ("devices", "distinct"))
        for window in EVERY_WINDOW
    ]
    for mode in ("test", "live"):
        await instance.set_limits(alice, "free", *every, mode=mode)
    await instance.set_level(9, TierLimit(None, "requests", Window.DAY), TierLimit(10**6, "active_users", Window.HOUR))
    await instance.assign(alice, 9)


async def count(instance: Instance, account: Account, mode: Mode, user: str, **body: Any) -> None:
    headers = {**(account.live if mode == "live" else account.sk), "X-User-Id": user}
    answer = await instance.api.post("/api/data", headers=headers, json=body)
    assert answer.status_code == 200, answer.text


async def subscribe(instance: Instance, account: Account, user: str) -> None:
    """From now on, the customer's period begins in the middle of months and of hours."""
    project = account.project
    scope = platforms.ProjectScope(project.platform_no, project.id, "test")
    now = clock.now()
    async with instance.database.write() as tx:
        await customers.set_plan(tx, scope, user, "free", now=now, period=(now, clock.add_months(now, 12)))


async def live_for(instance: Instance, alice: Account, months: int, *, chance: random.Random) -> None:
    """Calls of all kinds, over so many months up to now; most of them in the first weeks."""
    end = clock.now()
    begin = clock.add_months(end, -months)
    clock.move(begin - end)
    await limits(instance, alice)
    is_subscribed = False
    while (now := clock.now()) < end:
        await count(instance, alice, "test", "ada", quantity=5)
        await count(instance, alice, "test", "ada", quantity=-chance.randint(1, 5))
        await count(instance, alice, chance.choice(["test", "live"]), chance.choice(["ada", "bob"]), quantity=3)
        await count(instance, alice, "live", "bob", meter="devices", subject=chance.choice("abcdef"))
        if not is_subscribed and now > begin + 20 * clock.DAY:
            await subscribe(instance, alice, "ada")
            is_subscribed = True
        steps = SHORT if now < begin + 75 * clock.DAY else LONG
        clock.move(chance.choice(steps))
    clock.move(end - clock.now())


class Died(Exception):
    """The process is gone in the middle of a transaction."""


class Dying:
    """A database whose user dies in a write transaction, after so many that were committed."""

    def __init__(self, database: Database, lives: int) -> None:
        self.read = database.read
        self._database = database
        self._lives = lives

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        async with self._database.write() as tx:
            yield tx
            if self._lives == 0:
                raise Died
            self._lives -= 1


@pytest.mark.both
async def test_hours_older_than_13_months_become_one_a_month_and_period_and_no_sum_changes(
    instance: Instance, alice: Account
):
    await live_for(instance, alice, 16, chance=random.Random(1))
    before = await rows_of(instance.database, usage_hours)
    cutoff, _ = clock.month_of(clock.add_months(clock.now(), -13))
    await proven(instance)

    await usage_jobs.merge(instance.database, JOB)

    after = await rows_of(instance.database, usage_hours)
    for parts in ALL_SUMS:
        assert sums(after, *parts) == sums(before, *parts)
    old = [row for row in after if row.hour < cutoff]
    assert len(old) == len(sums(old, *LIFE, "month", "period_starts_at"))
    assert len(old) < len([row for row in before if row.hour < cutoff]) / 2
    assert [row for row in after if row.hour >= cutoff] == [row for row in before if row.hour >= cutoff]
    assert {place_of(row): row.hour for row in old} == {
        place: min(row.hour for row in before if place_of(row) == place) for place in {place_of(row) for row in old}
    }
    # Each is inside its period, also where that began in the middle of the month.
    assert all(row.hour > row.period_starts_at - clock.HOUR for row in old)
    assert any(row.period_starts_at % clock.HOUR for row in old)
    await proven(instance)


async def test_counters_go_when_their_time_is_over_and_no_other_ones(instance: Instance, alice: Account):
    await live_for(instance, alice, 16, chance=random.Random(2))
    before = await rows_of(instance.database, usage_counters)
    subjects = await rows_of(instance.database, usage_subjects)
    now = clock.now()
    cutoff, _ = clock.month_of(clock.add_months(now, -13))
    distinct = {(row.platform_no, row.customer_no, row.meter_no) for row in subjects}

    await usage_jobs.merge(instance.database, JOB)

    def is_kept(row: Any) -> bool:
        if (row.platform_no, row.customer_no, row.meter_no) in distinct:
            return row.window in (Window.LIFE, Window.PERIOD) or row.starts_at >= cutoff
        return row.window not in (Window.HOUR, Window.DAY) or row.starts_at >= now - 41 * clock.DAY

    kept = [row for row in before if is_kept(row)]
    assert await rows_of(instance.database, usage_counters) == kept
    assert await rows_of(instance.database, usage_subjects) == [row for row in subjects if is_kept(row)]
    gone = Counter((row.meter_no, row.window) for row in before) - Counter((row.meter_no, row.window) for row in kept)
    assert {window for _, window in gone} == {Window.HOUR, Window.DAY, Window.MONTH}
    assert {Window.LIFE, Window.MONTH, Window.PERIOD} <= {row.window for row in kept if row.starts_at < cutoff}


async def test_what_is_counted_after_it_is_as_true_as_before(instance: Instance, alice: Account):
    await live_for(instance, alice, 15, chance=random.Random(3))
    usage = await instance.usage_of(alice)
    await usage_jobs.merge(instance.database, JOB)

    assert await instance.usage_of(alice) == usage
    for mode in ("test", "live"):
        for user in ("ada", "bob"):
            await count(instance, alice, mode, user, quantity=4)
            await count(instance, alice, mode, user, meter="devices", subject="a")
    await proven(instance)


async def test_a_month_of_many_rows_and_subjects_is_merged_in_chunks(
    instance: Instance, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    for module, name, value in ((keyset, "PAGE", 7), (compaction, "CHUNK", 3)):
        monkeypatch.setattr(module, name, value)
    await live_for(instance, alice, 16, chance=random.Random(4))
    before = await rows_of(instance.database, usage_hours)

    await usage_jobs.merge(instance.database, JOB)
    after = await rows_of(instance.database, usage_hours)
    never_writing: Any = Dying(instance.database, 0)
    await usage_jobs.merge(never_writing, JOB)

    for parts in ALL_SUMS:
        assert sums(after, *parts) == sums(before, *parts)
    cutoff, _ = clock.month_of(clock.add_months(clock.now(), -13))
    assert len([row for row in after if row.hour < cutoff]) == len(
        sums([row for row in before if row.hour < cutoff], *LIFE, "month", "period_starts_at")
    )
    assert await rows_of(instance.database, usage_hours) == after
    await proven(instance)


@pytest.mark.both
async def test_broken_off_anywhere_it_leaves_everything_true_and_is_finished_by_the_next_run(
    instance: Instance, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    for module, name, value in ((keyset, "PAGE", 20), (compaction, "CHUNK", 10)):
        monkeypatch.setattr(module, name, value)
    await live_for(instance, alice, 16, chance=random.Random(5))
    before = await rows_of(instance.database, usage_hours)
    for lives in (0, 1, 2, 3, 5, 0, 8):
        dying: Any = Dying(instance.database, lives)
        with pytest.raises(Died):
            await usage_jobs.merge(dying, JOB)
        await proven(instance)

    await usage_jobs.merge(instance.database, JOB)

    after = await rows_of(instance.database, usage_hours)
    for parts in ALL_SUMS:
        assert sums(after, *parts) == sums(before, *parts)
    await proven(instance)
    finished = len(await rows_of(instance.database, usage_counters))
    await usage_jobs.merge(instance.database, JOB)
    assert await rows_of(instance.database, usage_hours) == after
    assert len(await rows_of(instance.database, usage_counters)) == finished


async def test_what_was_counted_in_a_projects_future_stays_as_it_is(instance: Instance, alice: Account):
    await limits(instance, alice)
    for _ in range(4):
        async with instance.database.write() as tx:
            now = await platforms.project_now(tx, alice.project.platform_no, alice.project.id, "test")
            await platforms.move_to(tx, alice.project, now + 200 * clock.DAY)
        for hour in range(3):
            await count(instance, alice, "test", "ada", quantity=hour + 1)
            await count(instance, alice, "test", "ada", meter="devices", subject="a")
            async with instance.database.write() as tx:
                now = await platforms.project_now(tx, alice.project.platform_no, alice.project.id, "test")
                await platforms.move_to(tx, alice.project, now + clock.HOUR)
    tables = (usage_hours, usage_counters, usage_subjects)
    before = [await rows_of(instance.database, table) for table in tables]

    await usage_jobs.merge(instance.database, JOB)

    assert [await rows_of(instance.database, table) for table in tables] == before
    await proven(instance)


@pytest.mark.both
async def test_beside_running_calls_and_a_second_run_of_itself_nothing_is_lost(
    instance: Instance, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    for module, name, value in ((keyset, "PAGE", 20), (compaction, "CHUNK", 10)):
        monkeypatch.setattr(module, name, value)
    await live_for(instance, alice, 16, chance=random.Random(6))
    before = await rows_of(instance.database, usage_hours)
    is_over = asyncio.Event()

    async def call() -> int:
        calls = 0
        while not is_over.is_set():
            for mode in ("test", "live"):
                await count(instance, alice, mode, "bob")
                await count(instance, alice, mode, "bob", meter="devices", subject=str(calls))
                calls += 1
        return calls

    calling = [asyncio.create_task(call()) for _ in range(3)]
    done = await asyncio.gather(*(usage_jobs.merge(instance.database, JOB) for _ in range(2)), return_exceptions=True)
    is_over.set()
    counted = sum(await asyncio.gather(*calling))
    # Two that want the same rows may be in each other's way on PostgreSQL; a job that fails is tried again.
    assert any(one is None for one in done), done
    await usage_jobs.merge(instance.database, JOB)

    after = await rows_of(instance.database, usage_hours)
    assert counted > 0
    own = [row for row in after if row.customer_no]
    calls = sum(row.calls for row in own) - sum(row.calls for row in before if row.customer_no)
    assert calls == 2 * counted
    old = clock.now() - 2 * clock.DAY
    assert sums([row for row in after if row.hour < old], *LIFE) == sums(
        [row for row in before if row.hour < old], *LIFE
    )
    await proven(instance)


async def test_where_nothing_is_old_nothing_is_written(instance: Instance, alice: Account):
    await live_for(instance, alice, 1, chance=random.Random(7))
    before = [await rows_of(instance.database, table) for table in (usage_hours, usage_counters, usage_subjects)]

    await usage_jobs.merge(instance.database, JOB)

    assert [
        await rows_of(instance.database, table) for table in (usage_hours, usage_counters, usage_subjects)
    ] == before


async def test_a_worker_merges_every_day_and_releases_every_minute(instance: Instance, alice: Account):
    registry = Registry()
    usage_jobs.register(registry)
    await live_for(instance, alice, 15, chance=random.Random(8))
    before = len(await rows_of(instance.database, usage_hours))
    async with instance.database.write() as tx:
        await tx.execute(delete(schedules))  # the day's merging was done when the instance was furnished

    async def is_merged() -> bool:
        return len(await rows_of(instance.database, usage_hours)) < before

    async with at_work(jobs.Worker(instance.database, registry)):
        await until(is_merged)

    assert {one.name: one.every for one in registry.schedules} == {
        usage_jobs.MERGE: clock.DAY,
        usage_jobs.RELEASE: clock.MINUTE,
        usage_jobs.ROLL: 10 * clock.MINUTE,
    }

"""Sums of hours that are over: what is read by them is what the rows come to, at any moment."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from dream_api import usage
from dream_api.core import clock
from dream_api.core.integrity import run_check
from dream_api.customers.tables import customers
from dream_api.platforms import MODES, Mode, ProjectScope
from dream_api.usage import Span, compaction, integrity, rollup
from dream_api.usage.tables import usage_hours, usage_late, usage_rolled, usage_totals
from tests.analytics.history import Past
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both


async def fill(instance: Instance, account: Account) -> None:
    async with instance.database.write() as tx:
        for mode in MODES:
            past = Past(tx, account.project, mode, Random(mode), clock.now())
            await past.usage(await past.customers(await past.tiers(), 20))


async def roll(instance: Instance) -> None:
    for _ in range(500):
        if not await rollup.roll_up(instance.database):
            return
    raise AssertionError("It never came to an end.")


async def told(instance: Instance, account: Account, mode: Mode) -> dict[int, tuple[int, int]]:
    """What charts read, by hour."""
    project = account.project
    scope = ProjectScope(project.platform_no, project.id, mode)
    end = clock.hour_of(clock.now()) + clock.HOUR
    async with instance.database.read() as tx:
        meters = list((await usage.meters_of(tx, project.platform_no, project.no)).values())
        points = await usage.usage_history(tx, scope, "hour", Span(end - 62 * clock.DAY, end), meters)
    return {int(point.of): (point.total, point.calls) for point in points if point.total or point.calls}


async def counted(instance: Instance, account: Account, mode: Mode) -> dict[int, tuple[int, int]]:
    """What the rows of all customers come to, by hour."""
    end = clock.hour_of(clock.now()) + clock.HOUR
    totals: Counter[int] = Counter()
    calls: Counter[int] = Counter()
    whose = (customers.c.project_id == account.project.id, customers.c.mode == mode)
    async with instance.database.read() as tx:
        numbers = {row.no for row in await tx.all(select(customers.c.no).where(*whose))}
        for row in await tx.all(select(usage_hours)):
            if row.platform_no == account.project.platform_no and row.customer_no in numbers and row.hour < end:
                totals[row.hour] += row.total
                calls[row.hour] += row.calls
    return {hour: (totals[hour], calls[hour]) for hour in totals if totals[hour] or calls[hour]}


async def agree(instance: Instance, account: Account) -> None:
    for mode in MODES:
        assert await told(instance, account, mode) == await counted(instance, account, mode)
    await proven(instance)


async def proven(instance: Instance) -> None:
    check = next(check for check in integrity.checks() if check.name == "totals_are_sums_of_hours")
    assert (await run_check(instance.database, check)).contradictions == []


async def rows(instance: Instance, table: Any) -> int:
    async with instance.database.read() as tx:
        return len(await tx.all(select(table)))


async def test_sums_come_to_what_the_rows_come_to(instance: Instance, alice: Account, charlie: Account):
    await fill(instance, alice)
    await fill(instance, charlie)
    await agree(instance, alice)

    await roll(instance)

    assert await rows(instance, usage_totals) > 50
    await agree(instance, alice)
    await agree(instance, charlie)


async def test_what_is_counted_late_is_told_at_once_and_summed_up_later(instance: Instance, alice: Account):
    clock.move((clock.month_of(clock.now())[0] + 20 * clock.DAY) - clock.now())
    await fill(instance, alice)
    await roll(instance)
    late = clock.rfc3339(clock.now() - 3 * clock.DAY)

    for body in ({"timestamp": late, "quantity": 7}, {}, {"timestamp": late, "quantity": -2}):
        answer = await instance.api.post("/api/data", headers=alice.calls(), json=body)
        assert answer.status_code == 200, answer.text
    assert await rows(instance, usage_late) > 0
    await agree(instance, alice)

    await roll(instance)

    assert await rows(instance, usage_late) == 0
    await agree(instance, alice)


async def test_the_present_hour_is_never_summed_up(instance: Instance, alice: Account):
    await instance.api.post("/api/data", headers=alice.calls())
    await roll(instance)
    assert await rows(instance, usage_totals) == await rows(instance, usage_rolled) == 0

    clock.move(3 * clock.HOUR)
    await roll(instance)

    assert await rows(instance, usage_totals) == await rows(instance, usage_rolled) == 1
    await agree(instance, alice)


async def test_merging_keeps_sums_true(instance: Instance, alice: Account):
    await fill(instance, alice)
    await roll(instance)
    clock.move(500 * clock.DAY)
    await roll(instance)

    await compaction.compact(instance.database, clock.now())
    await roll(instance)

    await proven(instance)


@pytest.mark.parametrize("ahead", [2 * clock.HOUR, 40 * clock.DAY, 3_650 * clock.DAY])
async def test_sums_stay_true_when_the_clock_was_ahead_and_is_set_right(
    instance: Instance, alice: Account, ahead: int
) -> None:
    clock.move(ahead)
    await instance.api.post("/api/data", headers=alice.calls())
    clock.move(2 * clock.HOUR)
    await roll(instance)
    clock.move(-ahead - 2 * clock.HOUR)

    for _ in range(2):
        assert (await instance.api.post("/api/data", headers=alice.calls())).status_code == 200
        await agree(instance, alice)
        await roll(instance)
        await agree(instance, alice)
        clock.move(clock.HOUR)


async def test_sums_are_rebuilt(instance: Instance, alice: Account, charlie: Account) -> None:
    """Whatever is wrong with them; and unfinished hours that a clock ahead has summed up are not any more."""
    for account in (alice, charlie):
        await fill(instance, account)
    clock.move(2 * clock.DAY)
    await roll(instance)
    clock.move(-2 * clock.DAY)
    async with instance.database.write() as tx:
        await tx.execute(update(usage_totals).values(total=usage_totals.c.total + 5))
        await tx.execute(delete(usage_totals).where(usage_totals.c.mode == 1))
        await tx.execute(
            update(usage_rolled).where(usage_rolled.c.platform_no == charlie.project.platform_no).values(until=0)
        )

    for account in (alice, charlie):
        await usage.rebuild_rollups(instance.database, account.project.platform_no)
    async with instance.database.read() as tx:
        until = [row.until for row in await tx.all(select(usage_rolled))]
    await roll(instance)

    assert max(until) <= clock.now()
    for account in (alice, charlie):
        await agree(instance, account)

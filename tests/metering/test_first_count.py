"""Two processes count on a customer's second meter for the first time, at the same moment."""

import asyncio

import pytest
from sqlalchemy import select

from dream_api import usage
from dream_api.app import integrity_checks, open_database
from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.core.integrity import run_check
from dream_api.usage import CurrentLimit, Increment, Period, Window
from dream_api.usage.tables import usage_counters
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both


@pytest.mark.parametrize("database_kind", ["postgres"])
async def test_a_refused_call_takes_nothing_away_from_what_the_other_began(instance: Instance, alice: Account):
    await instance.api.post("/api/data", headers=alice.calls())
    await instance.set_limits(alice, "free", TierLimit(5, "tokens"))
    async with instance.database.read() as tx:
        meters = await usage.meters_of(tx, alice.project.platform_no, alice.project.no)
    life = (alice.project.platform_no, 1, meters["tokens"].no)
    period = Period(*clock.month_of(clock.now()))
    limit = CurrentLimit(Window.PERIOD, "hard", 5, period.starts_at, period.ends_at)
    five = usage.Call((Increment(life, 5, (limit,), clock.hour_of(clock.now()), period.starts_at),))
    beside = open_database(instance.settings)

    async with beside.write() as tx:
        await usage.count(tx, [five], lambda place, verdict: "")
        waiting = asyncio.create_task(
            instance.api.post("/api/data", headers=alice.calls(), json={"meter": "tokens", "quantity": 5})
        )
        await asyncio.sleep(0.2)  # by now it waits for the row that is made here
    refused = await waiting
    await beside.close()

    assert refused.status_code == 429
    async with instance.database.read() as tx:
        lives = select(usage_counters.c.count).where(
            usage_counters.c.meter_no == life[2], usage_counters.c.customer_no == 1, usage_counters.c.window == 0
        )
        assert await tx.scalar(lives) == 5
    for check in integrity_checks():
        finding = await run_check(instance.database, check)
        assert finding.holds, finding

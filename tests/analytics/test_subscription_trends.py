"""How subscriptions rise and fall, day by day."""

from random import Random

from sqlalchemy import select

from dream_api import analytics
from dream_api.analytics import Trend
from dream_api.billing.tables import subscriptions
from dream_api.core import clock
from dream_api.platforms import ProjectScope
from tests.analytics.history import Past
from tests.support.instance import Account, Instance


async def test_each_day_of_a_trend_is_what_its_subscriptions_come_to(
    instance: Instance, alice: Account, charlie: Account
):
    now = clock.now()
    async with instance.database.write() as tx:
        for seed, account in enumerate((alice, charlie)):
            await Past(tx, account.project, "test", Random(seed), now).fill(3)
    scope = ProjectScope(alice.project.platform_no, alice.project.id, "test")
    span = analytics.last_days(30, now)

    async with instance.database.read() as tx:
        told = await analytics.get_subscription_trends(tx, scope, span)
        rows = await tx.all(select(subscriptions).where(subscriptions.c.project_id == alice.project.id))

    days = range(span.starts_at - clock.DAY, span.ends_at, clock.DAY)
    for trend in told:
        own = [row for row in rows if row.currency == trend.currency and (row.holds or row.ended_at is not None)]
        held = [
            [
                row
                for row in own
                if row.started_at < day + clock.DAY and (row.ended_at or day + clock.DAY) >= day + clock.DAY
            ]
            for day in days
        ]
        monthly = [sum(row.monthly_amount for row in each if row.status != "trialing") for each in held]
        assert trend == Trend(trend.currency, [len(each) for each in held], monthly)
    assert [trend.currency for trend in told] == sorted({row.currency for row in rows})
    assert any(len(set(trend.counts)) > 2 for trend in told)

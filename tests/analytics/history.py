"""A made-up past of a project in one mode, written into the tables: much of everything, much of it beside the span."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dream_api import usage
from dream_api.catalog.tables import tier_limits, tiers
from dream_api.core import clock, ids
from dream_api.customers.tables import customers
from dream_api.platforms import next_customer_number
from dream_api.usage.tables import usage_counters, usage_hours, usage_late
from dream_api.webhooks.tables import events
from tests.analytics.sales import Rows, Sold

WINDOWS = ("life", "hour", "day", "month", "period")


@dataclass
class Past(Sold):
    """Everything that there may be."""

    async def fill(self, size: int = 1) -> None:
        plans = await self.tiers()
        people = await self.customers(plans, 30 * size)
        await self.subscriptions(people, plans, 40 * size)
        paid = await self.payments(60 * size)
        await self.refunds(paid)
        await self.disputes(paid)
        await self.usage(people)
        await self.counters(people, plans)
        await self.stock(plans)
        await self.orders(40 * size)
        await self.events(15 * size)

    async def tiers(self) -> Rows:
        """Twenty-one, one of them archived; the first two limit what is used."""
        times = {"created_at": self.now, "updated_at": self.now}
        named = [
            self.whose
            | times
            | {
                "id": ids.new("tier"),
                "name": f"plan{n:02}",
                "display_name": f"Plan {n}",
                "is_default": False,
                "features": "[]",
                "archived_at": self.now if n == 20 else None,
            }
            for n in range(21)
        ]
        return await self.write(tiers, named)

    async def limits(self, plans: Rows, meter_nos: Sequence[int]) -> None:
        whose = {"platform_no": self.project.platform_no}
        limits = [
            whose | {"tier_id": plan["id"], "meter_no": no, "window": window, "kind": kind, "max": most}
            for plan, most in ((plans[0], 100), (plans[1], 40))
            for no, kind in zip(meter_nos, ("hard", "soft"), strict=True)
            for window in WINDOWS
        ]
        await self.write(tier_limits, limits)

    async def customers(self, plans: Rows, many: int) -> Rows:
        rows: Rows = []
        first = await next_customer_number(self.tx, self.project.platform_no, many)
        for n in range(many):
            starts = self.random.choice([None, self.before(50), self.before(400)])
            paid_for = self.random.choice([1, 1, 12])
            rows.append(
                self.whose
                | {
                    "id": ids.new("cus"),
                    "no": first + n,
                    "user_id": f"user{n}",
                    "status": self.random.choice(["active"] * 6 + ["blocked", "deleted"]),
                    "plan": self.random.choice([None, "gone", plans[0]["name"], plans[1]["name"]]),
                    "period_starts_at": starts,
                    "period_ends_at": None if starts is None else clock.add_months(starts, paid_for),
                    "created_at": self.now - self.random.randrange(60 * clock.DAY),
                    "updated_at": self.now,
                }
            )
        return await self.write(customers, rows)

    async def usage(self, people: Rows) -> None:
        nos = await self.meter_nos()
        hours = {(one["no"], no, clock.hour_of(self.before())) for one in people for no in nos for _ in range(6)}
        rows = [
            {
                "platform_no": self.project.platform_no,
                "customer_no": who,
                "meter_no": no,
                "hour": hour,
                "period_starts_at": 0,
                "total": self.random.randint(-3, 40),
                "calls": self.random.randint(0, 9),
            }
            for who, no, hour in sorted(hours)
        ]
        await self.write(usage_hours, rows)
        # As whoever counts in an hour that is over: the job that sums hours up may have been here already.
        noted = sorted({hour for _, _, hour in hours})
        whose = {"platform_no": self.project.platform_no}
        await self.write(usage_late, [whose | {"hour": hour, "id": ids.new("late")} for hour in noted])

    async def counters(self, people: Rows, plans: Rows) -> None:
        """Of every window: the open one, the one before, and, of periods, whatever began lately."""
        nos = await self.meter_nos()
        await self.limits(plans, nos)
        day, month = self.now - self.now % clock.DAY, clock.month_of(self.now)[0]
        hour = clock.hour_of(self.now)
        fixed = [(0, 0), (1, hour), (1, hour - clock.HOUR), (2, day), (2, day - clock.DAY), (3, month), (4, month)]
        fixed += [(3, clock.add_months(month, -1)), (4, clock.add_months(month, -1))]
        keys = {
            (one["no"], no, *key)
            for one in people
            for no in nos
            for key in [*self.random.sample(fixed, 5), *((4, at) for at in _months_of(one, self.now))]
        }
        rows = [
            dict(zip(("platform_no", "customer_no", "meter_no", "window", "starts_at"), key, strict=True))
            | {"count": self.random.randint(0, 110), "announced": 0, "held": 0}
            for key in sorted((self.project.platform_no, *key) for key in keys)
        ]
        await self.write(usage_counters, rows)

    async def meter_nos(self) -> list[int]:
        known = await usage.meters_of(self.tx, self.project.platform_no, self.project.no)
        if len(known) < 2:
            await usage.create_meter(self.tx, self.project, "tokens")
            known = await usage.meters_of(self.tx, self.project.platform_no, self.project.no)
        return [meter.no for meter in known.values()]

    async def events(self, many: int) -> None:
        rows = [
            self.whose
            | {"id": ids.new("evt"), "type": "payment.succeeded", "data": f'{{"n":{n}}}', "created_at": self.before()}
            for n in range(many)
        ]
        await self.write(events, rows)


def _months_of(customer: dict[str, Any], now: int) -> list[int]:
    """When the months of what the customer has paid for began, the last three of them."""
    starts, ends = customer["period_starts_at"], customer["period_ends_at"]
    if starts is None:
        return []
    months = range(14)
    begun = [at for at in (clock.add_months(starts, n) for n in months) if at <= now]
    return [*begun[-3:], *([ends] if ends <= now else [])]

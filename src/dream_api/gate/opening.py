"""A plan's limits in the windows that are open now, and the part of an answer that follows from them alone."""

import json

from dream_api.catalog import Plan
from dream_api.core import clock
from dream_api.customers import Customer
from dream_api.usage import Limit, Meter, OpenLimit, Period, Window, open_at, period_at


class Opened:
    """The limits of one plan and meter, as they stand open; made once for all calls of the hour that share them."""

    __slots__ = ("head", "limits", "meter", "period", "plan", "policies", "tails")

    def __init__(self, plan: str, meter: str, period: Period, limits: tuple[OpenLimit, ...]) -> None:
        self.plan = plan
        self.meter = meter
        self.period = period
        self.limits = limits
        # What does not change from call to call: the beginning of `usage`, the end of each limit's JSON, and of each
        # limit its RateLimit-Policy and the beginning of its RateLimit (empty where nothing is limited).
        self.head = f'"usage":{{"plan":{json.dumps(plan)},'
        self.tails = tuple(_tail(limit, json.dumps(meter)) for limit in limits)
        self.policies = tuple(_policy(limit) for limit in limits)


class Windows:
    """What is open in one clock hour."""

    def __init__(self, now: int) -> None:
        self.hour = clock.hour_of(now)
        self._month = Period(*clock.month_of(now))
        self._opened: dict[tuple[Plan, int, int, int], Opened] = {}

    def are_open_at(self, now: int) -> bool:
        return self.hour <= now < self.hour + clock.HOUR

    def of(self, plan: Plan, meter: Meter, customer: Customer, now: int) -> Opened:
        period = self._month
        if customer.period_starts_at is not None:
            period = period_at(now, customer.period_starts_at, customer.period_ends_at)
        key = (plan, meter.no, period.starts_at, period.ends_at)
        opened = self._opened.get(key)
        if opened is None:
            # A meter without a limit is counted, and told as unlimited.
            limits = plan.limits.get(meter.no) or (Limit(meter.no, Window.PERIOD, "hard", None),)
            open_limits = tuple(open_at(limit, now, period) for limit in limits)
            opened = self._opened[key] = Opened(plan.name, meter.name, period, open_limits)
        return opened


def _tail(limit: OpenLimit, meter: str) -> str:
    most = "null" if limit.max is None else limit.max
    ends_at = "null" if limit.ends_at is None else f'"{clock.rfc3339(limit.ends_at)}"'
    return (
        f'"limit":{most},"meter":{meter},"window":"{limit.window.wire}","kind":"{limit.kind}",'
        f'"periodStart":"{clock.rfc3339(limit.starts_at)}","periodEnd":{ends_at}'
    )


def _policy(limit: OpenLimit) -> tuple[bytes, bytes]:
    if limit.max is None:
        return b"", b""
    policy = f'"{limit.window.wire}";q={limit.max}'
    if limit.ends_at is not None:
        policy += f";w={(limit.ends_at - limit.starts_at) // clock.SECOND}"
    return policy.encode(), f'"{limit.window.wire}";r='.encode()

"""Limits in their current windows, cached per clock hour, with pre-rendered parts of the response."""

import json
from dataclasses import dataclass, field

from dream_api.catalog import Plan
from dream_api.core import clock
from dream_api.core.cache import memoize
from dream_api.customers import Customer, has_lapsed, period_of
from dream_api.usage import CurrentLimit, Increment, Limit, Meter, Period, Window, window_at


class CurrentLimits:
    """The limits of one plan and meter in their current windows; created once for all calls of the hour that share
    them."""

    __slots__ = ("charges", "head", "limits", "meter", "period", "plan", "policies", "tails")

    def __init__(self, plan: str, meter: str, period: Period, limits: tuple[CurrentLimit, ...]) -> None:
        self.plan = plan
        self.meter = meter
        self.period = period
        self.limits = limits
        # Charges that were made before: by customer and quantity, in one hour.
        self.charges: dict[tuple[int, int, int], Increment] = {}
        # What does not change from call to call: the beginning of `usage`, the end of each limit's JSON, and of each
        # limit its RateLimit-Policy and the beginning of its RateLimit (empty where nothing is limited).
        self.head = f'"usage":{{"plan":{json.dumps(plan)},'
        self.tails = tuple(_tail(limit, json.dumps(meter)) for limit in limits)
        self.policies = tuple(_policy(limit) for limit in limits)


@dataclass(frozen=True, slots=True)
class PlatformPlan:
    """The level of a platform: a plan of the project home, the platform as its customer, and the meters that count."""

    plan: Plan
    # The plan it falls back to.
    default: Plan
    customer: Customer
    requests: Meter
    active_users: Meter


_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class CurrentPlatformLimits:
    """A level's limits in their current windows, for one platform."""

    plan: str
    requests: Increment
    active_users: tuple[CurrentLimit, ...]
    active_users_no: int
    hour: int
    period_starts_at: int
    # Users whose activity in this hour is committed, which nothing can undo.
    active: set[int] = field(default_factory=set[int])

    def increments_for(self, platform_no: int, customer_no: int) -> tuple[Increment, ...]:
        """What one admitted call of the customer adds to the platform."""
        if not self.active_users or customer_no in self.active:
            return (self.requests,)
        life = (platform_no, 0, self.active_users_no)
        user = Increment(life, 1, self.active_users, self.hour, self.period_starts_at, str(customer_no))
        return (self.requests, user)

    def mark_active(self, customer_no: int) -> None:
        """Remember that the customer was active in this hour; to be called after the commit."""
        if len(self.active) >= _KEPT:
            self.active.clear()
        self.active.add(customer_no)


class CurrentWindows:
    """The limits in their windows of one clock hour."""

    def __init__(self, at: int) -> None:
        self.hour = clock.hour_of(at)
        self._opened: dict[tuple[Plan, int, int, int, bool], CurrentLimits] = {}
        self._levels: dict[tuple[Plan, int, int], CurrentPlatformLimits] = {}

    def are_current_at(self, now: int) -> bool:
        return self.hour <= now < self.hour + clock.HOUR

    def limits_for(self, plan: Plan, meter: Meter, period: Period, *, corrects: bool = False) -> CurrentLimits:
        """`corrects`: the period is among the limits in any case, because it must not pass below zero."""
        key = (plan, meter.no, period.starts_at, period.ends_at, corrects)
        opened = self._opened.get(key)
        if opened is None:
            # A meter without a limit is counted, and reported as unlimited.
            limits = plan.limits.get(meter.no, ())
            if not limits or (corrects and all(limit.window is not Window.PERIOD for limit in limits)):
                limits = (*limits, Limit(meter.no, Window.PERIOD, "hard", None))
            open_limits = tuple(window_at(limit, self.hour, period) for limit in limits)
            opened = memoize(self._opened, key, CurrentLimits(plan.name, meter.name, period, open_limits))
        return opened

    def platform_limits(
        self, level: PlatformPlan, plan: Plan, platform_no: int, period: Period
    ) -> CurrentPlatformLimits:
        key = (plan, platform_no, period.starts_at)
        opened = self._levels.get(key)
        if opened is None:
            by_meter = {
                meter.no: tuple(window_at(limit, self.hour, period) for limit in plan.limits.get(meter.no, ()))
                for meter in (level.requests, level.active_users)
            }
            life = (platform_no, 0, level.requests.no)
            made = CurrentPlatformLimits(
                plan.name,
                Increment(life, 1, by_meter[level.requests.no], self.hour, period.starts_at),
                by_meter[level.active_users.no],
                level.active_users.no,
                self.hour,
                period.starts_at,
            )
            opened = memoize(self._levels, key, made)
        return opened


class BillingPeriods:
    """Billing periods of customers, cached because calendar months are slow to compute."""

    def __init__(self, now: int) -> None:
        self._month = Period(*clock.month_of(now))
        self._known: dict[tuple[int, int | None], Period] = {}

    def period_at(self, customer: Customer, now: int) -> Period:
        """The subscription's month, else the calendar month."""
        starts_at = customer.period_starts_at
        if starts_at is None or has_lapsed(customer, now):
            if not self._month.starts_at <= now < self._month.ends_at:
                self._month = Period(*clock.month_of(now))
            return self._month
        key = (starts_at, customer.period_ends_at)
        known = self._known.get(key)
        if known is None or not known.starts_at <= now < known.ends_at:
            own = period_of(customer, now)
            known = memoize(self._known, key, Period(*(own or clock.month_of(now))))
        return known


def _tail(limit: CurrentLimit, meter: str) -> str:
    most = "null" if limit.max is None else limit.max
    ends_at = "null" if limit.ends_at is None else f'"{clock.rfc3339(limit.ends_at)}"'
    return (
        f'"limit":{most},"meter":{meter},"window":"{limit.window.wire}","kind":"{limit.kind}",'
        f'"periodStart":"{clock.rfc3339(limit.starts_at)}","periodEnd":{ends_at}'
    )


def _policy(limit: CurrentLimit) -> tuple[bytes, bytes]:
    if limit.max is None:
        return b"", b""
    policy = f'"{limit.window.wire}";q={limit.max}'
    if limit.ends_at is not None:
        policy += f";w={(limit.ends_at - limit.starts_at) // clock.SECOND}"
    return policy.encode(), f'"{limit.window.wire}";r='.encode()

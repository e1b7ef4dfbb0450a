"""Counter increments of a call: the customer's and, in live mode, the platform's."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from dream_api import customers
from dream_api.core import clock
from dream_api.core.cache import memoize
from dream_api.core.errors import Overloaded
from dream_api.customers import Customer
from dream_api.metering.calls import QueuedCall, UsageCall
from dream_api.metering.open_limits import (
    BillingPeriods,
    CurrentLimits,
    CurrentPlatformLimits,
    CurrentWindows,
    PlatformPlan,
)
from dream_api.usage import Closing, Closings, Increment, Period, PeriodClosed, TimestampOutOfRange

# How far a caller's clock may be ahead.
_AHEAD = 5 * clock.MINUTE
_HOURS = 64
# One more than it takes: the period that is over, the one that is open by then, what remains of that.
_TRIES = 4
T = TypeVar("T")


class CallIncrements(NamedTuple):
    """The customer's limits, the increments of a call, and the platform's limits where its level applies."""

    opened: CurrentLimits
    charges: tuple[Increment, ...]
    level: CurrentPlatformLimits | None


class IncrementBuilder:
    """The windows that calls fall into; what is the same for all calls of an hour is made once.

    A call's time is its project's: the world's, or in test mode so much ahead of it.
    """

    def __init__(self) -> None:
        now = clock.now()
        self._windows = CurrentWindows(now)
        self._periods = BillingPeriods(now)
        # Windows of calls with a timestamp, and of projects whose test clock is ahead.
        self._others: dict[int, CurrentWindows] = {}

    def build(self, call: UsageCall, customer: Customer, now: int, closings: Closings | None = None) -> CallIncrements:
        """The increments of the call at this moment; raises CustomerBlocked and TimestampOutOfRange.

        `closings`: periods in which it would have counted and that are closed; it counts after them.
        """
        if customer.status != "active":
            customers.require_active(customer.status)
        now += call.plans.ahead
        if closings is not None:
            now = max(now, *(closing.until for closing in closings.values()))
        plan = call.plan
        if plan is None:
            plan = call.plans.of_customer(None if customers.has_lapsed(customer, now) else customer.plan)
        period = self._periods.period_at(customer, now)
        if closings is not None:
            period = _after(closings.get((call.key.platform_no, customer.no, call.meter.no)), period)
        now_open = self._windows if self._windows.are_current_at(now) else self._turn(now, call.plans.ahead)
        windows = now_open if call.timestamp is None else self._at(call.timestamp, period, now)
        opened = windows.limits_for(plan, call.meter, period, corrects=call.quantity < 0)
        platform_no = call.key.platform_no
        own = self._own(call, customer.no, opened, windows)
        if call.level is None or call.quantity < 1:
            return CallIncrements(opened, (own,), None)
        level = self._level(now_open, call.level, platform_no, now, closings or {})
        return CallIncrements(opened, (own, *level.increments_for(platform_no, customer.no)), level)

    def _own(self, call: UsageCall, customer_no: int, opened: CurrentLimits, windows: CurrentWindows) -> Increment:
        place = (call.key.platform_no, customer_no, call.quantity)
        if call.subject is None:
            known = opened.charges.get(place)
            if known is not None:
                return known
        life = (call.key.platform_no, customer_no, call.meter.no)
        charge = Increment(life, call.quantity, opened.limits, windows.hour, opened.period.starts_at, call.subject)
        return charge if call.subject is not None else memoize(opened.charges, place, charge)

    def _level(
        self, windows: CurrentWindows, level: PlatformPlan, platform_no: int, now: int, closings: Closings
    ) -> CurrentPlatformLimits:
        plan = level.default if customers.has_lapsed(level.customer, now) else level.plan
        period = _after(closings.get((platform_no, 0, level.requests.no)), self._periods.period_at(level.customer, now))
        return windows.platform_limits(level, plan, platform_no, period)

    def _turn(self, now: int, ahead: int) -> CurrentWindows:
        if ahead:
            return self._of_hour(now)
        self._windows = CurrentWindows(now)
        return self._windows

    def _at(self, moment: int, period: Period, now: int) -> CurrentWindows:
        if not period.starts_at <= moment < period.ends_at or moment > now + _AHEAD:
            raise TimestampOutOfRange(
                f"The timestamp must be in the customer's billing period, {clock.rfc3339(period.starts_at)} to "
                f"{clock.rfc3339(period.ends_at)}, and at most 5 minutes in the future.",
                param="timestamp",
            )
        return self._of_hour(moment)

    def _of_hour(self, moment: int) -> CurrentWindows:
        hour = clock.hour_of(moment)
        windows = self._others.get(hour)
        if windows is None:
            if len(self._others) >= _HOURS:
                self._others.clear()
            windows = self._others[hour] = CurrentWindows(moment)
        return windows


async def with_open_period(waiting: QueuedCall, count: Callable[[tuple[Increment, ...]], Awaitable[T]]) -> T:
    """The result of `count` with the increments of one call outside the queue; the customer must be read from `tx`.

    Where the call falls into a closed period, it is counted after that period.
    """
    assert waiting.customer is not None
    for _ in range(_TRIES):
        costs = IncrementBuilder().build(waiting.call, waiting.customer, clock.now(), waiting.closings)
        waiting.opened, charges, waiting.level = costs
        try:
            return await count(charges)
        except PeriodClosed as late:
            waiting.postpone(late.closings[0])
    raise Overloaded("The billing period of the call was closed repeatedly.")


def _after(closing: Closing | None, period: Period) -> Period:
    """The period; of one that was closed before its end, what remains."""
    if closing is None or period.starts_at != closing.starts_at:
        return period
    return Period(closing.until, period.ends_at)

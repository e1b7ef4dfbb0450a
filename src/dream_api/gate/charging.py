"""What a call costs: the customer's charge, and in live mode the platform's."""

from typing import NamedTuple

from dream_api import customers
from dream_api.core import clock
from dream_api.customers import Customer
from dream_api.gate.calls import Metered
from dream_api.gate.opening import Level, Opened, OpenLevel, Periods, Windows, keep
from dream_api.usage import Charge, Period, TimestampOutOfRange

# How far a caller's clock may be ahead.
_AHEAD = 5 * clock.MINUTE
_HOURS = 64


class Costs(NamedTuple):
    """The customer's limits, what the call adds to whom, and the platform's level where that binds."""

    opened: Opened
    charges: tuple[Charge, ...]
    level: OpenLevel | None


class Openings:
    """The windows that calls fall into; what is the same for all calls of an hour is made once."""

    def __init__(self) -> None:
        now = clock.now()
        self._windows = Windows(now)
        self._periods = Periods(now)
        # Of calls that tell when they happened.
        self._past: dict[int, Windows] = {}

    def of(self, call: Metered, customer: Customer, now: int) -> Costs:
        """What the call costs whom; refuses customers and moments that are not in order."""
        if customer.status != "active":
            customers.refuse_inactive(customer.status)
        plan = call.plan
        if plan is None:
            plan = call.plans.of_customer(None if customers.has_lapsed(customer, now) else customer.plan)
        period = self._periods.of(customer, now)
        now_open = self._windows if self._windows.are_open_at(now) else self._turn(now)
        windows = now_open if call.timestamp is None else self._at(call.timestamp, period, now)
        opened = windows.of(plan, call.meter, period, corrects=call.quantity < 0)
        platform_no = call.key.platform_no
        own = self._own(call, customer.no, opened, windows)
        if call.level is None or call.quantity < 1:
            return Costs(opened, (own,), None)
        level = self._level(now_open, call.level, platform_no, now)
        return Costs(opened, (own, *level.charges_of(platform_no, customer.no)), level)

    def _own(self, call: Metered, customer_no: int, opened: Opened, windows: Windows) -> Charge:
        place = (call.key.platform_no, customer_no, call.quantity)
        if call.subject is None:
            known = opened.charges.get(place)
            if known is not None:
                return known
        life = (call.key.platform_no, customer_no, call.meter.no)
        charge = Charge(life, call.quantity, opened.limits, windows.hour, opened.period.starts_at, call.subject)
        return charge if call.subject is not None else keep(opened.charges, place, charge)

    def _level(self, windows: Windows, level: Level, platform_no: int, now: int) -> OpenLevel:
        plan = level.default if customers.has_lapsed(level.customer, now) else level.plan
        return windows.of_level(level, plan, platform_no, self._periods.of(level.customer, now))

    def _turn(self, now: int) -> Windows:
        self._windows = Windows(now)
        return self._windows

    def _at(self, moment: int, period: Period, now: int) -> Windows:
        if not period.starts_at <= moment < period.ends_at or moment > now + _AHEAD:
            raise TimestampOutOfRange(
                f"The timestamp must lie in the customer's period, {clock.rfc3339(period.starts_at)} to "
                f"{clock.rfc3339(period.ends_at)}, and at most 5 minutes ahead.",
                param="timestamp",
            )
        hour = clock.hour_of(moment)
        windows = self._past.get(hour)
        if windows is None:
            if len(self._past) >= _HOURS:
                self._past.clear()
            windows = self._past[hour] = Windows(moment)
        return windows

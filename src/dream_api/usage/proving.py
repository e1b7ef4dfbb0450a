"""What must hold between counters, hours and customers, for `doctor`."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, func, literal_column, or_, select, union_all

from dream_api.core.proofs import Check
from dream_api.usage.tables import meters, usage_counters, usage_hours
from dream_api.usage.windows import Window

c = usage_counters.c
h = usage_hours.c
_ZERO = literal_column("0", BigInteger())
_whose = ("platform_no", "customer_no", "meter_no")


def _against_hours(window: Window, starts_at: ColumnElement[int]) -> Select[Any]:
    """Counters of a window that differ from the sum of their hours, in either direction."""
    counted = select(
        *(c[name] for name in _whose),
        c.starts_at.label("starts_at"),
        c.count.label("count"),
        _ZERO.label("total"),
    ).where(c.window == int(window))
    summed = select(
        *(h[name] for name in _whose),
        starts_at.label("starts_at"),
        _ZERO.label("count"),
        h.total.label("total"),
    )
    both = union_all(counted, summed).subquery().c
    whose = [both[name] for name in (*_whose, "starts_at")]
    count, total = func.sum(both.count), func.sum(both.total)
    return select(*whose, count.label("count"), total.label("sum_of_hours")).group_by(*whose).having(count != total)


def checks() -> list[Check]:
    return [
        Check(
            "life_is_sum_of_hours",
            "Each life count is the sum of its hours.",
            _against_hours(Window.LIFE, _ZERO),
        ),
        Check(
            "period_is_sum_of_hours",
            "Each period count is the sum of the hours counted in that period.",
            _against_hours(Window.PERIOD, h.period_starts_at),
        ),
        Check(
            "counts_are_not_negative",
            "No count and nothing held is negative, and only life rows hold.",
            select(usage_counters).where(or_(c.count < 0, c.held < 0, and_(c.held != 0, c.window != 0))),
        ),
        Check(
            "hours_have_calls",
            "Every hour was counted by at least one call.",
            select(usage_hours).where(h.calls < 1),
        ),
        Check(
            "counters_have_meters",
            "Every counter belongs to a meter of its platform.",
            select(usage_counters)
            .outerjoin(meters, and_(meters.c.platform_no == c.platform_no, meters.c.meter_no == c.meter_no))
            .where(meters.c.meter_no.is_(None)),
        ),
    ]

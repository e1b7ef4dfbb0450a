"""Meters, limits and counts. Knows no plan: limits come as values.

    counted = await usage.count(tx, calls, storable)

counts calls inside the caller's transaction, whichever it is; `decide` is the pure rule behind it. What is not yet
known is held by `reserve` and counted by `settle`. `close_period` tells what is billed, to which nothing is added.
"""

from dream_api.usage.admission import (
    LARGEST_COUNT,
    Admitted,
    BelowZero,
    Call,
    Charge,
    Crossing,
    EventKey,
    LifeKey,
    Mismatched,
    Overflowing,
    Refused,
    Repeated,
    Replayed,
    Standing,
    State,
    Verdict,
    decide,
)
from dream_api.usage.counters import Counted, count
from dream_api.usage.hourly_totals import hours, hours_asked
from dream_api.usage.integrity import checks
from dream_api.usage.late_calls import Closing, Closings, PeriodClosed
from dream_api.usage.meters import (
    LARGEST_QUANTITY,
    REQUESTS,
    Aggregation,
    CorrectionBelowZero,
    CountTooLarge,
    Meter,
    QuantityOutOfRange,
    TimestampOutOfRange,
    UnknownMeter,
    create_meter,
    meters_of,
    standings,
)
from dream_api.usage.period_close import close_period, used_in_period
from dream_api.usage.reservations import (
    LONGEST_TTL_SECONDS,
    Reservation,
    ReservationExpired,
    ReservationSettled,
    SettlesTooMuch,
    reserve,
    settle,
)
from dream_api.usage.reservations import find as find_reservation
from dream_api.usage.time_series import By as UsageBy
from dream_api.usage.time_series import Point, Span, calls_by_platform, history, span_of
from dream_api.usage.windows import Kind, Limit, OpenLimit, Period, Window, open_at

__all__ = [
    "LARGEST_COUNT",
    "LARGEST_QUANTITY",
    "LONGEST_TTL_SECONDS",
    "REQUESTS",
    "Admitted",
    "Aggregation",
    "BelowZero",
    "Call",
    "Charge",
    "Closing",
    "Closings",
    "CorrectionBelowZero",
    "CountTooLarge",
    "Counted",
    "Crossing",
    "EventKey",
    "Kind",
    "LifeKey",
    "Limit",
    "Meter",
    "Mismatched",
    "OpenLimit",
    "Overflowing",
    "Period",
    "PeriodClosed",
    "Point",
    "QuantityOutOfRange",
    "Refused",
    "Repeated",
    "Replayed",
    "Reservation",
    "ReservationExpired",
    "ReservationSettled",
    "SettlesTooMuch",
    "Span",
    "Standing",
    "State",
    "TimestampOutOfRange",
    "UnknownMeter",
    "UsageBy",
    "Verdict",
    "Window",
    "calls_by_platform",
    "checks",
    "close_period",
    "count",
    "create_meter",
    "decide",
    "find_reservation",
    "history",
    "hours",
    "hours_asked",
    "meters_of",
    "open_at",
    "reserve",
    "settle",
    "span_of",
    "standings",
    "used_in_period",
]

"""Meters, limits and counts. Knows no plan: limits come as values.

    counted = await usage.count(tx, calls, storable)

counts calls inside the caller's transaction, whichever it is; `admit` is the pure rule behind it. A quantity that is
not known yet is reserved by `reserve` and counted by `settle`. `close_period` returns what is billed; nothing is added
to a closed period.
"""

from dream_api.usage.admission import (
    LARGEST_COUNT,
    Admitted,
    BelowZero,
    Call,
    EventKey,
    Increment,
    LifeKey,
    LimitStatus,
    Mismatched,
    Overflowing,
    Refused,
    Repeated,
    Replayed,
    State,
    ThresholdCrossing,
    Verdict,
    admit,
)
from dream_api.usage.counters import Counted, count
from dream_api.usage.hourly_totals import hourly_totals_parameters, hourly_totals_query
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
    get_limit_statuses,
    meters_of,
)
from dream_api.usage.period_close import close_period, count_in_period, used_in_period
from dream_api.usage.reservations import (
    LONGEST_TTL_SECONDS,
    Reservation,
    ReservationExpired,
    ReservationSettled,
    SettlementTooLarge,
    reserve,
    settle,
)
from dream_api.usage.reservations import find as find_reservation
from dream_api.usage.rollup import rebuild as rebuild_rollups
from dream_api.usage.time_series import By as UsageBy
from dream_api.usage.time_series import Point, Span, calls_by_platform, span_of, usage_history
from dream_api.usage.windows import CurrentLimit, Kind, Limit, LimitKind, Period, Window, window_at

__all__ = [
    "LARGEST_COUNT",
    "LARGEST_QUANTITY",
    "LONGEST_TTL_SECONDS",
    "REQUESTS",
    "Admitted",
    "Aggregation",
    "BelowZero",
    "Call",
    "Closing",
    "Closings",
    "CorrectionBelowZero",
    "CountTooLarge",
    "Counted",
    "CurrentLimit",
    "EventKey",
    "Increment",
    "Kind",
    "LifeKey",
    "Limit",
    "LimitKind",
    "LimitStatus",
    "Meter",
    "Mismatched",
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
    "SettlementTooLarge",
    "Span",
    "State",
    "ThresholdCrossing",
    "TimestampOutOfRange",
    "UnknownMeter",
    "UsageBy",
    "Verdict",
    "Window",
    "admit",
    "calls_by_platform",
    "checks",
    "close_period",
    "count",
    "count_in_period",
    "create_meter",
    "find_reservation",
    "get_limit_statuses",
    "hourly_totals_parameters",
    "hourly_totals_query",
    "meters_of",
    "rebuild_rollups",
    "reserve",
    "settle",
    "span_of",
    "usage_history",
    "used_in_period",
    "window_at",
]

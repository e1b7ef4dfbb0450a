"""Meters, limits and counts. Knows no plan: limits come as values.

    verdicts = await usage.count(tx, calls, storable)

counts calls inside the caller's transaction, whichever it is; `decide` is the pure rule behind it.
"""

from dream_api.usage.counting import count, peek
from dream_api.usage.deciding import (
    LARGEST_COUNT,
    Admitted,
    Call,
    Decided,
    EventKey,
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
from dream_api.usage.proving import checks
from dream_api.usage.rules import (
    LARGEST_QUANTITY,
    REQUESTS,
    CountTooLarge,
    Meter,
    QuantityOutOfRange,
    UnknownMeter,
    create_meter,
    meters_of,
    standings,
)
from dream_api.usage.windows import Limit, OpenLimit, Period, Window, open_at, period_at

__all__ = [
    "LARGEST_COUNT",
    "LARGEST_QUANTITY",
    "REQUESTS",
    "Admitted",
    "Call",
    "CountTooLarge",
    "Decided",
    "EventKey",
    "Limit",
    "Meter",
    "Mismatched",
    "OpenLimit",
    "Overflowing",
    "Period",
    "QuantityOutOfRange",
    "Refused",
    "Repeated",
    "Replayed",
    "Standing",
    "State",
    "UnknownMeter",
    "Verdict",
    "Window",
    "checks",
    "count",
    "create_meter",
    "decide",
    "meters_of",
    "open_at",
    "peek",
    "period_at",
    "standings",
]

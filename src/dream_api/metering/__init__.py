"""The metered call: all calls that wait are counted in one transaction."""

from dream_api.metering.calls import Metered, Outcome
from dream_api.metering.engine import REFUSALS, MeteringEngine, Terms, metered
from dream_api.metering.reservations import reserve, settle
from dream_api.metering.responses import (
    LevelLimitReached,
    TierLimitReached,
    body_of,
    peeked_body,
    rate_headers,
    refusal_of,
)

__all__ = [
    "REFUSALS",
    "LevelLimitReached",
    "Metered",
    "MeteringEngine",
    "Outcome",
    "Terms",
    "TierLimitReached",
    "body_of",
    "metered",
    "peeked_body",
    "rate_headers",
    "refusal_of",
    "reserve",
    "settle",
]

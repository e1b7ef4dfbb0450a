"""Metering of usage calls: a queue whose waiting calls are counted in one transaction."""

from dream_api.metering.calls import CallResult, UsageCall
from dream_api.metering.engine import METERING_ERRORS, CallTerms, MeteringEngine, build_call
from dream_api.metering.reservations import reserve, settle
from dream_api.metering.responses import (
    LevelLimitReached,
    TierLimitReached,
    limit_error,
    rate_headers,
    response_body,
    usage_body,
)

__all__ = [
    "METERING_ERRORS",
    "CallResult",
    "CallTerms",
    "LevelLimitReached",
    "MeteringEngine",
    "TierLimitReached",
    "UsageCall",
    "build_call",
    "limit_error",
    "rate_headers",
    "reserve",
    "response_body",
    "settle",
    "usage_body",
]

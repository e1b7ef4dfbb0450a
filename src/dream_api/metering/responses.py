"""Responses of metered calls: bodies, rate-limit headers and limit errors of POST /api/data and GET /api/usage."""

import json

from dream_api.core import clock
from dream_api.core.errors import TooMany
from dream_api.metering.calls import CallResult
from dream_api.metering.open_limits import CurrentLimits
from dream_api.usage import CurrentLimit, LimitStatus, Period, Window


class TierLimitReached(TooMany):
    code = "tier_limit_reached"
    hint = "Wait until the window ends, or move the customer to a larger plan."


class LevelLimitReached(TooMany):
    """The platform's own limit, which the operator of the instance sets."""

    code = "level_limit_reached"
    hint = "Wait until the window ends, or move the platform to a higher level."


def binding_limit_index(standings: tuple[LimitStatus, ...], refused_by: CurrentLimit | None = None) -> int:
    """The limit that refused, else the hard one with the least remaining."""
    if len(standings) == 1:
        return 0
    best, least = 0, None
    for place, standing in enumerate(standings):
        if standing.limit is refused_by:
            return place
        remaining = standing.remaining
        if standing.limit.kind == "hard" and remaining is not None and (least is None or remaining < least):
            best, least = place, remaining
    return best


def response_body(outcome: CallResult) -> str:
    """The JSON of an admitted call."""
    return f'{{"allowed":true,{_usage(outcome)}}}'


def usage_body(outcome: CallResult) -> str:
    """The JSON of GET /api/usage: the same, without `allowed`."""
    return f"{{{_usage(outcome)}}}"


def limit_error(outcome: CallResult) -> TierLimitReached | LevelLimitReached:
    """The 429 error, with everything that the response to an admitted call has."""
    limit = outcome.standings[outcome.shown].limit
    headers = {name.decode(): value.decode() for name, value in rate_headers(outcome)}
    if limit.ends_at is not None:
        headers["Retry-After"] = str(_seconds_until(limit.ends_at, outcome))
    extra = {"allowed": False, **json.loads(usage_body(outcome))}
    if outcome.is_of_level:
        return LevelLimitReached(
            "Level limit reached",
            hint=_hint(limit, "move the platform to a higher level"),
            headers=headers,
            extra=extra,
        )
    return TierLimitReached(
        "Tier limit reached", hint=_hint(limit, "move the customer to a larger plan"), headers=headers, extra=extra
    )


def _hint(limit: CurrentLimit, way_out: str) -> str:
    if limit.ends_at is None:
        return f"{way_out.capitalize()}."
    return f"Wait until {clock.rfc3339(limit.ends_at)}, or {way_out}."


def rate_headers(outcome: CallResult) -> list[tuple[bytes, bytes]]:
    """The headers RateLimit and RateLimit-Policy of the limit that the response shows; none where it is unlimited."""
    policy, left = outcome.opened.policies[outcome.shown]
    if not policy:
        return []
    standing = outcome.standings[outcome.shown]
    ends_at = standing.limit.ends_at
    left = b"%b%d" % (left, standing.remaining or 0)
    if ends_at is not None:
        left = b"%b;t=%d" % (left, _seconds_until(ends_at, outcome))
    return [(b"ratelimit-policy", policy), (b"ratelimit", left)]


def serialize_result(outcome: CallResult) -> str:
    """The numbers of a result as JSON, stored with an idempotency key."""
    rows = [
        [s.limit.window, s.limit.kind, s.limit.max, s.limit.starts_at, s.limit.ends_at, s.count, s.held]
        for s in outcome.standings
    ]
    opened = outcome.opened
    return json.dumps([opened.plan, opened.meter, outcome.shown, rows], separators=(",", ":"))


def deserialize_result(text: str, ahead: int) -> CallResult:
    """The first result again, from its stored text."""
    plan, meter, shown, rows = json.loads(text)
    standings = tuple(
        LimitStatus(CurrentLimit(Window(window), kind, most, starts_at, ends_at), count, held)
        for window, kind, most, starts_at, ends_at, count, held in rows
    )
    limits = tuple(standing.limit for standing in standings)
    return CallResult(True, CurrentLimits(plan, meter, Period(0, 0), limits), standings, shown, ahead=ahead)


def _usage(outcome: CallResult) -> str:
    opened = outcome.opened
    standings = outcome.standings
    if len(standings) == 1:  # most calls
        only = _entry(standings[0], opened.tails[0])
        return f'{opened.head}{only}}},"limits":[{{{only}}}]'
    entries = [_entry(standing, tail) for standing, tail in zip(standings, opened.tails, strict=True)]
    limits = "},{".join(entries)
    return f'{opened.head}{entries[outcome.shown]}}},"limits":[{{{limits}}}]'


def _entry(standing: LimitStatus, tail: str) -> str:
    limit, count = standing.limit, standing.count
    most = limit.max
    if most is None:
        return f'"count":{count},"remaining":null,{tail}'
    left = most - count - standing.held
    if limit.kind == "soft":
        return f'"count":{count},"remaining":{max(0, left)},"overage":{max(0, count - most)},{tail}'
    return f'"count":{count},"remaining":{left if left > 0 else 0},{tail}'


def _seconds_until(moment: int, outcome: CallResult) -> int:
    return max(1, -(-(moment - clock.now() - outcome.ahead) // clock.SECOND))

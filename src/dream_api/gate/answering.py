"""What a metered call is answered: the same shape for POST /api/data and GET /api/usage."""

import json

from dream_api.core import clock
from dream_api.core.errors import TooMany
from dream_api.gate.calls import Outcome
from dream_api.gate.opening import Opened
from dream_api.usage import OpenLimit, Period, Standing, Window


class TierLimitReached(TooMany):
    code = "tier_limit_reached"


def shown_place(standings: tuple[Standing, ...], refused_by: OpenLimit | None = None) -> int:
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


def body_of(outcome: Outcome) -> str:
    """The JSON of an admitted call."""
    return f'{{"allowed":true,{_usage(outcome)}}}'


def peeked_body(outcome: Outcome) -> str:
    """The JSON of a reading: the same, without a verdict."""
    return f"{{{_usage(outcome)}}}"


def refusal_of(outcome: Outcome, now: int) -> TierLimitReached:
    """429 with everything that the answer of an admitted call has."""
    limit = outcome.standings[outcome.shown].limit
    hint = "Move the customer to a larger plan."
    headers = {name.decode(): value.decode() for name, value in rate_headers(outcome, now)}
    if limit.ends_at is not None:
        hint = f"Wait until {clock.rfc3339(limit.ends_at)}, or move the customer to a larger plan."
        headers["Retry-After"] = str(_seconds_until(limit.ends_at, now))
    return TierLimitReached(
        "Tier limit reached",
        hint=hint,
        headers=headers,
        extra={"allowed": False, **json.loads(peeked_body(outcome))},
    )


def rate_headers(outcome: Outcome, now: int) -> list[tuple[bytes, bytes]]:
    """`RateLimit` and `RateLimit-Policy` of the limit that is shown; none where it is unlimited."""
    policy, left = outcome.opened.policies[outcome.shown]
    if not policy:
        return []
    standing = outcome.standings[outcome.shown]
    ends_at = standing.limit.ends_at
    left = b"%b%d" % (left, standing.remaining or 0)
    if ends_at is not None:
        left = b"%b;t=%d" % (left, _seconds_until(ends_at, now))
    return [(b"ratelimit-policy", policy), (b"ratelimit", left)]


def stored(outcome: Outcome) -> str:
    """The numbers of an answer, as they are kept with an idempotency key."""
    rows = [
        [s.limit.window, s.limit.kind, s.limit.max, s.limit.starts_at, s.limit.ends_at, s.count, s.held]
        for s in outcome.standings
    ]
    opened = outcome.opened
    return json.dumps([opened.plan, opened.meter, outcome.shown, rows], separators=(",", ":"))


def restored(text: str) -> Outcome:
    """The first answer's outcome again."""
    plan, meter, shown, rows = json.loads(text)
    standings = tuple(
        Standing(OpenLimit(Window(window), kind, most, starts_at, ends_at), count, held)
        for window, kind, most, starts_at, ends_at, count, held in rows
    )
    limits = tuple(standing.limit for standing in standings)
    return Outcome(True, Opened(plan, meter, Period(0, 0), limits), standings, shown)


def _usage(outcome: Outcome) -> str:
    opened = outcome.opened
    entries = [
        f'"count":{standing.count},"remaining":{_number(standing.remaining)},{tail}'
        for standing, tail in zip(outcome.standings, opened.tails, strict=True)
    ]
    limits = "},{".join(entries)
    return f'{opened.head}{entries[outcome.shown]}}},"limits":[{{{limits}}}]'


def _number(value: int | None) -> str | int:
    return "null" if value is None else value


def _seconds_until(moment: int, now: int) -> int:
    return max(1, -(-(moment - now) // clock.SECOND))

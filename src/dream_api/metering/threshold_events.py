"""Webhook events for limits that reached a threshold (50, 80 or 100 %)."""

from collections.abc import Iterable, Sequence

from dream_api.core import clock
from dream_api.metering.calls import QueuedCall, UsageCall
from dream_api.metering.open_limits import CurrentLimits
from dream_api.usage import Increment, Period, ThresholdCrossing
from dream_api.webhooks import Event


def threshold_events(crossings: Iterable[ThresholdCrossing], batch: Sequence[QueuedCall], real_now: int) -> list[Event]:
    return [_event(crossing, batch[crossing.call], real_now) for crossing in crossings]


def _event(crossing: ThresholdCrossing, waiting: QueuedCall, real_now: int) -> Event:
    call, limit = waiting.call, crossing.limit
    is_of_level = crossing.charge > 0
    facts: dict[str, object] = {} if is_of_level else {"userId": call.user_id}
    facts |= {
        "plan": _plan_of(waiting, is_of_level=is_of_level),
        "meter": _meter_of(call, crossing.charge),
        "window": limit.window.wire,
        "kind": limit.kind,
        "percent": crossing.percent,
        "count": crossing.count,
        "limit": limit.max,
        "periodStart": clock.rfc3339(limit.starts_at),
        "periodEnd": None if limit.ends_at is None else clock.rfc3339(limit.ends_at),
    }
    key = call.key
    return Event(
        key.platform_no,
        key.project_id,
        key.mode,
        "level.threshold_reached" if is_of_level else "usage.threshold_reached",
        facts,
        real_now + call.plans.ahead,
    )


def _plan_of(waiting: QueuedCall, *, is_of_level: bool) -> str:
    if is_of_level:
        assert waiting.level is not None
        return waiting.level.plan
    assert waiting.opened is not None
    return waiting.opened.plan


def _meter_of(call: UsageCall, charge: int) -> str:
    if charge == 0:
        return call.meter.name
    assert call.level is not None
    return (call.level.requests if charge == 1 else call.level.active_users).name


def current_level_limits(waiting: QueuedCall, place: int, charge: Increment) -> CurrentLimits:
    """The platform's limits in the shape of a response; `place`: the index of the increment in the call."""
    plan = _plan_of(waiting, is_of_level=True)
    return CurrentLimits(plan, _meter_of(waiting.call, place), Period(0, 0), charge.limits)

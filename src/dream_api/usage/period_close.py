"""Closing of billing periods, so that exactly what was counted is billed."""

from dream_api.core.db import RawTransaction
from dream_api.usage import admission_queries, counters
from dream_api.usage.admission import Increment, State
from dream_api.usage.windows import CurrentLimit, Window

# A period's hours are identified by its start alone, wherever it ends.
_OPEN_END = 2**62


async def close_period(
    tx: RawTransaction, platform_no: int, customer_no: int, meter_no: int, starts_at: int, ends_at: int
) -> int:
    """What a meter that sums has counted in the billing period; once `tx` is committed, nothing is added to it.

    Calls that come later count from `ends_at` on, which must not be in the project's future. A period that was closed
    before gives the same result again. Close several in the order of their keys: each is locked.
    """
    charge = _period(platform_no, customer_no, meter_no, starts_at)
    if tx.locks_rows:
        await counters.lock_counters(tx, {charge.life})
    state = await counters.read_state(tx, [charge])
    [period] = charge.keys
    if period not in state.closed:
        until = max(ends_at, state.closed.get(charge.whole_life, 0))
        await admission_queries.upsert_closed_periods(
            tx, [_row(state, charge.whole_life, until), _row(state, period, ends_at)]
        )
    return state.counter(period).count


async def count_in_period(tx: RawTransaction, platform_no: int, customer_no: int, meter_no: int, starts_at: int) -> int:
    """As `used_in_period`; nothing is added before `tx` ends."""
    if tx.locks_rows:
        await admission_queries.lock_lifetime_counters(tx, [(platform_no, customer_no, meter_no)])
    return await used_in_period(tx, platform_no, customer_no, meter_no, starts_at)


async def used_in_period(tx: RawTransaction, platform_no: int, customer_no: int, meter_no: int, starts_at: int) -> int:
    """What a meter that sums has counted so far in the billing period that began then."""
    charge = _period(platform_no, customer_no, meter_no, starts_at)
    return (await counters.read_state(tx, [charge])).counter(*charge.keys).count


def _period(platform_no: int, customer_no: int, meter_no: int, starts_at: int) -> Increment:
    """What a call would touch that counts nothing in the period."""
    limit = CurrentLimit(Window.PERIOD, "hard", None, starts_at, _OPEN_END)
    return Increment((platform_no, customer_no, meter_no), 0, (limit,), starts_at, starts_at)


def _row(state: State, key: tuple[int, int, int, int, int], closed_until: int) -> tuple[int, ...]:
    counter = state.counter(key)
    return (*key, counter.count, counter.announced, counter.windows, closed_until)

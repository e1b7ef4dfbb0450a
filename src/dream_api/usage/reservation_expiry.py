"""Expiry of reservations: overdue ones are ended, and their quantities released."""

from collections import Counter
from dataclasses import dataclass

from dream_api.core.db import RawTransaction
from dream_api.usage import reservation_queries as queries
from dream_api.usage.admission import LifeKey, State


@dataclass(frozen=True, slots=True)
class Expired:
    """An overdue reservation, and the quantity that it has reserved of each life."""

    platform_no: int
    id: str
    holds: tuple[tuple[LifeKey, int], ...]

    @property
    def lives(self) -> list[LifeKey]:
        return [life for life, _ in self.holds]


def reserved_quantities(
    platform_no: int, customer_no: int, meter_no: int, quantity: int, level_meter_no: int | None
) -> tuple[tuple[LifeKey, int], ...]:
    """What a reservation reserves: its quantity of the customer's meter, and one request of the platform's level."""
    own = ((platform_no, customer_no, meter_no), quantity)
    return (own,) if level_meter_no is None else (own, ((platform_no, 0, level_meter_no), 1))


async def get_overdue(tx: RawTransaction, now: int) -> list[Expired]:
    """Some overdue reservations, the oldest first."""
    return [
        Expired(row[0], row[1], reserved_quantities(row[0], *row[2:])) for row in await queries.get_overdue(tx, now)
    ]


async def expire_reservations(tx: RawTransaction, state: State, expired: list[Expired]) -> None:
    """End those that nobody else has ended; their lives must be locked."""
    ended = {(row[0], row[1]) for row in await queries.expire(tx, [(one.platform_no, one.id) for one in expired])}
    released: Counter[LifeKey] = Counter()
    for one in expired:
        if (one.platform_no, one.id) in ended:
            for life, quantity in one.holds:
                released[life] -= quantity
    await update_reserved(tx, state, released)


async def update_reserved(tx: RawTransaction, state: State, quantities: Counter[LifeKey]) -> None:
    """Add to the reserved quantities of lives (or, negative, subtract), in the table and in the state."""
    if quantities:
        await queries.add_reserved(tx, [(*life, quantity) for life, quantity in quantities.items()])
    for life, quantity in quantities.items():
        state.counter((*life, 0, 0)).held += quantity

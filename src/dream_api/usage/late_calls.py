"""Late calls: those whose billing period was closed before it was their turn."""

from dataclasses import dataclass

from dream_api.usage.admission import Call, Increment, LifeKey, State
from dream_api.usage.windows import Window


@dataclass(frozen=True, slots=True)
class Closing:
    """A period that is closed, by its start, and the moment from which its meter counts on."""

    starts_at: int
    until: int


Closings = dict[LifeKey, Closing]


class PeriodClosed(Exception):
    """Some calls count in closed periods, and so none was counted: `closings` by their places.

    They are to be counted again, as calls of the moment from which their meters count on.
    """

    def __init__(self, closings: dict[int, Closings]) -> None:
        super().__init__(closings)
        self.closings = closings


def require_open_periods(state: State, calls: list[Call]) -> None:
    """Raise PeriodClosed where a call would count in a closed period."""
    late = {place: closings for place, call in enumerate(calls) if (closings := _closings_of(state, call))}
    if late:
        raise PeriodClosed(late)


def _closings_of(state: State, call: Call) -> Closings:
    return {
        charge.life: Closing(charge.hour[4], state.closed[charge.whole_life])
        for charge in call.charges
        if _period_of(charge) in state.closed
    }


def _period_of(charge: Increment) -> tuple[int, int, int, int, int]:
    return (*charge.life, int(Window.PERIOD), charge.hour[4])

"""The rule by which an object of a gateway is written down, exhaustively: any order of events ends the same.

What is modelled is the protocol of `billing.event_sync.sync_object`: take a token, read the object, write what was read
unless a later token has written. Event number i says that the object has reached state i or more: the worker that
applies it reads some state from there on, and the gateway never goes back.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import permutations, product

import pytest

# An applier's queue of events, and where it stands: before a token, before the reading, before the writing.
Applier = tuple[tuple[int, ...], str, int, int]
IDLE = ("idle", 0, 0)


def by_token(token: int, written: int) -> bool:
    """As in `queries.is_latest_token`."""
    return token > written


def always(token: int, written: int) -> bool:
    return True


MayWrite = Callable[[int, int], bool]


def ends_of(queues: tuple[tuple[int, ...], ...], states: int, may_write: MayWrite = by_token) -> frozenset[int]:
    """Every state that can be written down at last, over all interleavings and all that the gateway does meanwhile."""
    return explore(states, may_write, *_alike(tuple((queue, *IDLE) for queue in queues), (0, 0)), 0)


@cache
def explore(
    states: int, may_write: MayWrite, appliers: tuple[Applier, ...], written: tuple[int, int], at_gateway: int
) -> frozenset[int]:
    """From here on; remembered, because many histories come by the same place. `written`: by which token, and what."""
    found: set[int] = set()
    for place, (queue, step, token, read) in enumerate(appliers):

        def then(applier: Applier, after: tuple[int, int], reached: int, here: int = place) -> None:
            others = (*appliers[:here], applier, *appliers[here + 1 :])
            found.update(explore(states, may_write, *_alike(others, after), reached))

        match step:
            case "idle" if queue:
                newest = max(written[0], *(each[2] for each in appliers))
                # The event that is applied is told after its state was reached.
                then((queue, "drawn", newest + 1, 0), written, max(at_gateway, queue[0]))
            case "drawn":
                for reached in range(at_gateway, states + 1):
                    then((queue, "read", token, reached), written, reached)
            case "read":
                after = (token, read) if may_write(token, written[0]) else written
                then((queue[1:], *IDLE), after, at_gateway)
            case _:
                pass
    return frozenset(found) if found else frozenset([written[1]])


def _alike(appliers: tuple[Applier, ...], written: tuple[int, int]) -> tuple[tuple[Applier, ...], tuple[int, int]]:
    """The same, whoever is who; of tokens it matters alone which is the later."""
    ranks = {token: rank for rank, token in enumerate(sorted({0, written[0], *(each[2] for each in appliers)}))}
    ranked = ((queue, step, ranks[token], read) for queue, step, token, read in appliers)
    return tuple(sorted(ranked)), (ranks[written[0]], written[1])


@pytest.fixture(autouse=True, scope="module")
def forgotten() -> Iterator[None]:
    yield
    explore.cache_clear()


@pytest.mark.parametrize("states", range(1, 7))
def test_one_applier_ends_at_the_last_state_in_every_order(states: int):
    for order in permutations(range(1, states + 1)):
        assert ends_of((order,), states) == {states}


@pytest.mark.slow
@pytest.mark.parametrize("states", [*range(1, 6), pytest.param(6, marks=pytest.mark.rest)])
def test_two_racing_appliers_end_at_the_last_state_in_every_order(states: int):
    for order in permutations(range(1, states + 1)):
        for hands in product((0, 1), repeat=states):
            queues = tuple(
                tuple(event for event, hand in zip(order, hands, strict=True) if hand == who) for who in (0, 1)
            )
            assert ends_of(queues, states) == {states}


@pytest.mark.parametrize("twice", range(1, 6))
def test_an_event_applied_twice_by_two_changes_nothing(twice: int):
    for order in permutations(range(1, 6)):
        assert ends_of((order, (twice,)), 5) == {5}


def test_whoever_writes_without_a_token_may_undo_the_last_change():
    assert ends_of(((1,), (2,)), 2, always) == {1, 2}

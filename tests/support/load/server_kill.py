"""`kill -9` under load, repeatedly, on the same data.

Callers count for users of four kinds at once: *free* ones without a limit, *keyed* ones whose unknown calls are sent
again, *new* ones of whom each calls once, and in every round one *small* one who reaches a limit. After each kill:

    acknowledged ≤ counted ≤ acknowledged + unknown      for every user
    counted = distinct keys                              for keyed users, once the unknown calls were sent again
    counted ≤ limit, and = limit once asked for more     for the small one
    what GET /api/usage tells = the counters = the sum of the hours
    every check of `doctor` holds
"""

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tests.support.load.callers import Call, Tally
from tests.support.load.servers import SMALL_LIMIT, Counted, Served

_CONNECTIONS = 32
_SECONDS_TO_BEGIN = 10


class Victim(Protocol):
    """What is killed and started again: a server of ours, or PostgreSQL."""

    def start(self) -> None: ...

    def kill(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Round:
    """Figures of one kill, or of so many.

    `counted` is what the tables held for this round's calls when the victim was back.
    """

    number: int
    sent: int
    acknowledged: int
    unknown: int
    counted: int
    refused: int
    slowest: float
    # Calls whose key was sent again.
    repeated: int


async def survive(
    served: Served,
    victim: Victim,
    *,
    kills: int,
    seconds: float,
    tell: Callable[[Round], None] = lambda _: None,
) -> list[Round]:
    """Kill the victim so often, each time after up to `seconds` of load; AssertionError where a promise broke."""
    total = Tally()
    rounds: list[Round] = []
    counted_before = 0
    for number in range(1, kills + 1):
        tally = await _under_load(served, victim, number, seconds)
        total += tally
        await served.recovered()
        counted = await served.counted()
        _nothing_lost(total, counted)
        repeated = len(total.unsettled)
        total += await _settle(served, total, number)
        assert await served.contradictions() == {}
        counted_now = _together(counted)
        rounds.append(
            Round(
                number,
                sent=tally.sent.total(),
                acknowledged=tally.acknowledged.total(),
                unknown=tally.possible.total() - tally.acknowledged.total(),
                counted=counted_now - counted_before,
                refused=tally.statuses[429],
                slowest=tally.slowest,
                repeated=repeated,
            )
        )
        tell(rounds[-1])
        counted_before = _together(await served.counted())
    await _all_agree(served, total)
    return rounds


async def _under_load(served: Served, victim: Victim, number: int, seconds: float) -> Tally:
    """What became of the calls made before, during and after the kill."""
    stop, tally = asyncio.Event(), Tally()
    calls = itertools.islice(_mixed(number), 50_000)
    calling = asyncio.create_task(served.call(*calls, connections=_CONNECTIONS, stop=stop, tally=tally))
    async with asyncio.timeout(_SECONDS_TO_BEGIN):
        while not tally.answers:
            await asyncio.sleep(0.01)
    await asyncio.sleep(random.uniform(seconds / 2, seconds))
    await asyncio.to_thread(victim.kill)
    await asyncio.to_thread(victim.start)
    stop.set()
    await calling
    assert tally.hung == 0, "A call was not answered."
    assert tally.without_retry_after == 0, "A 429 or 503 came without Retry-After."
    assert tally.statuses.keys() <= {200, 429, 503}, tally.answers
    assert tally.acknowledged.total() > 0, "The victim was killed before it was under load."
    return tally


def _mixed(number: int) -> Iterator[Call]:
    """Calls of all kinds in turn; new ones and keys are of this round."""
    for turn in itertools.count():
        yield Call("free-a")
        yield Call("keyed-a", key=f"{number}-a-{turn}")
        yield Call(f"small-{number}", plan="small")
        yield Call("free-b")
        yield Call("keyed-b", key=f"{number}-b-{turn}")
        yield Call(f"new-{number}-{turn}")


def _nothing_lost(total: Tally, counted: dict[str, Counted]) -> None:
    """Acknowledged ≤ counted ≤ acknowledged + unknown, and all tables tell the same."""
    acknowledged, possible = total.acknowledged, total.possible
    for user in total.users:
        found = counted.get(user, Counted())
        assert acknowledged[user] <= found.life <= possible[user], (user, acknowledged[user], found, possible[user])
        assert found.life == found.period == found.hours == found.calls, (user, found)
        assert found.rows == (1 if found.life else 0), (user, found)
        assert not user.startswith("small") or found.life <= SMALL_LIMIT, (user, found)


async def _settle(served: Served, total: Tally, number: int) -> Tally:
    """Send unknown keyed calls again, and use up what the small one's limit left; each is counted exactly then."""
    settled = await served.call(*total.unsettled)
    rest = await served.call(*[Call(f"small-{number}", plan="small")] * (SMALL_LIMIT + 20))
    settled += rest
    assert settled.statuses.keys() <= {200, 429}, settled.answers
    assert settled.unsettled == []
    counted = await served.counted()
    assert counted[f"small-{number}"].life == SMALL_LIMIT
    acknowledged = (total.acknowledged, settled.acknowledged)
    for user in ("keyed-a", "keyed-b"):
        assert counted[user].life == sum(kind[user] for kind in acknowledged), (user, counted[user])
    return settled


async def _all_agree(served: Served, total: Tally) -> None:
    counted = await served.counted()
    _nothing_lost(total, counted)
    for user in ("free-a", "free-b", "keyed-a", "keyed-b"):
        assert await served.usage_of(user) == counted[user].life
    keyed = total.acknowledged["keyed-a"] + total.acknowledged["keyed-b"]
    assert await served.events() == keyed
    told = await asyncio.to_thread(served.doctor)
    assert told["holds"], told


def _together(counted: dict[str, Counted]) -> int:
    return sum(found.life for user, found in counted.items() if user != "patient")

"""One of several server processes is killed repeatedly while clients retry keyed calls until they are answered.

A caller whose connection breaks, or who is told 503, comes again with the same key. At the end:

    every call is known: acknowledged or refused
    counted = distinct acknowledged keys                 for every user: none is missing, none is counted twice
    counted = limit                                      for those who asked for more than one allows
    the same answer                                      for acknowledged keys that are sent again; nothing is counted
    every check of `doctor` holds
"""

import asyncio
import itertools
import os
import random
import signal
import time
from collections.abc import Iterator

from tests.support.load.callers import Call, Fate, Tally, load
from tests.support.load.server_kill import Round
from tests.support.load.servers import SMALL_LIMIT, Served

_CONNECTIONS = 32
# Calls for each user who reaches a limit: more than it allows.
_SMALL_CALLS = 2 * SMALL_LIMIT
_SENT_AGAIN = 500
_ANSWER_SECONDS = 60


async def outlive(served: Served, *, seconds: float, every: float) -> Round:
    """Kill the process with most callers every so many seconds, on average; AssertionError where a promise broke."""
    tally, stop = Tally(), asyncio.Event()
    calling = asyncio.create_task(
        load(
            served.server.port,
            served.alice.secret["test"],
            _mixed(),
            connections=_CONNECTIONS,
            seconds=seconds + _ANSWER_SECONDS,
            stop=stop,
            insisting=True,
            tally=tally,
        )
    )
    kills = await _kill_now_and_then(served, seconds, every)
    stop.set()
    async with asyncio.timeout(_ANSWER_SECONDS):
        await calling
    await served.recovered()
    await _all_counted_once(served, tally)
    counted, users = await served.counted(), tally.users
    return Round(
        kills,
        sent=tally.sent.total(),
        acknowledged=tally.acknowledged.total(),
        unknown=len(tally.unsettled),
        counted=sum(counted[user].life for user in users),
        refused=tally.statuses[429],
        slowest=tally.slowest,
        repeated=len(tally.fates) - tally.sent.total(),
    )


def _mixed() -> Iterator[Call]:
    for turn in itertools.count():
        yield Call("keyed-a", key=f"a-{turn}")
        yield Call("keyed-b", key=f"b-{turn}")
        yield Call(f"small-{turn // _SMALL_CALLS}", key=f"small-{turn}", plan="small")
        yield Call(f"new-{turn}", key=f"new-{turn}")


async def _kill_now_and_then(served: Served, seconds: float, every: float) -> int:
    """How many died. The next may die before the last is replaced; where nobody serves, nobody is killed."""
    kills, deadline = 0, time.monotonic() + seconds
    while (pause := random.uniform(every / 2, every * 1.5)) < deadline - time.monotonic():
        await asyncio.sleep(pause)
        callers, victim = max(
            ((served.server.callers_of(each), each.pid) for each in served.server.processes), default=(0, 0)
        )
        if callers:
            os.kill(victim, signal.SIGKILL)
            kills += 1
    await asyncio.sleep(max(0.0, deadline - time.monotonic()))
    return kills


async def _all_counted_once(served: Served, tally: Tally) -> None:
    assert tally.hung == 0, "A call was not answered."
    assert tally.without_retry_after == 0, "A 429 or 503 came without Retry-After."
    assert tally.statuses.keys() <= {200, 429, 503}, tally.answers
    assert tally.unsettled == []
    await _counts_are_the_keys(served, tally)
    again = await served.call(*_worth_another_look(tally))
    assert again.answers.keys() == {(200, "")}, again.answers
    for call, bodies in again.bodies.items():
        assert bodies == tally.bodies[call], call
    await _counts_are_the_keys(served, tally)
    told = await asyncio.to_thread(served.doctor)
    assert told["holds"], told


async def _counts_are_the_keys(served: Served, tally: Tally) -> None:
    counted, acknowledged, sent = await served.counted(), tally.acknowledged, tally.sent
    for user in tally.users:
        found = counted[user]
        assert found.life == found.period == found.hours == found.calls == acknowledged[user], (user, found)
        assert found.rows == 1, (user, found)
        if user.startswith("small"):
            assert acknowledged[user] == min(SMALL_LIMIT, sent[user]), (user, found)
    assert await served.events() == acknowledged.total()


def _worth_another_look(tally: Tally) -> list[Call]:
    """Acknowledged calls: those that had been broken off, and some of the others."""
    broken = {call for call, fate in tally.fates if fate is Fate.UNKNOWN}
    keyed = tally.keyed
    return [call for call in keyed if call in broken] + random.sample(keyed, min(_SENT_AGAIN, len(keyed)))

"""No request is read in two ways, and none stops others: the fast path and the protocol that it hands over to."""

import asyncio
import re
from dataclasses import dataclass

import uvloop

from dream_api.core.settings import Settings
from tests.core.http.framings import FRAMINGS, Framing
from tests.support.busy_loop import BusyLoop
from tests.support.instance import Instance, open_instance
from tests.support.raw_http import ProtocolFactory, Served, fast_path, served_on_port, without_fast_path

_MOST_LOOP_SECONDS = 0.05


@dataclass(frozen=True)
class Seen:
    statuses: tuple[int, ...]
    count: int


def test_there_are_more_than_a_hundred_of_different_names() -> None:
    assert len({framing.name for framing in FRAMINGS}) == len(FRAMINGS) > 100


def test_every_framing_is_read_in_one_way(database_settings: Settings) -> None:
    settings = database_settings.model_copy(update={"open_rate": 0})

    wrong = uvloop.run(_tried_all(settings))

    assert not wrong, "\n".join(wrong)


async def _tried_all(settings: Settings) -> list[str]:
    async with open_instance(settings) as instance:
        ways = [(way, in_pieces) for way in (fast_path, without_fast_path) for in_pieces in (False, True)]
        tried = [await _tried(instance, way, in_pieces=in_pieces) for way, in_pieces in ways]
    return [line for lines in tried for line in lines]


async def _tried(instance: Instance, way: ProtocolFactory, *, in_pieces: bool) -> list[str]:
    wrong: list[str] = []
    name = f"{way.__name__}, {'in pieces' if in_pieces else 'whole'}"
    async with served_on_port(instance, way) as served:
        for number, framing in enumerate(FRAMINGS):
            busy = BusyLoop()
            watching = asyncio.create_task(busy.watch())
            seen = await _seen(served, framing, f"{way.__name__}-{in_pieces}-{number}", in_pieces=in_pieces)
            watching.cancel()
            if seen != Seen(framing.statuses, framing.count):
                wrong.append(f"{name}: {framing.name}: {seen}")
            if busy.longest > _MOST_LOOP_SECONDS:
                wrong.append(f"{name}: {framing.name}: the event loop was busy for {busy.longest:.3f} s")
    return wrong


async def _seen(served: Served, framing: Framing, user: str, *, in_pieces: bool) -> Seen:
    """What is answered until the server closes the connection, whose other direction is closed once all was sent."""
    sent = framing.sent(served.alice.secret["test"], user)
    size = max(1, len(sent) // 5) if in_pieces else max(1, len(sent))
    one = await served.connect()
    answers, _ = await asyncio.gather(
        one.rest(), one.send_all(sent[at : at + size] for at in range(0, len(sent), size))
    )
    await served.hang_up()
    statuses = tuple(int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers))
    return Seen(statuses, await served.count(user))

"""Callers of `POST /api/data`, each on a kept-alive connection of its own, which report only what they know.

Some go home when their connection breaks; others insist, and send the same key again until they know.
"""

import asyncio
import contextlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

_ANSWER_SECONDS = 15.0
_PAUSE_AFTER_503 = 0.05
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *\d+\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that counts 1 for the user."""

    user: str
    key: str | None = None
    plan: str | None = None


class Fate(Enum):
    """What the caller knows of its call."""

    ACKNOWLEDGED = "a whole 200 was read: it was counted"
    REFUSED = "it was not counted: 429, or another 4xx"
    UNAVAILABLE = "it was not counted: 503 overloaded or storage_unavailable"
    UNKNOWN = "it may have been counted: no whole answer, or one that is no promise (503 outcome_unknown, any 500)"


_KNOWN = (Fate.ACKNOWLEDGED, Fate.REFUSED)


@dataclass(slots=True)
class Tally:
    """What became of calls. A key that was sent several times is one call."""

    fates: list[tuple[Call, Fate]] = field(default_factory=list)
    # (status, code of the refusal) of the whole answers.
    answers: Counter[tuple[int, str]] = field(default_factory=Counter)
    # Of keyed calls, their different answers.
    bodies: dict[Call, set[int]] = field(default_factory=lambda: defaultdict(set))
    slowest: float = 0.0
    hung: int = 0
    without_retry_after: int = 0

    @classmethod
    def of(cls, tallies: Iterable["Tally"]) -> "Tally":
        together = cls()
        for tally in tallies:
            together += tally
        return together

    def __iadd__(self, other: "Tally") -> "Tally":
        self.fates += other.fates
        self.answers += other.answers
        self.slowest = max(self.slowest, other.slowest)
        self.hung += other.hung
        self.without_retry_after += other.without_retry_after
        for call, bodies in other.bodies.items():
            self.bodies[call] |= bodies
        return self

    @property
    def users(self) -> set[str]:
        return {call.user for call, _ in self.fates}

    @property
    def acknowledged(self) -> Counter[str]:
        """By user; what was counted is not less."""
        return self._calls(Fate.ACKNOWLEDGED)

    @property
    def possible(self) -> Counter[str]:
        """By user: the acknowledged and the unknown; what was counted is not more."""
        return self._calls(Fate.ACKNOWLEDGED, Fate.UNKNOWN)

    @property
    def sent(self) -> Counter[str]:
        return self._calls(*Fate)

    @property
    def unsettled(self) -> list[Call]:
        """Keyed calls that are unknown to this moment: sent again, they tell."""
        settled = {call for call, fate in self.fates if fate in _KNOWN}
        unknown = {call: None for call, fate in self.fates if fate is Fate.UNKNOWN and call.key is not None}
        return [call for call in unknown if call not in settled]

    @property
    def keyed(self) -> list[Call]:
        """The keyed calls that were acknowledged."""
        return list({call: None for call, fate in self.fates if fate is Fate.ACKNOWLEDGED and call.key is not None})

    @property
    def statuses(self) -> Counter[int]:
        counted: Counter[int] = Counter()
        for (status, _), times in self.answers.items():
            counted[status] += times
        return counted

    def _calls(self, *fates: Fate) -> Counter[str]:
        counted: Counter[str] = Counter()
        seen: set[Call] = set()
        for call, fate in self.fates:
            if fate in fates and call not in seen:
                counted[call.user] += 1
                if call.key is not None:
                    seen.add(call)
        return counted


async def load(
    port: int,
    token: str,
    calls: Iterable[Call],
    *,
    connections: int = 32,
    seconds: float = 30.0,
    stop: asyncio.Event | None = None,
    insisting: bool = False,
    tally: Tally | None = None,
) -> Tally:
    """Make the calls, each once, until they or the seconds are used up or `stop` is set.

    A caller whose connection breaks goes home: what comes after a crash is for whoever restarts the server. One who is
    `insisting` comes again with the same key, as a client with retries does, and begins no other call before it knows
    what became of this one. A `tally` that is given can be looked at meanwhile.
    """
    tally = tally or Tally()
    make_all = _insist_on if insisting else _call_on
    coming = iter(calls)
    stop = stop or asyncio.Event()
    async with asyncio.TaskGroup() as callers:
        ended = asyncio.get_running_loop().call_later(seconds, stop.set)
        working = [callers.create_task(make_all(port, token, coming, stop, tally)) for _ in range(connections)]
        await asyncio.wait(working)
        ended.cancel()
    return tally


async def _call_on(port: int, token: str, calls: Iterator[Call], stop: asyncio.Event, tally: Tally) -> None:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return
    try:
        while not stop.is_set():
            call = next(calls, None)
            if call is None:
                return
            fate = await _make(call, token, reader, writer, tally)
            if fate is None:
                return
            if fate not in _KNOWN:
                await asyncio.sleep(_PAUSE_AFTER_503)
    finally:
        await _hang_up(writer)


async def _insist_on(port: int, token: str, calls: Iterator[Call], stop: asyncio.Event, tally: Tally) -> None:
    """Every call that is begun here ends as acknowledged or as refused."""
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while not stop.is_set() and (call := next(calls, None)) is not None:
        assert call.key is not None, "Without a key, a call that is sent again may count twice."
        fate = None
        while fate not in _KNOWN:
            if connection is None:
                connection = await _connected(port)
            elif fate is not None:
                await asyncio.sleep(_PAUSE_AFTER_503)
            fate = await _make(call, token, *connection, tally)
            if fate is None:
                await _hang_up(connection[1])
                connection = None
    if connection is not None:
        await _hang_up(connection[1])


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(_PAUSE_AFTER_503)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _make(
    call: Call, token: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tally: Tally
) -> Fate | None:
    """What the answer says became of the call; None where there was no whole answer."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            writer.write(_request(call, token))
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(_only(_LENGTH, head)))
    except (OSError, asyncio.IncompleteReadError) as problem:
        tally.hung += isinstance(problem, TimeoutError)
        tally.fates.append((call, Fate.UNKNOWN))
        return None
    finally:
        tally.slowest = max(tally.slowest, loop.time() - began)
    status = int(_only(_STATUS, head))
    code = "" if status == 200 else json.loads(body)["code"]
    fate = _fate(status, code)
    tally.fates.append((call, fate))
    tally.answers[(status, code)] += 1
    tally.without_retry_after += status in (429, 503) and _RETRY_AFTER.search(head) is None
    if call.key is not None and status == 200:
        tally.bodies[call].add(hash(body))
    return fate


def _fate(status: int, code: str) -> Fate:
    if status == 200:
        return Fate.ACKNOWLEDGED
    if status < 500:
        return Fate.REFUSED
    if status == 503 and code in ("overloaded", "storage_unavailable"):
        return Fate.UNAVAILABLE
    return Fate.UNKNOWN


def _request(call: Call, token: str) -> bytes:
    head = f"POST /api/data HTTP/1.1\r\nHost: dream.test\r\nAuthorization: Bearer {token}\r\nX-User-Id: {call.user}\r\n"
    if call.key is not None:
        head += f"Idempotency-Key: {call.key}\r\n"
    if call.plan is not None:
        head += f"X-User-Plan: {call.plan}\r\n"
    return f"{head}\r\n".encode()


def _only(pattern: re.Pattern[bytes], head: bytes) -> bytes:
    found = pattern.findall(head)
    assert len(found) == 1, head
    return found[0]

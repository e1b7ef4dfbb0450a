"""Deadlines of requests: those that stall lose their connection, slow ones that make progress are served."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest

from dream_api.core.http import Connections, Deadlines, TrustedProxies
from dream_api.core.settings import Settings
from tests.support.instance import Instance, open_instance
from tests.support.raw_http import ProtocolFactory, Served, Socket, fast_path, served_on_port, without_fast_path

# A tenth of what they are.
SHORT = Deadlines(head_seconds=1.0, pause_seconds=1.0, rate_seconds=3.0)
_LATEST_SECONDS = 6.0
UPLOAD = b"\x89PNG\r\n\x1a\n" + bytes(1_000_000)


@pytest.fixture(params=[fast_path, without_fast_path])
async def served(instance: Instance, request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    factory: ProtocolFactory = request.param
    async with served_on_port(instance, factory, deadlines=SHORT, idle_seconds=2) as opened:
        yield opened


async def trickle(one: Socket, data: bytes, size: int, pause: float) -> None:
    """Send so many bytes at a time, until all are sent or the server has closed the connection."""
    for at in range(0, len(data), size):
        if one.writer.transport.is_closing() or one.reader.at_eof():
            return
        one.writer.write(data[at : at + size])
        await asyncio.sleep(pause)


async def end_of(served: Served, beginning: bytes, *, endless: bytes = b"", pause: float = 0.1) -> tuple[str, float]:
    """Which error a connection ends with that sends the beginning and then byte after byte, and after how long."""
    one, began = await served.connect(), time.monotonic()
    one.writer.write(beginning)
    sending = asyncio.create_task(trickle(one, endless * 100, 1, pause))
    answer = await one.rest()
    sending.cancel()
    return json.loads(answer.partition(b"\r\n\r\n")[2])["code"] if answer else "", time.monotonic() - began


async def test_what_does_not_arrive_is_ended(served: Served) -> None:
    upload = (
        b"POST /api/assets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n" % served.alice.secret["test"].encode()
    )
    sized = upload + b"Content-Length: 100000\r\n\r\n"
    chunked = upload + b"Transfer-Encoding: chunked\r\n\r\n"
    ends = await asyncio.gather(
        end_of(served, b""),
        end_of(served, b"P"),
        end_of(served, b"GET / HTTP/1.1\r\n", endless=b"A"),
        end_of(served, served.call()[:-2], endless=b"A"),
        end_of(served, served.call(body=b'{"quantity": 2}')[:-1]),
        end_of(served, sized),
        end_of(served, sized, endless=b"A"),
        end_of(served, chunked + b"5\r\nhel"),
        end_of(served, chunked + b"1\r\n1\r\n", endless=b"1\r\nA\r\n"),
    )

    assert [code for code, _ in ends] == ["", *["request_timeout"] * 8]
    assert max(seconds for _, seconds in ends) < _LATEST_SECONDS
    assert await served.count() == 0
    for one in served.sockets:
        assert one.reader.at_eof()


async def test_a_refused_body_that_goes_on_is_ended(served: Served) -> None:
    """It was answered before it was read, and is not read for ever."""
    one, began = await served.connect(), time.monotonic()
    one.writer.write(b"POST /api/assets HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
    assert (await one.answer())[0] == 401
    sending = asyncio.create_task(trickle(one, bytes(1000), 1, 0.1))

    assert await one.rest() == b""
    assert time.monotonic() - began < _LATEST_SECONDS
    sending.cancel()


async def test_a_slow_upload_that_goes_on_succeeds(served: Served) -> None:
    """For longer than any deadline, at a few times the least rate."""
    one, began = await served.connect(), time.monotonic()
    head = b"POST /api/assets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nContent-Length: %d\r\n\r\n"
    one.writer.write(head % (served.alice.secret["test"].encode(), len(UPLOAD)))
    await trickle(one, UPLOAD, 50_000, 0.25)
    status, _, body = await one.answer()

    assert (status, json.loads(body)["size"]) == (201, len(UPLOAD))
    assert time.monotonic() - began > SHORT.rate_seconds


async def test_a_slow_call_that_goes_on_is_counted(served: Served) -> None:
    """It begins on the fast path and ends behind it."""
    one = await served.connect()
    whole = served.call(body=b'{"quantity": 2}')
    cut = len(whole) - 6
    one.writer.write(whole[:cut])
    await trickle(one, whole[cut:], 1, 0.5)
    status, _, body = await one.answer()

    assert (status, json.loads(body)["usage"]["count"]) == (200, 2)


async def test_deadlines_begin_anew_with_each_request(served: Served) -> None:
    one = await served.connect()
    for expected in range(1, 5):
        whole = served.call()
        await one.send(whole[:20])
        await asyncio.sleep(0.6)
        await one.send(whole[20:])
        assert json.loads((await one.answer())[2])["usage"]["count"] == expected


async def test_an_address_has_so_many_connections(instance: Instance) -> None:
    async with served_on_port(instance, per_address=3) as served:
        first, *others = [await served.connect() for _ in range(3)]
        await asyncio.gather(*(one.send(served.call()) for one in (first, *others)))
        assert {(await one.answer())[0] for one in (first, *others)} == {200}

        fourth = await served.connect()
        status, headers, body = await fourth.answer()
        assert (status, json.loads(body)["code"]) == (429, "too_many_connections")
        assert headers["connection"] == "close"
        assert await fourth.is_closed()

        first.writer.transport.abort()
        others[0].writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")  # goes on behind the fast path
        assert (await others[0].answer())[0] == 200
        fifth = await served.connect()
        await fifth.send(served.call())
        assert (await fifth.answer())[0] == 200
        assert (await (await served.connect()).answer())[0] == 429


async def test_closed_connections_are_forgotten(served: Served) -> None:
    for sent in (b"", b"GET /", served.call(), b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03"):
        one = await served.connect()
        await one.send(sent)
        await asyncio.sleep(0.05)
        one.writer.transport.abort()
    deadline = time.monotonic() + _LATEST_SECONDS
    while served.connections.number and time.monotonic() < deadline:
        await asyncio.sleep(0.05)

    assert served.connections.number == 0


async def test_a_fault_in_one_connection_leaves_the_others_their_deadlines() -> None:
    class Faulty:
        def check_deadlines(self, now: float) -> None:
            raise RuntimeError(f"at {now}")

    class Counting:
        checks = 0

        def check_deadlines(self, now: float) -> None:
            self.checks += 1

    connections, faulty, counting = Connections(0, TrustedProxies(())), Faulty(), Counting()
    for connection in (faulty, counting):
        assert connections.add(connection, "127.0.0.1")
    deadline = time.monotonic() + _LATEST_SECONDS
    while counting.checks < 2 and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    for connection in (faulty, counting):
        connections.remove(connection)

    assert counting.checks >= 2


async def test_a_trusted_proxy_has_any_number_of_connections(instance: Instance) -> None:
    async with served_on_port(instance, per_address=1, proxies=("127.0.0.1",)) as served:
        for _ in range(3):
            one = await served.connect()
            await one.send(served.call())
            assert (await one.answer())[0] == 200


async def test_no_trailer_is_taken_for_the_client_address(database_settings: Settings) -> None:
    """Behind a trusted proxy, which reads the head alone."""
    settings = database_settings.model_copy(update={"open_rate": 3, "trusted_proxies": ("127.0.0.1",)})
    head = (
        b"GET /api/products HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    async with open_instance(settings) as instance, served_on_port(instance, proxies=("127.0.0.1",)) as served:
        one = await served.connect()
        await one.send(b"".join(head + b"0\r\nX-Forwarded-For: 198.51.100.%d\r\n\r\n" % each for each in range(20)))
        statuses = [(await one.answer())[0] for _ in range(20)]

    assert 429 in statuses, "The trailers' addresses were counted apart."

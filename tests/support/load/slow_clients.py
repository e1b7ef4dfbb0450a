"""Clients that keep connections open without finishing their requests, and one that uploads slowly, on one server."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass

import psutil

HALF_OPEN = 300
ENDLESS_HEADS = 20
SLOW_BODIES = 50
UPLOAD_BYTES_PER_SECOND = 50_000
_STEPS_PER_SECOND = 5


@dataclass(frozen=True)
class Held:
    """What happened meanwhile: the seconds of each answer, the memory before and at most, the connections left."""

    seconds: list[float]
    bytes_before: int
    most_bytes: int
    half_open_left: int
    slow_bodies_left: int
    upload_status: int
    upload_seconds: float


async def hold(port: int, pid: int, secret_key: str, upload: bytes, *, at_least_seconds: float) -> Held:
    """Hold connections for so many seconds, and until the upload is through. Every second 300 half-open connections
    send a byte each."""
    process = psutil.Process(pid)
    before = process.memory_info().rss
    ended = asyncio.Event()
    head = b"POST /api/assets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n" % secret_key.encode()
    body = head + b"Content-Length: 1000000\r\n\r\n"
    clients = [
        *(asyncio.create_task(_trickle(port, b"POST /api/data HTTP/1.1\r\nX:", b"a", 1.0)) for _ in range(HALF_OPEN)),
        *(asyncio.create_task(_trickle(port, body, b"a", 1.0)) for _ in range(SLOW_BODIES)),
        *(asyncio.create_task(_flood(port, ended)) for _ in range(ENDLESS_HEADS)),
    ]
    watching = asyncio.create_task(_watch(port, process, ended))
    began = time.monotonic()
    status = await _upload(port, head, upload)
    seconds = time.monotonic() - began
    await asyncio.sleep(max(0.0, at_least_seconds - seconds))
    ended.set()
    left = [not client.done() for client in clients]
    for client in clients:
        client.cancel()
    answered, most = await watching
    return Held(
        seconds=answered,
        bytes_before=before,
        most_bytes=most,
        half_open_left=sum(left[:HALF_OPEN]),
        slow_bodies_left=sum(left[HALF_OPEN : HALF_OPEN + SLOW_BODIES]),
        upload_status=status,
        upload_seconds=seconds,
    )


async def _trickle(port: int, beginning: bytes, byte: bytes, pause: float) -> None:
    """One byte after each pause, until the server ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer), contextlib.suppress(OSError):
        writer.write(beginning)
        reading = asyncio.create_task(reader.read())
        while not (await asyncio.wait([reading], timeout=pause))[0]:
            writer.write(byte)


async def _flood(port: int, ended: asyncio.Event) -> None:
    """Heads without an end, one connection after the other."""
    while not ended.is_set():
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 1_000_000)
                await reader.read()
        await asyncio.sleep(0.1)


async def _upload(port: int, head: bytes, content: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(content))
        size = UPLOAD_BYTES_PER_SECOND // _STEPS_PER_SECOND
        for at in range(0, len(content), size):
            writer.write(content[at : at + size])
            await writer.drain()
            await asyncio.sleep(1 / _STEPS_PER_SECOND)
        return int((await reader.readline()).split()[1])


async def _watch(port: int, process: psutil.Process, ended: asyncio.Event) -> tuple[list[float], int]:
    """How long each answer of /healthz took in seconds, and the most memory in bytes."""
    answered, most = list[float](), 0
    while not ended.is_set():
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.closing(writer):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
        assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"status": "ok"}
        answered.append(time.monotonic() - began)
        most = max(most, process.memory_info().rss)
        await asyncio.sleep(0.1)
    return answered, most

"""The fast lane: one route, read straight from the socket.

Uvicorn and ASGI cost a metered call more than its transaction (docs/decisions/0003-hot-path.md), so a connection whose
requests are plain `POST /api/data`s is served here. Whatever is not plain — another path, chunked or large bodies,
`Expect`, `Connection: close`, repeated or odd header lines — is not decided
here: the whole connection, with every byte not yet answered, goes to uvicorn's own protocol, which has the last word on
HTTP. So the lane can be strict and small, and no request is ever judged by two parsers.

Requests of one connection are answered one after the other, in order; what is pipelined waits in the buffer, and the
socket is not read while a full buffer waits.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Protocol, cast

from uvicorn.protocols.utils import get_remote_addr

from dream_api.core.errors import Refusal

Reply = Callable[[int, Iterable[tuple[bytes, bytes]], bytes], None]

_LARGEST_HEAD = 16_384
_LARGEST_BODY = 65_536
_KNOWN_LINES = 16
_LARGEST_BUFFER = _LARGEST_HEAD + _LARGEST_BODY
# One header line: a token, a colon, and visible text that may have blanks inside (RFC 9110, 5.5 and 5.6.2).
_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
# With any of these, uvicorn decides.
_NOT_PLAIN = frozenset((b"transfer-encoding", b"expect", b"upgrade", b"connection", b"te", b"trailer"))
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class HeadTooLarge(Refusal):
    status = 431
    code = "head_too_large"
    hint = "Send shorter headers; what is long belongs into the body."


class Handler(Protocol):
    """What stands at the end of the lane."""

    method: str
    path: str

    def handle(self, headers: dict[bytes, bytes], body: bytes, reply: Reply, peer: str | None) -> None:
        """Answer by calling `reply` once, now or later; raises nothing. `peer` is the socket's other end."""
        ...

    def refuse(self, problem: Exception, reply: Reply) -> None:
        """Answer what could not even be read."""
        ...


class Lanes:
    """Makes the protocol of each connection; handed to uvicorn in the place of its own protocol class."""

    def __init__(self, handler: Handler, fallback: type[asyncio.Protocol]) -> None:
        self.handler = handler
        self.request_line = f"{handler.method} {handler.path} HTTP/1.1\r\n".encode()
        self._fallback: Any = fallback
        self._told: tuple[object, bytes] = (None, b"")

    def __call__(
        self,
        config: Any,
        server_state: Any,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:
        def fallback() -> asyncio.Protocol:
            return self._fallback(config, server_state, app_state, _loop)

        loop = _loop or asyncio.get_running_loop()
        return Lane(self, fallback, server_state, loop, config.timeout_keep_alive)

    def default_headers(self, server_state: Any) -> bytes:
        """The lines that uvicorn puts into every answer, such as the date, which it makes anew every second."""
        headers: list[tuple[bytes, bytes]] = server_state.default_headers
        if self._told[0] is not headers:
            self._told = (headers, b"".join(b"%b: %b\r\n" % pair for pair in headers))
        return self._told[1]


class Lane(asyncio.Protocol):
    """One connection, for as long as its requests are plain."""

    def __init__(
        self,
        lanes: Lanes,
        fallback: Callable[[], asyncio.Protocol],
        server_state: Any,
        loop: asyncio.AbstractEventLoop,
        idle_seconds: float,
    ) -> None:
        self._lanes = lanes
        self._handler = lanes.handler
        self._make_fallback = fallback
        self._server_state = server_state
        self._connections: set[asyncio.Protocol] = server_state.connections
        self._idle_seconds = idle_seconds
        self._loop = loop
        self._transport: asyncio.Transport
        self._peer: str | None = None
        self._known_lines: dict[bytes, tuple[bytes, bytes]] = {}
        self._buffer = b""
        self._awaits_reply = False
        self._is_paused = False
        self._is_blocked = False
        self._is_closing = False
        self._active_at = loop.time()
        self._idle_check: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its base class
        remote = get_remote_addr(self._transport)
        self._peer = remote[0] if remote is not None else None
        self._connections.add(self)
        self._idle_check = self._loop.call_later(self._idle_seconds, self._close_if_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        self._is_closing = True

    def data_received(self, data: bytes) -> None:
        self._active_at = self._loop.time()
        self._buffer = self._buffer + data if self._buffer else data
        if not self._awaits_reply and not self._is_blocked:
            self._serve()
        elif len(self._buffer) > _LARGEST_BUFFER and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """The client does not read its answers: no further request of its is begun."""
        self._is_blocked = True

    def resume_writing(self) -> None:
        self._is_blocked = False
        if not self._awaits_reply:
            self._serve()

    def shutdown(self) -> None:
        """Called by uvicorn when the server stops: what was begun is answered first."""
        self._is_closing = True
        if not self._awaits_reply:
            self._transport.close()

    def _serve(self) -> None:
        """Begin requests until one must be waited for."""
        while self._buffer and not (self._awaits_reply or self._is_blocked or self._is_closing):
            if not self._begin():
                return

    def _begin(self) -> bool:
        """Whether the buffer's first request could be begun, here or by uvicorn."""
        buffer = self._buffer
        line = self._lanes.request_line
        if not buffer.startswith(line):
            if not line.startswith(buffer):
                self._hand_over()
            return False
        end = buffer.find(b"\r\n\r\n", len(line) - 2)
        if end < 0:
            if len(buffer) > _LARGEST_HEAD:
                self._is_closing = True
                self._handler.refuse(
                    HeadTooLarge(f"The head of a request has at most {_LARGEST_HEAD} bytes."), self._reply
                )
            return False
        headers = _plain_headers(buffer[len(line) : end], self._known_lines)
        size = -1 if headers is None else _body_size(headers)
        if headers is None or size < 0:
            self._hand_over()
            return False
        whole = end + 4 + size
        if len(buffer) < whole:
            return False
        self._buffer = buffer[whole:]
        self._awaits_reply = True
        self._server_state.total_requests += 1
        self._handler.handle(headers, buffer[end + 4 : whole], self._reply, self._peer)
        return True

    def _reply(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        self._awaits_reply = False
        if self._transport.is_closing():
            return
        lines = b"".join([b"%b: %b\r\n" % pair for pair in headers])
        default = self._lanes.default_headers(self._server_state)
        closing = b"connection: close\r\n" if self._is_closing else b""
        self._transport.write(
            b"%b%b%b%bcontent-length: %d\r\n\r\n%b" % (_STATUS_LINES[status], default, lines, closing, len(body), body)
        )
        if self._is_closing:
            self._transport.close()
            return
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        if self._buffer:
            # Not from inside this call: a client that pipelines must not keep the others from being answered.
            self._loop.call_soon(self._serve)

    def _hand_over(self) -> None:
        """From here on the connection is uvicorn's."""
        self._leave()
        protocol = self._make_fallback()
        waiting, self._buffer = self._buffer, b""
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(waiting)

    def _leave(self) -> None:
        self._connections.discard(self)
        if self._idle_check is not None:
            self._idle_check.cancel()
            self._idle_check = None

    def _close_if_idle(self) -> None:
        idle = self._loop.time() - self._active_at
        if not self._awaits_reply and idle >= self._idle_seconds:
            self._transport.close()
            return
        wait = self._idle_seconds if self._awaits_reply else self._idle_seconds - idle
        self._idle_check = self._loop.call_later(wait, self._close_if_idle)


def _plain_headers(head: bytes, known: dict[bytes, tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """The head's fields by their small name; None where anything about them is unusual.

    `known` keeps the connection's lines: most of them come again with every call.
    """
    lines = head.split(b"\r\n")
    headers: dict[bytes, bytes] = {}
    for line in lines:
        field = known.get(line)
        if field is None:
            plain = _LINE.fullmatch(line)
            if plain is None:
                return None
            field = (plain[1].lower(), plain[2])
            if len(known) < _KNOWN_LINES:
                known[line] = field
        headers[field[0]] = field[1]
    if len(headers) != len(lines) or b"host" not in headers or not _NOT_PLAIN.isdisjoint(headers):
        return None
    return headers


def _body_size(headers: dict[bytes, bytes]) -> int:
    """How many bytes follow the head; -1 where that is for uvicorn to judge."""
    length = headers.get(b"content-length")
    if length is None:
        return 0
    if not length.isdigit() or len(length) > len(str(_LARGEST_BODY)):
        return -1
    size = int(length)
    return size if size <= _LARGEST_BODY else -1

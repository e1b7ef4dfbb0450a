"""The fast path: one route, read straight from the socket.

Uvicorn and ASGI cost a metered call more than its transaction (docs/decisions/0003-hot-path.md), so a connection whose
requests are plain `POST /api/data`s is served here. Whatever is not plain — another path, chunked or large bodies,
`Expect`, `Connection: close`, repeated or odd header lines, a request that takes over a second to arrive — is not
decided here: the whole connection, with every byte not yet answered, goes to `protocol.HttpProtocol`, which has the
last word on HTTP. So the fast path can be strict and small, and no request is ever judged by two parsers.

Requests of one connection are answered one after the other, in order; what is pipelined waits in the buffer, and the
socket is not read while a full buffer waits.
"""

import asyncio
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Protocol, cast

from uvicorn.protocols.utils import get_remote_addr

from dream_api.core.http.connections import TooManyConnections
from dream_api.core.http.protocol import HttpProtocol, HttpProtocolFactory, Reply
from dream_api.core.http.request_head import MAX_FIELDS, MAX_HEAD_BYTES

_LARGEST_BODY = 65_536
# What a connection remembers is bounded: so many lines of so many bytes.
_KNOWN_LINES = 16
_KNOWN_LINE_BYTES = 512
_LARGEST_BUFFER = MAX_HEAD_BYTES + _LARGEST_BODY
# A request that has not arrived by then is left to the other protocol, which has deadlines.
_ARRIVES_SECONDS = 1.0
# The bytes of a field's name, and those that no value may have (RFC 9110, 5.5 and 5.6.2).
_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CONTROLS = bytes(range(9)) + bytes(range(10, 32)) + b"\x7f"
# With any of these, the other protocol decides.
_NOT_PLAIN = frozenset((b"transfer-encoding", b"expect", b"upgrade", b"connection", b"te", b"trailer"))
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class Handler(Protocol):
    """The endpoint that the fast path calls."""

    method: str
    path: str

    def handle(self, headers: dict[bytes, bytes], body: bytes, reply: Reply, peer: str | None) -> None:
        """Answer by calling `reply` once, now or later; raises nothing. `peer` is the socket's other end."""
        ...


class FastPathProtocolFactory:
    """Makes the protocol of each connection; handed to uvicorn in the place of its own protocol class."""

    def __init__(self, handler: Handler, protocols: HttpProtocolFactory) -> None:
        self.handler = handler
        self.request_line = f"{handler.method} {handler.path} HTTP/1.1\r\n".encode()
        self.protocols = protocols
        self._header_cache: tuple[object, bytes] = (None, b"")

    def __call__(
        self,
        config: Any,
        server_state: Any,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:
        loop = _loop or asyncio.get_running_loop()

        def fallback() -> HttpProtocol:
            return self.protocols(config, server_state, app_state, loop)

        return FastPathProtocol(self, fallback, server_state, loop, config.timeout_keep_alive)

    def default_headers(self, server_state: Any) -> bytes:
        """The lines that uvicorn puts into every answer, such as the date, which it renews every second."""
        headers: list[tuple[bytes, bytes]] = server_state.default_headers
        if self._header_cache[0] is not headers:
            self._header_cache = (headers, b"".join(b"%b: %b\r\n" % pair for pair in headers))
        return self._header_cache[1]


class FastPathProtocol(asyncio.Protocol):
    """One connection, for as long as its requests are plain."""

    def __init__(
        self,
        factory: FastPathProtocolFactory,
        fallback: Callable[[], HttpProtocol],
        server_state: Any,
        loop: asyncio.AbstractEventLoop,
        idle_seconds: float,
    ) -> None:
        self._factory = factory
        self._handler = factory.handler
        self._make_fallback = fallback
        self._server_state = server_state
        self._connections: set[asyncio.Protocol] = server_state.connections
        self._open_connections = factory.protocols.connections
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
        self._is_ended = False
        # Since when the buffer's first request arrives, or the connection is idle.
        self._since = loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its base class
        remote = get_remote_addr(self._transport)
        self._peer = remote[0] if remote is not None else None
        self._connections.add(self)
        if not self._open_connections.add(self, self._peer):
            self._is_closing = True
            problem = TooManyConnections("This address has too many open connections.")
            self._factory.protocols.answer_error(problem, self._reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._open_connections.remove(self)
        self._is_closing = True

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            self._buffer += data
        else:
            self._buffer = data
            self._since = self._loop.time()
        if not self._awaits_reply and not self._is_blocked:
            self._serve()
        elif len(self._buffer) > _LARGEST_BUFFER and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """A client that has sent all it wants may still read: the connection stays open for its answers."""
        self._is_ended = True
        if self._buffer:
            self._loop.call_soon(self._serve)
        return self._awaits_reply or self._is_blocked or bool(self._buffer)

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

    def check_deadlines(self, now: float) -> None:
        if self._awaits_reply or self._is_blocked or self._is_closing:
            return
        if self._buffer:
            if now - self._since >= _ARRIVES_SECONDS:
                self._hand_over()
        elif now - self._since >= self._idle_seconds:
            self._transport.close()

    def _serve(self) -> None:
        """Begin requests until one must be waited for."""
        while self._buffer and not (self._awaits_reply or self._is_blocked or self._is_closing):
            if not self._begin():
                break
        if self._is_ended and not (self._awaits_reply or self._is_blocked):
            self._transport.close()

    def _begin(self) -> bool:
        """Whether the buffer's first request could be begun here."""
        buffer = self._buffer
        line = self._factory.request_line
        if not buffer.startswith(line):
            if not line.startswith(buffer):
                self._hand_over()
            return False
        end = buffer.find(b"\r\n\r\n", len(line) - 2)
        if (end if end >= 0 else len(buffer)) > MAX_HEAD_BYTES - 4:
            self._hand_over()
            return False
        if end < 0:
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
        default = self._factory.default_headers(self._server_state)
        closing = b"connection: close\r\n" if self._is_closing else b""
        self._transport.write(
            b"%b%b%b%bcontent-length: %d\r\n\r\n%b" % (_STATUS_LINES[status], default, lines, closing, len(body), body)
        )
        if self._is_closing:
            self._transport.close()
            return
        self._since = self._loop.time()
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        if self._buffer:
            # Not from inside this call: a client that pipelines must not keep the others from being answered.
            self._loop.call_soon(self._serve)
        elif self._is_ended:
            self._transport.close()

    def _hand_over(self) -> None:
        """From here on the connection is the other protocol's."""
        self._connections.discard(self)
        if self._is_paused:
            self._transport.resume_reading()
        protocol = self._make_fallback()
        self._open_connections.replace(self, protocol)
        unread, self._buffer = self._buffer, b""
        is_ended, self._is_ended = self._is_ended, False
        protocol.take_over(self._transport, unread, head_since=self._since, is_ended=is_ended)


def _plain_headers(head: bytes, known: dict[bytes, tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """The head's fields by their small name; None where anything about them is unusual.

    `known` keeps the connection's lines: most of them come again with every call.
    """
    lines = head.split(b"\r\n")
    if len(lines) > MAX_FIELDS:
        return None
    headers: dict[bytes, bytes] = {}
    for line in lines:
        field = known.get(line)
        if field is None:
            field = _plain_field(line)
            if field is None:
                return None
            if len(known) < _KNOWN_LINES and len(line) <= _KNOWN_LINE_BYTES:
                known[line] = field
        headers[field[0]] = field[1]
    if len(headers) != len(lines) or b"host" not in headers or not _NOT_PLAIN.isdisjoint(headers):
        return None
    return headers


def _plain_field(line: bytes) -> tuple[bytes, bytes] | None:
    name, colon, value = line.partition(b":")
    if not colon or not name or name.translate(None, _TOKEN) or len(value.translate(None, _CONTROLS)) < len(value):
        return None
    return name.lower(), value.strip(b" \t")


def _body_size(headers: dict[bytes, bytes]) -> int:
    """How many bytes follow the head; -1 where that is for uvicorn to judge."""
    length = headers.get(b"content-length")
    if length is None:
        return 0
    if not length.isdigit() or len(length) > len(str(_LARGEST_BODY)):
        return -1
    size = int(length)
    return size if size <= _LARGEST_BODY else -1

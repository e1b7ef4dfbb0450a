"""Uvicorn's HTTP protocol, with bounds and deadlines, and with nothing read from after the head.

The parser is given one request at a time, and pieces that end where a head or a body can end. So it never sees a head
that was not checked whole (`request_head`), and what is pipelined waits unread until the request before it is answered.

Fields after a chunked body (trailers) are dropped: uvicorn appends them to the headers, where they would be taken for
the client's address or a key that no proxy has looked at.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import httptools
import structlog
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from dream_api.core.errors import AppError, MalformedRequest
from dream_api.core.http.connections import Connections, TooManyConnections
from dream_api.core.http.request_head import HeadTooLarge, check_beginning, check_head_size, validate_head

_log = structlog.get_logger()

Reply = Callable[[int, Iterable[tuple[bytes, bytes]], bytes], None]
# Renders an error in the one shape and hands it to the reply.
AnswerError = Callable[[AppError, Reply], None]

# How long the rest of a refused request is read and dropped, so that the client can still read the answer.
_DISCARD_SECONDS = 2.0
# What may stand between two bytes of a chunked body, or after them: sizes, extensions, trailers.
_MAX_FRAMING_BYTES = 16_384
# Then others have their turn.
_PIECES_AT_ONCE = 500
_END = b"\r\n\r\n"
_END_ACROSS_PIECES = len(_END) - 1


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a request may take to arrive. A body has no deadline as a whole."""

    head_seconds: float = 10.0
    # Without a byte of the body.
    pause_seconds: float = 10.0
    # The body's bytes are counted over so many seconds, and must average so many.
    rate_seconds: float = 30.0
    bytes_per_second: int = 1_000


class RequestTimeout(AppError):
    status = 408
    code = "request_timeout"
    hint = "Send the request again without pauses. The server waits at most 10 seconds for the next byte."


class HttpProtocolFactory:
    """Makes the protocol of each connection, as uvicorn asks for it."""

    def __init__(self, connections: Connections, answer_error: AnswerError, deadlines: Deadlines = Deadlines()) -> None:
        self.connections = connections
        self.answer_error = answer_error
        self.deadlines = deadlines

    def __call__(
        self,
        config: Any,
        server_state: Any,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> "HttpProtocol":
        return HttpProtocol(config, server_state, app_state, _loop, protocols=self)


class HttpProtocol(HttpToolsProtocol):
    """One connection. Where uvicorn has several names for a request's state, these hold:

    the head is read while `_is_body` is false; the body from there until the message is complete; the answer is awaited
    until the cycle's response is complete, and nothing is parsed meanwhile.
    """

    def __init__(
        self,
        config: Any,
        server_state: Any,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        protocols: HttpProtocolFactory,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._open_connections = protocols.connections
        self._answer_error = protocols.answer_error
        self._deadlines = protocols.deadlines
        # What has come and was not parsed yet begins at `_at`; no head ends before `_searched`.
        self._unread = b""
        self._at = 0
        self._searched = 0
        self._is_parsing_head = False
        self._is_body = False
        # Bytes of the body still to come; None where it is chunked.
        self._remaining: int | None = 0
        self._chunked_tail = b""
        self._framing_bytes = 0
        self._is_ended = False
        self._discards_until: float | None = None
        now = self.loop.time()
        self._head_since = now
        self._progress_at = now
        self._measured_since = now
        self._measured_bytes = 0

    # The socket.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        if not self._open_connections.add(self, self.client[0] if self.client else None):
            self._refuse(TooManyConnections("This address has too many open connections."))
            self.transport.close()

    def take_over(self, transport: asyncio.Transport, unread: bytes, *, head_since: float, is_ended: bool) -> None:
        """Go on with a connection that another protocol began and `Connections` already counts."""
        transport.set_protocol(self)
        super().connection_made(transport)
        self.data_received(unread)
        self._head_since = min(self._head_since, head_since)
        if is_ended and not self.eof_received():
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_connections.remove(self)
        self._unread, self._at = b"", 0
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._discards_until is not None:
            return
        if self._unread:
            self._unread += data
        else:
            self._unread = data
            self._head_since = self.loop.time()
        self._read()

    def eof_received(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride] - asyncio's own type
        """A client that has sent all it wants may still read: the connection stays open for its answers."""
        self._is_ended = True
        if self._discards_until is not None:
            return False
        if self._unread:
            self.loop.call_soon(self._read)
        return self._awaits_answer or bool(self._unread)

    # Reading.

    @property
    def _has_cycle(self) -> bool:
        return cast("RequestResponseCycle | None", self.cycle) is not None

    @property
    def _is_answering(self) -> bool:
        return self._has_cycle and not self.cycle.response_complete

    @property
    def _awaits_answer(self) -> bool:
        """The request is there as a whole, its answer is not."""
        return self._is_answering and not self._is_body

    def _read(self) -> None:
        """Parse what has come, up to the end of a request that is not answered yet."""
        for _ in range(_PIECES_AT_ONCE):
            if self._at >= len(self._unread) or self._awaits_answer or self.transport.is_closing():
                break
            if not (self._read_body() if self._is_body else self._read_head()):
                break
        else:
            self.flow.pause_reading()
            self.loop.call_soon(self._read_on)
        self._unread, self._at = self._unread[self._at :], 0
        if self._awaits_answer and self._unread:
            self.flow.pause_reading()
        elif self._is_ended and not self._awaits_answer:
            self.transport.close()

    def _read_on(self) -> None:
        self._read()
        if not self._unread and not (self._is_answering and len(self.cycle.body) > HIGH_WATER_LIMIT):
            self.flow.resume_reading()

    def _read_head(self) -> bool:
        """Whether a whole head was there and could be parsed."""
        end = self._unread.find(_END, max(self._at, self._searched))
        stop = end + len(_END) if end >= 0 else len(self._unread)
        try:
            check_head_size(stop - self._at)
            if end < 0:
                check_beginning(self._unread[self._at :])
                self._searched = max(0, stop - self._at - _END_ACROSS_PIECES)
                return False
            head = validate_head(self._unread[self._at : stop])
        except AppError as problem:
            self._refuse(problem)
            return False
        self._at, self._searched = stop, 0
        self._is_parsing_head = True
        return self._parse(head)

    def _read_body(self) -> bool:
        """Whether more can be read at once."""
        size = self._sized_piece() if self._remaining is not None else self._chunked_piece()
        piece = self._unread[self._at : self._at + size]
        self._at += size
        self._progress_at = self.loop.time()
        self._measured_bytes += size
        return self._parse(piece) and not self._is_framing_endless()

    def _sized_piece(self) -> int:
        assert self._remaining is not None
        size = min(self._remaining, len(self._unread) - self._at)
        self._remaining -= size
        return size

    def _chunked_piece(self) -> int:
        """Up to the next blank line, with which alone a chunked body can end."""
        unread, at, before = self._unread, self._at, self._chunked_tail
        across = (before + unread[at : at + _END_ACROSS_PIECES]).find(_END)
        end = at - len(before) + across if across >= 0 else unread.find(_END, at, at + _MAX_FRAMING_BYTES)
        if end >= 0 or across >= 0:
            self._chunked_tail = b""
            return end + len(_END) - at
        piece = unread[at : at + _MAX_FRAMING_BYTES]
        self._chunked_tail = (before + piece)[-_END_ACROSS_PIECES:]
        return len(piece)

    def _parse(self, piece: bytes) -> bool:
        self._framing_bytes += len(piece)
        try:
            self.parser.feed_data(piece)  # pyright: ignore[reportOptionalMemberAccess] - None only when closed
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(MalformedRequest("The request is not well-formed HTTP/1.1."))
            return False
        return True

    def _is_framing_endless(self) -> bool:
        if not self._is_body or self._framing_bytes <= _MAX_FRAMING_BYTES:
            return False
        self._refuse(HeadTooLarge(f"Chunk extensions and trailers may have at most {_MAX_FRAMING_BYTES:,} bytes."))
        return True

    # What the parser found.

    def on_message_begin(self) -> None:
        if not self._is_parsing_head:
            raise RuntimeError("A message begins where none can begin.")
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_parsing_head:
            super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        self._is_parsing_head = False
        self._is_body = True
        self._remaining = _body_size(self.headers)
        self._chunked_tail = b""
        self._framing_bytes = 0
        self._progress_at = self._measured_since = self.loop.time()
        self._measured_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._framing_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_body = False
        self._head_since = self.loop.time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._head_since = self.loop.time()
        if self.transport.is_closing():
            return
        if self._unread and not self._is_body:
            self._unset_keepalive_if_required()
            # Not from inside this call: a client that pipelines must not keep the others from being answered.
            self.loop.call_soon(self._read)
        elif self._is_ended:
            self.transport.close()

    # Deadlines and errors.

    def check_deadlines(self, now: float) -> None:
        if self.transport.is_closing():
            return
        if self._discards_until is not None:
            if now >= self._discards_until:
                self.transport.close()
        elif self._is_body:
            self._check_body(now)
        elif not self._is_answering and now - self._head_since >= self._head_seconds:
            self._time_out("The head of the request did not arrive in time.")

    @property
    def _head_seconds(self) -> float:
        """Before its first byte, a connection may be idle for as long as between requests."""
        head_seconds = self._deadlines.head_seconds
        return head_seconds if self._unread else max(head_seconds, self.timeout_keep_alive)

    def _check_body(self, now: float) -> None:
        deadlines = self._deadlines
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:  # it is us who are waited for
            self._progress_at = self._measured_since = now
            self._measured_bytes = 0
        elif now - self._progress_at >= deadlines.pause_seconds:
            self._time_out("The body of the request stopped arriving.")
        elif now - self._measured_since >= deadlines.rate_seconds:
            if self._measured_bytes < deadlines.bytes_per_second * deadlines.rate_seconds:
                self._time_out("The body of the request arrives too slowly.")
            self._measured_since, self._measured_bytes = now, 0

    def _time_out(self, sentence: str) -> None:
        if self._is_body or self._unread:
            self._refuse(RequestTimeout(sentence))
        else:
            self.transport.close()  # nothing was asked

    def send_400_response(self, msg: str) -> None:
        self._refuse(MalformedRequest(msg))

    def _refuse(self, problem: AppError) -> None:
        """Answer with the error, unless an answer has begun, and end the connection."""
        self._unread, self._at = b"", 0
        if self._is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                return
        elif self._has_cycle and self._is_body:
            self.transport.close()  # answered already
            return
        _log.info("request refused unread", code=problem.code, client=self.client and self.client[0])
        self._answer_error(problem, self._write_error)
        self._discards_until = self.loop.time() + _DISCARD_SECONDS
        self.flow.resume_reading()

    def _write_error(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        fields = (*self.server_state.default_headers, *headers, (b"connection", b"close"))
        lines = [b"%b: %b\r\n" % pair for pair in fields]
        self.transport.write(
            b"%b%bcontent-length: %d\r\n\r\n%b" % (STATUS_LINE[status], b"".join(lines), len(body), body)
        )
        if self.transport.can_write_eof():
            self.transport.write_eof()


def _body_size(headers: list[tuple[bytes, bytes]]) -> int | None:
    """How many bytes follow the head; None where it is chunked. The parser has checked both fields."""
    for name, value in headers:
        if name == b"content-length":
            return int(value)
        if name == b"transfer-encoding":
            return None
    return 0

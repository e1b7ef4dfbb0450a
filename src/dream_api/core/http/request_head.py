"""Request heads: what is checked of them before the parser reads a byte (RFC 9112, 2.2, 3 and 5).

The parser (llhttp) is strict about syntax. It sets no bound, takes versions that are not HTTP/1, follows `Upgrade`, and
leaves to the application what a repeated field means.
"""

from collections import Counter

from dream_api.core.errors import AppError, MalformedRequest, NotAllowed

MAX_HEAD_BYTES = 16_384
MAX_FIELDS = 100
MAX_URL_BYTES = 8_192
_REQUEST_LINE_PARTS = 3
_VERSIONS = (b"HTTP/1.1", b"HTTP/1.0")
# Two of them would be read as the first by one reader and as the last by another.
_SENT_ONCE = frozenset(
    (
        b"authorization",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"origin",
        b"stripe-signature",
        b"transfer-encoding",
        b"x-customer-key",
        b"x-mode",
        b"x-platform-id",
        b"x-project-id",
        b"x-publishable-key",
        b"x-user-id",
        b"x-user-plan",
    )
)


class HeadTooLarge(AppError):
    status = 431
    code = "head_too_large"
    hint = "Send fewer or shorter headers. Long data belongs in the body."


class UrlTooLong(AppError):
    status = 414
    code = "url_too_long"
    hint = "Send long data in the body of a POST request."


def check_head_size(size: int) -> None:
    """Raises HeadTooLarge where the head has, so far, more bytes than are read."""
    if size > MAX_HEAD_BYTES:
        raise HeadTooLarge(f"The request line and headers together may have at most {MAX_HEAD_BYTES:,} bytes.")


def check_beginning(beginning: bytes) -> None:
    """Raises MalformedRequest as soon as an incomplete head cannot become a request: TLS, or lines without CR."""
    first = beginning.removeprefix(b"\r\n")[:1]
    if (first and not (b"A" <= first <= b"Z") and beginning != b"\r") or _has_bare_newlines(beginning):
        raise MalformedRequest("The connection does not use HTTP/1.1.")


def validate_head(head: bytes) -> bytes:
    """The complete head, blank line included, as the parser is given it: without `Upgrade`, which is ignored.

    One empty line before the request line is skipped (RFC 9112, 2.2). Raises HeadTooLarge, UrlTooLong, NotAllowed for
    `CONNECT`, and MalformedRequest.
    """
    check_head_size(len(head))
    check_beginning(head)
    request_line, *fields = head.removeprefix(b"\r\n")[:-4].split(b"\r\n")
    version = _version(request_line)
    if len(fields) > MAX_FIELDS:
        raise HeadTooLarge(f"A request may have at most {MAX_FIELDS} header fields.")
    names = [field.partition(b":")[0].lower() for field in fields]
    _refuse_repeated(names)
    if version == b"HTTP/1.1" and b"host" not in names:
        raise MalformedRequest("The request has no Host header.", param="Host")
    kept = [field for field, name in zip(fields, names, strict=True) if name != b"upgrade"]
    return b"\r\n".join((request_line, *kept, b"", b""))


def _version(request_line: bytes) -> bytes:
    parts = request_line.split(b" ")
    if len(parts) != _REQUEST_LINE_PARTS or parts[2] not in _VERSIONS:
        raise MalformedRequest("The request line must be a method, a path and HTTP/1.1, with one space between them.")
    if len(parts[1]) > MAX_URL_BYTES:
        raise UrlTooLong(f"The URL may have at most {MAX_URL_BYTES:,} bytes.")
    if parts[0] == b"CONNECT":
        raise NotAllowed("This server is not a proxy: CONNECT is not supported.")
    return parts[2]


def _refuse_repeated(names: list[bytes]) -> None:
    if len(set(names)) == len(names):
        return
    for name, count in Counter(names).items():
        if count > 1 and name in _SENT_ONCE:
            field = name.decode().title()
            raise MalformedRequest(f"The header {field} is sent {count} times.", param=field)


def _has_bare_newlines(text: bytes) -> bool:
    return text.count(b"\n") != text.count(b"\r\n")

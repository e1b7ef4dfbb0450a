"""Ways to frame requests, plain and strange, with the expected status of each."""

from dataclasses import dataclass

LINE = b"POST /api/data HTTP/1.1\r\n"
HOST = b"Host: dream.test\r\n"
AUTH = b"Authorization: Bearer KEY\r\n"
USER = b"X-User-Id: USER\r\n"
JSON = b"Content-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HEAD = LINE + HOST + AUTH + USER
TWO = b'{"quantity": 2}'
PLAIN = HEAD + b"\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: dream.test\r\n\r\n"
UNKNOWN_KEY = b"Authorization: Bearer sk_test_nobody\r\n"


@dataclass(frozen=True)
class Framing:
    """What is sent, the statuses of the answers, and what is counted of the user.

    `KEY` and `USER` are filled in; `PAD` so that there are `head_bytes` in all.
    """

    name: str
    template: bytes
    statuses: tuple[int, ...]
    count: int = 0
    head_bytes: int = 0

    def sent(self, key: str, user: str) -> bytes:
        filled = self.template.replace(b"KEY", key.encode()).replace(b"USER", user.encode())
        return filled.replace(b"PAD", b"a" * (self.head_bytes - len(filled) + len(b"PAD")))


def sized(body: bytes, length: bytes | None = None, more: bytes = b"") -> bytes:
    size = b"%d" % len(body) if length is None else length
    return HEAD + JSON + more + b"Content-Length: " + size + b"\r\n\r\n" + body


def chunked(chunks: bytes, more: bytes = b"") -> bytes:
    return HEAD + JSON + CHUNKED + more + b"\r\n" + chunks


WHOLE_CHUNK = b"f\r\n" + TWO + b"\r\n0\r\n\r\n"


def field(line: bytes) -> bytes:
    return HEAD + line + b"\r\n\r\n"


def request_line(line: bytes) -> bytes:
    return line + b"\r\n" + HOST + AUTH + USER + b"\r\n"


PLAIN_ONES = [
    Framing("plain", PLAIN, (200,), 1),
    Framing("pipelined twice", PLAIN * 2, (200, 200), 2),
    Framing("pipelined ten times", PLAIN * 10, (200,) * 10, 10),
    Framing("pipelined with another path", PLAIN + HEALTH + PLAIN, (200, 200, 200), 2),
    Framing("pipelined after an error", sized(b"{") + PLAIN, (400, 200), 1),
    Framing("a body", sized(TWO), (200,), 2),
    Framing("a body, then another request", sized(TWO) + PLAIN, (200, 200), 3),
    Framing("fields in small letters", PLAIN.replace(b"X-User-Id", b"x-user-id").replace(b"Host", b"host"), (200,), 1),
    Framing("fields in capitals", PLAIN.replace(b"Authorization", b"AUTHORIZATION"), (200,), 1),
    Framing("blanks around a value", HEAD.replace(b"USER", b" \t USER \t ") + b"\r\n", (200,), 1),
    Framing("no blank before a value", HEAD.replace(b": USER", b":USER") + b"\r\n", (200,), 1),
    Framing("an empty value", field(b"X-Empty:"), (200,), 1),
    Framing("a value of blanks", field(b"X-Blank:    "), (200,), 1),
    Framing("Latin-1 in a value", field(b"X-Name: \xe9\xff"), (200,), 1),
    Framing("repeated fields without a meaning", field(b"Accept: a/b\r\nAccept: c/d"), (200,), 1),
    Framing("a long value", field(b"X-Long: " + b"a" * 15_000), (200,), 1),
    Framing("one empty line first", b"\r\n" + PLAIN, (200,), 1),
    Framing("one empty line between", PLAIN + b"\r\n" + PLAIN, (200, 200), 2),
    Framing("Connection: keep-alive", field(b"Connection: keep-alive") + PLAIN, (200, 200), 2),
    Framing("Connection: close", field(b"Connection: close") + PLAIN, (200,), 1),
    Framing("TE", field(b"TE: trailers"), (200,), 1),
]
LENGTHS = [
    Framing("length 0", sized(b""), (200,), 1),
    Framing("length with leading zeros", sized(TWO, b"00015"), (200,), 2),
    Framing("length with blanks around", sized(TWO, b" 15  "), (200,), 2),
    Framing("length with a sign", sized(TWO, b"+15"), (400,)),
    Framing("negative length", sized(TWO, b"-15"), (400,)),
    Framing("length with a point", sized(TWO, b"15.0"), (400,)),
    Framing("hexadecimal length", sized(TWO, b"0xf"), (400,)),
    Framing("two numbers as length", sized(TWO, b"15 15"), (400,)),
    Framing("a list as length", sized(TWO, b"15, 15"), (400,)),
    Framing("empty length", sized(TWO, b""), (400,)),
    Framing("a word as length", sized(TWO, b"all"), (400,)),
    Framing("an underscore in the length", sized(TWO, b"1_5"), (400,)),
    Framing("digits of another script", sized(TWO, "١٥".encode()), (400,)),
    Framing("a length beyond any integer", sized(TWO, b"9" * 40), (400,)),
    Framing("the same length twice", sized(TWO, None, b"Content-Length: 15\r\n"), (400,)),
    Framing("two lengths", sized(TWO, None, b"Content-Length: 16\r\n"), (400,)),
    Framing("length too short: the rest is no request", sized(TWO, b"14"), (400, 400)),
    Framing("length too short: the rest is one", sized(TWO + PLAIN, b"15"), (200, 200), 3),
    Framing("length too long", sized(TWO, b"16"), ()),
    Framing("length of more than is read", sized(TWO, b"99999999"), (413,)),
    Framing("length of more than the fast path reads", sized(TWO + b" " * 70_000), (200,), 2),
    Framing("chunked and a length", chunked(WHOLE_CHUNK, b"Content-Length: 15\r\n"), (400,)),
    Framing("a length and chunked", sized(WHOLE_CHUNK, b"25", CHUNKED), (400,)),
    Framing("GET with a body", sized(TWO).replace(b"POST /api/data", b"GET /healthz") + PLAIN, (200, 200), 1),
]
CHUNKS = [
    Framing("chunked", chunked(WHOLE_CHUNK), (200,), 2),
    Framing("chunked, then another request", chunked(WHOLE_CHUNK) + PLAIN, (200, 200), 3),
    Framing("two chunks", chunked(b"7\r\n" + TWO[:7] + b"\r\n8\r\n" + TWO[7:] + b"\r\n0\r\n\r\n"), (200,), 2),
    Framing("chunked without a body", chunked(b"0\r\n\r\n"), (200,), 1),
    Framing(
        "blank lines inside a chunk", chunked(b'13\r\n{\r\n\r\n"quantity": 2}\r\n0\r\n\r\n') + PLAIN, (200, 200), 3
    ),
    Framing("a chunk of line ends", chunked(b"4\r\n\r\n\r\n\r\nf\r\n" + TWO + b"\r\n0\r\n\r\n") + PLAIN, (200, 200), 3),
    Framing("chunk size in capitals", chunked(b"F" + WHOLE_CHUNK[1:]), (200,), 2),
    Framing("chunk size with zeros", chunked(b"000f\r\n" + TWO + b"\r\n000\r\n\r\n"), (200,), 2),
    Framing("a chunk extension", chunked(b'f;name="a value"\r\n' + TWO + b"\r\n0\r\n\r\n"), (200,), 2),
    Framing("an extension of the last chunk", chunked(WHOLE_CHUNK[:-4] + b";a=b\r\n\r\n") + PLAIN, (200, 200), 3),
    Framing("bare LF in an extension", chunked(b"f;a=b\nc\r\n" + TWO + b"\r\n0\r\n\r\n") + PLAIN, (400,)),
    Framing("bare LF after a chunk size", chunked(b"f\n" + TWO + b"\r\n0\r\n\r\n") + PLAIN, (400,)),
    Framing("bare LF after a chunk", chunked(b"f\r\n" + TWO + b"\n0\r\n\r\n") + PLAIN, (400,)),
    Framing("bare LF at the end", chunked(b"f\r\n" + TWO + b"\r\n0\n\n") + PLAIN, (400,)),
    Framing("chunk size with 0x", chunked(b"0x" + WHOLE_CHUNK) + PLAIN, (400,)),
    Framing("chunk size with a sign", chunked(b"+" + WHOLE_CHUNK) + PLAIN, (400,)),
    Framing("negative chunk size", chunked(b"-" + WHOLE_CHUNK) + PLAIN, (400,)),
    Framing("a blank before a chunk size", chunked(b" " + WHOLE_CHUNK) + PLAIN, (400,)),
    Framing("no chunk size", chunked(b"\r\n" + WHOLE_CHUNK) + PLAIN, (400,)),
    Framing("a chunk size beyond any integer", chunked(b"f" * 40 + b"\r\n" + TWO), (400,)),
    Framing("chunk too short", chunked(b"e\r\n" + TWO + b"\r\n0\r\n\r\n") + PLAIN, (400,)),
    Framing("chunk too long", chunked(b"10\r\n" + TWO + b"\r\n0\r\n\r\n") + PLAIN, (400,)),
    Framing("endless extension", chunked(b"f;" + b"a" * 40_000), (431,)),
    Framing("chunked in capitals", chunked(WHOLE_CHUNK).replace(b": chunked", b": CHUNKED"), (200,), 2),
    Framing("chunked twice", chunked(WHOLE_CHUNK, CHUNKED) + PLAIN, (400,)),
    Framing("chunked, chunked", chunked(WHOLE_CHUNK).replace(b": chunked", b": chunked, chunked") + PLAIN, (400,)),
    Framing("chunked, identity", chunked(WHOLE_CHUNK).replace(b": chunked", b": chunked, identity") + PLAIN, (400,)),
    Framing("identity", chunked(WHOLE_CHUNK).replace(b": chunked", b": identity") + PLAIN, (400,)),
    Framing("xchunked", chunked(WHOLE_CHUNK).replace(b": chunked", b": xchunked") + PLAIN, (400,)),
    Framing("a quoted coding", chunked(WHOLE_CHUNK).replace(b": chunked", b': "chunked"') + PLAIN, (400,)),
    Framing("a coding on the next line", chunked(WHOLE_CHUNK).replace(b": chunked", b":\r\n chunked") + PLAIN, (400,)),
    Framing("no coding", chunked(WHOLE_CHUNK).replace(b": chunked", b":") + PLAIN, (400,)),
    Framing("chunked without an end", chunked(b"f\r\n" + TWO + b"\r\n"), ()),
    Framing("HTTP/1.0, chunked", chunked(WHOLE_CHUNK).replace(b"HTTP/1.1", b"HTTP/1.0") + PLAIN, (200,), 2),
]
TRAILERS = [
    Framing("a trailer", chunked(WHOLE_CHUNK[:-2] + b"X-Sum: 1\r\n\r\n") + PLAIN, (200, 200), 3),
    Framing("a key as a trailer", chunked(b"0\r\n" + AUTH + b"\r\n").replace(AUTH, b"", 1), (401,)),
    Framing("a user as a trailer", chunked(b"0\r\n" + USER + b"\r\n").replace(USER, b"", 1), (422,)),
    Framing("another user as a trailer", chunked(b"0\r\nX-User-Id: other\r\n\r\n"), (200,), 1),
    Framing("a plan as a trailer", chunked(b"0\r\nX-User-Plan: none\r\n\r\n"), (200,), 1),
    Framing("a length as a trailer", chunked(b"0\r\nContent-Length: 5\r\n\r\n") + PLAIN, (400,)),
    Framing("a coding as a trailer", chunked(b"0\r\n" + CHUNKED + b"\r\n") + PLAIN, (400,)),
    Framing("an empty trailer value", chunked(b"0\r\nX-Sum:\r\n\r\n") + PLAIN, (200, 200), 2),
    Framing("no colon in a trailer", chunked(b"0\r\nX-Sum\r\n\r\n") + PLAIN, (400,)),
    Framing("many trailers", chunked(b"0\r\n" + b"X-Sum: 1\r\n" * 5_000 + b"\r\n"), (431,)),
    Framing("an endless trailer", chunked(b"0\r\nX-Sum: " + b"1" * 40_000), (431,)),
]
FIELDS = [
    Framing("no Host", LINE + AUTH + USER + b"\r\n" + PLAIN, (400,)),
    Framing("no field", LINE + b"\r\n" + PLAIN, (400,)),
    Framing("two Hosts", field(b"Host: other.test") + PLAIN, (400,)),
    Framing("the same Host twice", field(HOST[:-2]) + PLAIN, (400,)),
    Framing("two keys", field(UNKNOWN_KEY[:-2]) + PLAIN, (400,)),
    Framing("two keys, the good one last", LINE + HOST + UNKNOWN_KEY + AUTH + USER + b"\r\n", (400,)),
    Framing("the same key twice", field(AUTH[:-2]) + PLAIN, (400,)),
    Framing("two users", field(b"X-User-Id: other") + PLAIN, (400,)),
    Framing("two plans", field(b"X-User-Plan: a\r\nX-User-Plan: b") + PLAIN, (400,)),
    Framing("two idempotency keys", field(b"Idempotency-Key: a\r\nIdempotency-Key: b"), (400,)),
    Framing("two types", sized(TWO, None, JSON.replace(b"json", b"xml")), (400,)),
    Framing("a folded field", field(b"X-Odd: a\r\n b") + PLAIN, (400,)),
    Framing("a folded field by a tab", field(b"X-Odd: a\r\n\tb") + PLAIN, (400,)),
    Framing("a folded key", HEAD.replace(b"Bearer KEY", b"Bearer\r\n KEY") + b"\r\n", (400,)),
    Framing("a first field that is folded", LINE + b" X-Odd: a\r\n" + HOST + AUTH + USER + b"\r\n", (400,)),
    Framing("bare LF between fields", field(b"X-Odd: a\nX-Other: b") + PLAIN, (400,)),
    Framing("bare LF instead of every line end", PLAIN.replace(b"\r\n", b"\n"), (400,)),
    Framing("bare LF at the end of the head", HEAD[:-2] + b"\n\n" + PLAIN, (400,)),
    Framing("bare CR in a value", field(b"X-Odd: a\rb") + PLAIN, (400,)),
    Framing("NUL in a value", field(b"X-Odd: a\x00b") + PLAIN, (400,)),
    Framing("a control in a value", field(b"X-Odd: a\x01b") + PLAIN, (400,)),
    Framing("DEL in a value", field(b"X-Odd: a\x7fb") + PLAIN, (400,)),
    Framing("a tab in a value", field(b"X-Odd: a\tb"), (200,), 1),
    Framing("a blank before the colon", field(b"X-Odd : a") + PLAIN, (400,)),
    Framing("a blank before the user's colon", LINE + HOST + AUTH + b"X-User-Id : USER\r\n\r\n", (400,)),
    Framing("a blank before the length's colon", sized(TWO).replace(b"Length:", b"Length :"), (400,)),
    Framing("a field without a name", field(b": a") + PLAIN, (400,)),
    Framing("a field without a colon", field(b"X-Odd") + PLAIN, (400,)),
    Framing("a field name in Latin-1", field(b"X-\xe9: a") + PLAIN, (400,)),
    Framing("a field name with a slash", field(b"X/Y: a") + PLAIN, (400,)),
    Framing("Latin-1 as the user", LINE + HOST + AUTH + b"X-User-Id: \xe9\r\n\r\n" + PLAIN, (422, 200), 1),
    Framing("100 fields", field(b"\r\n".join(b"X-%d: a" % n for n in range(97))), (200,), 1),
    Framing("101 fields", field(b"\r\n".join(b"X-%d: a" % n for n in range(98))) + PLAIN, (431,)),
    Framing("3,000 fields", field(b"\r\n".join(b"X:" for n in range(3_000))) + PLAIN, (431,)),
    Framing("a head of 16,384 bytes", field(b"X: PAD"), (200,), 1, head_bytes=16_384),
    Framing("a head of 16,385 bytes", field(b"X: PAD"), (431,), head_bytes=16_385),
    Framing("a head of 30,000 bytes", field(b"X: " + b"a" * 30_000) + PLAIN, (431,)),
    Framing("a long head after a request", PLAIN + field(b"X: " + b"a" * 17_000) + PLAIN, (200, 431), 1),
    Framing("an endless head", HEAD + b"X: " + b"a" * 300_000, (431,)),
    Framing("the blanks that stopped the server", field(b"A:" + b" " * 1_200 + b"\x01"), (400,)),
    Framing("as many blanks as fit", field(b"A:" + b" " * 15_000 + b"\x01"), (400,)),
]
REQUEST_LINES = [
    Framing("HTTP/1.0", request_line(b"POST /api/data HTTP/1.0") + PLAIN, (200,), 1),
    Framing("HTTP/1.0 without Host", (b"POST /api/data HTTP/1.0\r\n" + AUTH + USER + b"\r\n"), (200,), 1),
    Framing("HTTP/2.0", request_line(b"POST /api/data HTTP/2.0") + PLAIN, (400,)),
    Framing("HTTP/1.2", request_line(b"POST /api/data HTTP/1.2") + PLAIN, (400,)),
    Framing("HTTP/0.9", b"POST /api/data\r\n\r\n" + PLAIN, (400,)),
    Framing("HTTP/9.9", request_line(b"POST /api/data HTTP/9.9") + PLAIN, (400,)),
    Framing("http/1.1", request_line(b"POST /api/data http/1.1") + PLAIN, (400,)),
    Framing("RTSP", request_line(b"OPTIONS /api/data RTSP/1.0") + PLAIN, (400,)),
    Framing("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
    Framing("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", (400,)),
    Framing("two blanks in the line", request_line(b"POST  /api/data HTTP/1.1") + PLAIN, (400,)),
    Framing("a blank after the version", request_line(b"POST /api/data HTTP/1.1 ") + PLAIN, (400,)),
    Framing("a blank in the path", request_line(b"POST /api/ data HTTP/1.1") + PLAIN, (400,)),
    Framing("a tab in the line", request_line(b"POST\t/api/data HTTP/1.1") + PLAIN, (400,)),
    Framing("a method in small letters", request_line(b"post /api/data HTTP/1.1") + PLAIN, (400,)),
    Framing("an unknown method", request_line(b"COUNT /api/data HTTP/1.1") + PLAIN, (400,)),
    Framing("CONNECT", request_line(b"CONNECT dream.test:80 HTTP/1.1") + PLAIN, (405,)),
    Framing("absolute form", request_line(b"POST http://dream.test/api/data HTTP/1.1"), (200,), 1),
    Framing("absolute form of another host", request_line(b"POST http://other.test/api/data HTTP/1.1"), (200,), 1),
    Framing("an unknown query parameter", request_line(b"POST /api/data?a=b HTTP/1.1"), (422,)),
    Framing("an escaped path", request_line(b"POST /api/d%61ta HTTP/1.1"), (200,), 1),
    Framing("a path with a slash more", request_line(b"POST //api/data HTTP/1.1"), (404,)),
    Framing("a path of 8,193 bytes", request_line(b"GET /" + b"a" * 8_192 + b" HTTP/1.1") + PLAIN, (414,)),
    Framing("a path of 8,192 bytes", request_line(b"GET /" + b"a" * 8_191 + b" HTTP/1.1") + PLAIN, (404, 200), 1),
    Framing("an asterisk", request_line(b"POST * HTTP/1.1"), (404,)),
    Framing("two empty lines first", b"\r\n\r\n" + PLAIN, (400,)),
    Framing("bare LF first", b"\n" + PLAIN, (400,)),
    Framing("bare CR first", b"\r" + PLAIN, (400,)),
    Framing("a blank first", b" " + PLAIN, (400,)),
]
CONNECTIONS = [
    Framing("Expect", sized(TWO, None, b"Expect: 100-continue\r\n"), (100, 200), 2),
    Framing("an expectation that nobody knows", sized(TWO, None, b"Expect: miracles\r\n"), (200,), 2),
    Framing("Upgrade to a web socket", field(b"Connection: upgrade\r\nUpgrade: websocket") + PLAIN, (200, 200), 2),
    Framing("Upgrade to HTTP/2", field(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c") + PLAIN, (200, 200), 2),
    Framing(
        "Upgrade with a body that is a request",
        sized(HEALTH, None, b"Connection: upgrade\r\nUpgrade: h2c\r\n").replace(JSON, b"") + PLAIN,
        (415, 200),
        1,
    ),
    Framing("Upgrade without Connection", field(b"Upgrade: websocket") + PLAIN, (200, 200), 2),
    Framing("closed in the request line", b"POST /api/da", ()),
    Framing("closed in the head", HEAD, ()),
    Framing("closed before the last line end", PLAIN[:-1], ()),
    Framing("closed in the body", sized(TWO)[:-3], ()),
    Framing("closed in the second request", PLAIN + HEAD, (200,), 1),
    Framing("nothing", b"", ()),
    Framing("an empty line alone", b"\r\n", ()),
]
FRAMINGS = [*PLAIN_ONES, *LENGTHS, *CHUNKS, *TRAILERS, *FIELDS, *REQUEST_LINES, *CONNECTIONS]

"""The Cookie header, before anything reads it.

Python before 3.11.10 takes quadratic time to unquote a cookie (CVE-2024-7592), and the framework reads the cookies of
every request: five seconds for 64 KB. No cookie of ours is escaped, so those that are count as not sent.
"""

from starlette.types import Scope

Headers = list[tuple[bytes, bytes]]

_COOKIE = b"cookie"
_ESCAPE = b"\\"


def drop_escaped_cookies(scope: Scope) -> None:
    headers: Headers = scope["headers"]
    if any(name == _COOKIE and _ESCAPE in value for name, value in headers):
        scope["headers"] = [(name, _without_escaped(value) if name == _COOKIE else value) for name, value in headers]


def _without_escaped(cookies: bytes) -> bytes:
    return b";".join(cookie for cookie in cookies.split(b";") if _ESCAPE not in cookie)

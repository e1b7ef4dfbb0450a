"""Prefixed ids that sort by creation, byte by byte."""

import os
import secrets
from itertools import count

import uuid_utils

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26
# A UUIDv7 begins with 48 bits of Unix time in milliseconds.
_BITS_BEHIND_TIME = 80
_MILLISECOND = 1000
_requests = count(1)
_process = ""


def _name_process() -> None:
    global _process  # noqa: PLW0603 - a forked process has another
    _process = "".join(secrets.choice(_ALPHABET) for _ in range(12))


_name_process()
os.register_at_fork(after_in_child=_name_process)


def new(prefix: str) -> str:
    """`cus_01k9…`: a UUIDv7 in 26 characters of Crockford's base 32, so that order is the order of creation."""
    return _encode(prefix, uuid_utils.uuid7().int)


def first_at(prefix: str, at: int) -> str:
    """The lowest id that `new` makes at this time: ids that were made before are less than it."""
    return _encode(prefix, (at // _MILLISECOND) << _BITS_BEHIND_TIME)


def _encode(prefix: str, number: int) -> str:
    digits = [_ALPHABET[(number >> shift) & 31] for shift in range((_LENGTH - 1) * 5, -1, -5)]
    return f"{prefix}_{''.join(digits)}"


def is_one(prefix: str, text: str) -> bool:
    """Whether the text has the form of such an id; nothing is looked up."""
    body = text.removeprefix(prefix + "_")
    return len(body) == _LENGTH and body != text and all(c in _ALPHABET for c in body)


def new_request() -> str:
    """`req_…`: unique, and cheap enough to give to every call."""
    return f"req_{_process}{next(_requests):08x}"

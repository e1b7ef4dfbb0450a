"""What a key looks like: `sk_test_` + 190 random bits + a checksum of it all, in base 62.

The checksum lets a server or a scanner refuse a mistyped or foreign key without looking anything up.
"""

import secrets
import string
import zlib
from typing import Literal

from dream_api.platforms import MODES, Mode

Kind = Literal["publishable", "secret"]

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PREFIXES: dict[Kind, str] = {"publishable": "pk", "secret": "sk"}
_RANDOM = 32
_CHECKSUM = 6


def make(kind: Kind, mode: Mode) -> str:
    body = f"{_PREFIXES[kind]}_{mode}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return body + _checksum(body)


def is_well_formed(token: str) -> bool:
    """Whether the text can be one of our keys at all."""
    prefix, _, rest = token.partition("_")
    mode, _, body = rest.partition("_")
    return (
        prefix in _PREFIXES.values()
        and mode in MODES
        and len(body) == _RANDOM + _CHECKSUM
        and body.isascii()
        and body.isalnum()
        and _checksum(token[:-_CHECKSUM]) == token[-_CHECKSUM:]
    )


def shown(token: str) -> str:
    """What may be shown of a secret key: `sk_live_4f9c…a71e`."""
    return f"{token[:12]}…{token[-4:]}"


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = ""
    for _ in range(_CHECKSUM):
        number, place = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[place] + digits
    return digits

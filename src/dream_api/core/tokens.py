"""The format of tokens: a prefix + 190 random bits + a checksum of it all, in base 62.

The checksum lets a server or a scanner refuse a mistyped or foreign token without looking anything up.
"""

import secrets
import string
import zlib

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM = 32
_CHECKSUM = 6
_SHOWN = 4


def create_token(prefix: str) -> str:
    body = prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return body + _checksum(body)


def derive_token(prefix: str, secret: bytes) -> str:
    """The token that belongs to these 32 random bytes, always the same."""
    number = int.from_bytes(secret)
    digits = ""
    for _ in range(_RANDOM):
        number, place = divmod(number, len(_ALPHABET))
        digits += _ALPHABET[place]
    return prefix + digits + _checksum(prefix + digits)


def has_valid_checksum(token: str, prefix: str) -> bool:
    """Whether the text can be a token of this prefix at all."""
    body = token.removeprefix(prefix)
    return (
        token.startswith(prefix)
        and len(body) == _RANDOM + _CHECKSUM
        and body.isascii()
        and body.isalnum()
        and _checksum(token[:-_CHECKSUM]) == token[-_CHECKSUM:]
    )


def masked(token: str) -> str:
    """What may be shown of a secret one: `sk_live_4f9c…a71e`."""
    prefix = token[: -_RANDOM - _CHECKSUM]
    return f"{token[: len(prefix) + _SHOWN]}…{token[-_SHOWN:]}"


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = ""
    for _ in range(_CHECKSUM):
        number, place = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[place] + digits
    return digits

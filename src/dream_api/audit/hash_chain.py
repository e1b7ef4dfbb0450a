"""The digests that the security log's chain consists of."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def first_digest(book: str) -> bytes:
    """What the first entry of a book comes after."""
    return _sha256("book", book)


def field_digest(salt: bytes, value: str) -> bytes:
    return hashlib.sha256(salt + value.encode()).digest()


def entry_digest(previous: bytes, entry: Any, field_digests: Mapping[str, bytes]) -> bytes:
    """Of a row of `audit_entries`, or what is as named, with the digests of its fields by their names."""
    fields = sorted((name, digest.hex()) for name, digest in field_digests.items())
    return _sha256(
        previous.hex(),
        entry.book,
        entry.number,
        entry.at,
        entry.action,
        entry.actor_kind,
        entry.actor_id,
        entry.about,
        fields,
    )


def cut_text(book: str, number: int, digest: bytes) -> bytes:
    """What is sealed where older entries were cut off."""
    return json.dumps([book, number, digest.hex()]).encode()


def _sha256(*parts: Any) -> bytes:
    """JSON tells the parts apart, whatever is in them."""
    return hashlib.sha256(json.dumps(parts).encode()).digest()

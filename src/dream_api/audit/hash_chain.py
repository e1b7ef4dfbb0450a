"""Digests of the security log's hash chain."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def first_digest(name: str) -> bytes:
    """The digest that precedes a stream's first entry."""
    return _sha256("book", name)


def field_digest(salt: bytes, value: str) -> bytes:
    return hashlib.sha256(salt + value.encode()).digest()


def entry_digest(previous: bytes, name: str, entry: Any, field_digests: Mapping[str, bytes]) -> bytes:
    """The digest of an entry (a row of `audit_entries`, or the same attributes) of the stream of that name, with its
    fields' digests by name."""
    fields = sorted((name, digest.hex()) for name, digest in field_digests.items())
    return _sha256(
        previous.hex(),
        name,
        entry.number,
        entry.at,
        entry.action,
        entry.actor_kind,
        entry.actor_id,
        entry.about,
        fields,
    )


def checkpoint_text(name: str, number: int, digest: bytes) -> bytes:
    """The text of a checkpoint, which is signed where older entries were truncated."""
    return json.dumps([name, number, digest.hex()]).encode()


def _sha256(*parts: Any) -> bytes:
    """The hash of the parts as JSON, which is unambiguous."""
    return hashlib.sha256(json.dumps(parts).encode()).digest()

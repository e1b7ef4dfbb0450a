"""Integrity checks of the security log: every stream's hash chain, also after erasure and truncation."""

import hmac
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row

from dream_api.audit import queries
from dream_api.audit.hash_chain import entry_digest, field_digest, first_digest
from dream_api.audit.truncation import sign_checkpoint
from dream_api.core.db import Tx
from dream_api.core.integrity import IntegrityCheck
from dream_api.core.secrets import InstanceKey

_PAGE = 1_000


def checks(key: InstanceKey | None) -> list[IntegrityCheck]:
    """Without the instance key, signatures of checkpoints are not verified."""
    sentence = "The security log is whole: no entry was changed, removed or put in."
    return [IntegrityCheck("security_log_is_whole", sentence, partial(_broken, key))]


async def _broken(key: InstanceKey | None, tx: Tx, limit: int) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"book": row.book, "number": row.number, "what": f"the field {row.field} belongs to no entry"}
        for row in await queries.stray_fields(tx, limit)
    ]
    after = ""
    while len(found) < limit and (streams := await queries.list_streams(tx, after, _PAGE)):
        for book in streams:
            found += await _broken_in(tx, key, book)
        after = streams[-1].book
    return found[:limit]


async def _broken_in(tx: Tx, key: InstanceKey | None, book: Row[Any]) -> list[dict[str, Any]]:
    """The first violation in the stream."""
    if problem := _wrong_cut(key, book):
        return [{"book": book.book, "number": book.cut_number, "what": problem}]
    if await queries.has_entries_up_to(tx, book.book, book.cut_number):
        return [{"book": book.book, "number": book.cut_number, "what": "an entry stands before the beginning"}]
    number, digest = book.cut_number, book.cut_digest
    while page := await queries.list_entries_after(tx, book.book, number, _PAGE):
        of_entry: dict[int, list[Row[Any]]] = defaultdict(list)
        for field in await queries.fields_between(tx, book.book, number, page[-1].number):
            of_entry[field.number].append(field)
        for entry in page:
            problem = _wrong_entry(entry, of_entry[entry.number], number, digest)
            if problem:
                return [{"book": book.book, "number": entry.number, "what": problem}]
            number, digest = entry.number, entry.digest
    if (number, digest) != (book.last_number, book.last_digest):
        return [{"book": book.book, "number": book.last_number, "what": "the newest entries are missing"}]
    return []


def _wrong_cut(key: InstanceKey | None, book: Row[Any]) -> str | None:
    if book.cut_number == 0:
        return None if book.cut_digest == first_digest(book.book) else "the book does not begin as it must"
    if key is None:
        return None
    own = sign_checkpoint(key, book.book, book.cut_number, book.cut_digest)
    return None if hmac.compare_digest(own, book.cut_seal) else "the seal on what was cut off is not this instance's"


def _wrong_entry(entry: Row[Any], fields: Sequence[Row[Any]], number: int, digest: bytes) -> str | None:
    """What is wrong with an entry that follows one of this number and digest; None where nothing is."""
    if entry.number != number + 1:
        return "an entry before this one is missing"
    for field in fields:
        if field.value is not None and field_digest(field.salt, field.value) != field.digest:
            return f"the field {field.field} was changed"
    if entry.digest != entry_digest(digest, entry, {field.field: field.digest for field in fields}):
        return "it was changed, or the one before was"
    return None

"""Integrity checks of the security log: every stream's hash chain, also after erasure and truncation."""

import hmac
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row

from dream_api.audit import queries
from dream_api.audit.hash_chain import entry_digest, field_digest, first_digest
from dream_api.audit.streams import Stream
from dream_api.audit.truncation import sign_checkpoint
from dream_api.core.db import Tx
from dream_api.core.integrity import IntegrityCheck
from dream_api.core.secrets import InstanceKey

_PAGE = 1_000
_HINT = (
    "Someone changed the log outside of dream-api. Compare it with a backup, or with an export that was saved before."
)


def checks(key: InstanceKey | None) -> list[IntegrityCheck]:
    """Without the instance key, signatures of checkpoints are not verified."""
    sentence = "The security log is complete: no entry was changed, removed or added."
    return [IntegrityCheck("security_log_is_whole", sentence, partial(_broken, key), hint=_HINT)]


async def _broken(key: InstanceKey | None, tx: Tx, limit: int) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "platform_no": row.platform_no,
            "user_id": row.user_id,
            "number": row.number,
            "what": f"the field {row.field} does not belong to an entry",
        }
        for row in await queries.stray_fields(tx, limit)
    ]
    after = ""
    while len(found) < limit and (streams := await queries.list_streams(tx, after, _PAGE)):
        for stream in streams:
            found += await _broken_in(tx, key, stream)
        after = streams[-1].name
    return found[:limit]


async def _broken_in(tx: Tx, key: InstanceKey | None, row: Row[Any]) -> list[dict[str, Any]]:
    """The first violation in the stream."""
    stream = Stream(row.name, row.platform_no)
    if problem := _wrong_cut(key, row):
        return [{"stream": row.name, "number": row.cut_number, "what": problem}]
    if await queries.has_entries_up_to(tx, stream, row.cut_number):
        problem = "there is an entry before the start of the log"
        return [{"stream": row.name, "number": row.cut_number, "what": problem}]
    number, digest = row.cut_number, row.cut_digest
    while page := await queries.list_entries_after(tx, stream, number, _PAGE):
        of_entry: dict[int, list[Row[Any]]] = defaultdict(list)
        for field in await queries.fields_between(tx, stream, number, page[-1].number):
            of_entry[field.number].append(field)
        for entry in page:
            problem = _wrong_entry(stream.name, entry, of_entry[entry.number], number, digest)
            if problem:
                return [{"stream": row.name, "number": entry.number, "what": problem}]
            number, digest = entry.number, entry.digest
    if (number, digest) != (row.last_number, row.last_digest):
        return [{"stream": row.name, "number": row.last_number, "what": "the newest entries are missing"}]
    return []


def _wrong_cut(key: InstanceKey | None, row: Row[Any]) -> str | None:
    if row.cut_number == 0:
        return None if row.cut_digest == first_digest(row.name) else "the start of the log was changed"
    if key is None:
        return None
    own = sign_checkpoint(key, row.name, row.cut_number, row.cut_digest)
    if hmac.compare_digest(own, row.cut_seal):
        return None
    return "the log was truncated with another instance key, or by hand"


def _wrong_entry(name: str, entry: Row[Any], fields: Sequence[Row[Any]], number: int, digest: bytes) -> str | None:
    """What is wrong with an entry that follows one of this number and digest; None where nothing is."""
    if entry.number != number + 1:
        return "an entry before this one is missing"
    for field in fields:
        if field.value is not None and field_digest(field.salt, field.value) != field.digest:
            return f"the field {field.field} was changed"
    if entry.digest != entry_digest(digest, name, entry, {field.field: field.digest for field in fields}):
        return "this entry or the one before it was changed"
    return None

"""Truncation of the security log, with a checkpoint that is signed with the instance key."""

import hmac

from dream_api.audit import queries
from dream_api.audit.hash_chain import checkpoint_text
from dream_api.audit.streams import Stream
from dream_api.core import clock
from dream_api.core.db import Database, Tx
from dream_api.core.secrets import InstanceKey

_TIME = 180 * clock.DAY
_CHUNK = 500
_PURPOSE = "security log"


def sign_checkpoint(key: InstanceKey, name: str, number: int, digest: bytes) -> bytes:
    return hmac.digest(key.derive(_PURPOSE), checkpoint_text(name, number, digest), "sha256")


async def find_foreign_checkpoints(tx: Tx, key: InstanceKey) -> list[str]:
    """Names of the streams whose checkpoint was signed with another key."""
    return [
        row.name
        for row in await queries.list_checkpoints(tx)
        if not hmac.compare_digest(sign_checkpoint(key, row.name, row.cut_number, row.cut_digest), row.cut_seal)
    ]


async def sign_checkpoints_again(tx: Tx, key: InstanceKey) -> int:
    """Sign every checkpoint with a key that replaced the one it was signed with; how many were signed."""
    rows = await queries.list_checkpoints(tx)
    for row in rows:
        signature = sign_checkpoint(key, row.name, row.cut_number, row.cut_digest)
        await queries.set_checkpoint_signature(tx, Stream(row.name, row.platform_no), signature)
    return len(rows)


async def truncate(database: Database, key: InstanceKey) -> None:
    """Delete entries older than 180 days, in bounded batches."""
    before = clock.now() - _TIME
    while True:
        async with database.read() as tx:
            streams = await queries.list_streams_with_entries_before(tx, before, _CHUNK)
        truncated = [await _truncate_batch(database, key, stream, before) for stream in streams]
        if not any(truncated):
            return


async def delete_stream(database: Database, key: InstanceKey, stream: Stream) -> None:
    """Delete the whole stream, in bounded batches; at each moment the rest verifies."""
    while await _truncate_batch(database, key, stream, clock.now() + clock.SECOND):
        pass
    async with database.write() as tx:
        await queries.delete_stream(tx, stream)


async def _truncate_batch(database: Database, key: InstanceKey, stream: Stream, before: int) -> bool:
    """Delete one batch; returns whether anything was deleted."""
    async with database.write() as tx:
        await queries.lock_existing_stream(tx, stream)
        old = await queries.older_entries(tx, stream, before, _CHUNK)
        if not old:
            return False
        last = old[-1]
        await queries.truncate(
            tx, stream, last.number, last.digest, sign_checkpoint(key, stream.name, last.number, last.digest)
        )
    return True

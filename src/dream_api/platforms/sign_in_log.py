"""Sign-in entries in the security logs of the user and of their platforms."""

from collections.abc import Mapping

from dream_api import audit
from dream_api.audit import Actor, Stream
from dream_api.core.db import Database, Tx
from dream_api.core.jobs import Job, Registry, enqueue
from dream_api.platforms.members import memberships_of

_REFUSED_JOB = "platforms.sign_in_failed"


async def audit_for_user(
    tx: Tx, user_id: str, action: str, *, by: Actor, about: str = "", details: Mapping[str, str] = {}
) -> None:
    """Append to the user's security log and to that of each of their platforms; call this last: they stay locked."""
    streams = [Stream(user_id), *(each.platform.log_stream for each in await memberships_of(tx, user_id))]
    await audit.record_in_streams(tx, streams, action, by=by, about=about, details=details)


async def enqueue_failed_sign_in(tx: Tx, user_id: str | None, address: str, *, locks: bool) -> None:
    """Enqueue the entry of a failed sign-in as this user, or as an unknown one: always one statement, so that its
    duration reveals nothing.

    `locks`: the attempt locked the account.
    """
    await enqueue(tx, _REFUSED_JOB, {"user": user_id, "address": address, "locks": locks})


def register_sign_ins(registry: Registry) -> None:
    registry.handle(_REFUSED_JOB, _record_refused)


async def _record_refused(database: Database, job: Job) -> None:
    user_id = job.payload["user"]
    if user_id is None:
        return
    async with database.write() as tx:
        by = Actor("user", user_id, "", job.payload["address"])
        await audit_for_user(tx, user_id, "session.refused", by=by)
        if job.payload.get("locks"):
            await audit_for_user(tx, user_id, "account.locked", by=by)

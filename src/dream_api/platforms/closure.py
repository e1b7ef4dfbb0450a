"""Closure: nothing is sold, issued or joined on a platform that is being deleted, or in a deleted project."""

from dream_api.core.db import Tx
from dream_api.core.errors import Forbidden, NotFound
from dream_api.platforms import queries


class PlatformClosing(Forbidden):
    code = "platform_closing"
    hint = "An owner can cancel the deletion on the platform's page Settings."


async def is_open(tx: Tx, platform_no: int, project_id: str, *, lock: bool = False) -> bool:
    """Whether the project still sells; `lock`: this stays so until the transaction ends."""
    row = await queries.closure_of(tx, platform_no, project_id, lock=lock)
    return row is not None and row.deletes_at is None and row.deleted_at is None


async def require_open(tx: Tx, platform_no: int, project_id: str | None = None, *, lock: bool = True) -> None:
    """Raises PlatformClosing while the platform is being deleted, NotFound where the project was deleted.

    `lock`: the platform and project stay open until the transaction ends, which must be one that writes.
    """
    row = await queries.closure_of(tx, platform_no, project_id, lock=lock)
    if row is None or row.deleted_at is not None:
        raise NotFound("Project not found.")
    if row.deletes_at is not None:
        raise PlatformClosing("The platform is being deleted: nothing can be sold or created on it any more.")

"""Files: their rows in the database, their bytes in the object store."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api.assets import queries
from dream_api.assets.content_type import ContentType, sniff_content_type
from dream_api.assets.uploads import Upload, sanitize_file_name
from dream_api.core.db import Tx
from dream_api.core.errors import Forbidden, TooLarge, ValidationFailed
from dream_api.platforms import Mode, project_now

_RANDOM_BYTES = 16
_SHOWN_DIGITS = 16
_HINT = "Send the file as the request body, or in a multipart/form-data form."
_KEY = re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}")
# Where a page of files ends: a moment and a key.
CURSOR = r"^[0-9]{1,16}-[0-9a-f]{32}-[0-9a-f]{16}$"


class AssetTooLarge(TooLarge):
    code = "asset_too_large"
    hint = "Send a smaller file. The operator sets the limit with DREAM_ASSET_LIMIT."


class StorageFull(Forbidden):
    code = "storage_full"
    hint = "Delete files that are no longer needed. The operator sets the limit with DREAM_ASSET_QUOTA."


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that is not kept yet. Nobody can guess the key, and what it names never changes: it has 128 random bits
    and a part of the content's digest."""

    key: str
    content: bytes
    digest: bytes
    content_type: ContentType
    name: str


def draft(upload: Upload, limit: int) -> Asset:
    """The file under a key of its own and a name that a file can have; raises ValidationFailed, AssetTooLarge."""
    if not upload.content:
        raise ValidationFailed("The file is missing or empty.", param="file", hint=_HINT)
    if len(upload.content) > limit:
        raise AssetTooLarge(f"The file has {len(upload.content):,} bytes. The limit is {limit:,} bytes.")
    digest = hashlib.sha256(upload.content).digest()
    key = f"{secrets.token_hex(_RANDOM_BYTES)}-{digest.hex()[:_SHOWN_DIGITS]}"
    return Asset(key, upload.content, digest, sniff_content_type(upload.content), sanitize_file_name(upload.name))


def is_key(text: str) -> bool:
    """Whether the text has the form of one; nothing is looked up."""
    return _KEY.fullmatch(text) is not None


def folder_of(platform_id: str) -> str:
    """Below which all of the platform's lie in the object store."""
    return f"assets/{platform_id}"


def path_of(platform_id: str, key: str) -> str:
    """Where the bytes lie in the object store."""
    return f"{folder_of(platform_id)}/{key}"


async def require_quota(tx: Tx, platform_no: int, size: int, quota: int) -> None:
    """Raises StorageFull where so many more bytes would exceed the quota; 0 is no quota."""
    if quota and await queries.bytes_of(tx, platform_no) + size > quota:
        raise StorageFull(f"The platform's files would exceed the limit of {quota:,} bytes.")


async def list_assets(
    tx: Tx, platform_no: int, project_id: str, mode: Mode, *, limit: int, after: str | None
) -> Sequence[Row[Any]]:
    """Newest first; `after`: where the page before ended."""
    at, _, key = (after or "").partition("-")
    begins = None if after is None else (int(at), key)
    return await queries.page_of(tx, platform_no, project_id, mode, limit=limit, after=begins)


def cursor_of(row: Row[Any]) -> str:
    """Where a page ends that ends with this one, also when it is deleted by then."""
    return f"{row.created_at}-{row.key}"


async def save(tx: Tx, platform_no: int, project_id: str, mode: Mode, asset: Asset, *, created_by: str) -> Row[Any]:
    """Insert the file's row and return it; the bytes must be in the store already, so that every row has its bytes."""
    row = {
        "key": asset.key,
        "project_id": project_id,
        "mode": mode,
        "digest": asset.digest,
        "content_type": asset.content_type,
        "name": asset.name,
        "size": len(asset.content),
        "created_by": created_by,
        "created_at": await project_now(tx, platform_no, project_id, mode),
    }
    return await queries.insert_asset(tx, platform_no, row)

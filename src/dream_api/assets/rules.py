"""Keeps files: what is known of each in the database, its bytes in the object store."""

import hashlib
import re
import secrets
from dataclasses import dataclass

from dream_api.assets import queries
from dream_api.assets.deciding import ContentType, type_of
from dream_api.assets.parts import Upload
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import TooLarge
from dream_api.platforms import Mode

_RANDOM_BYTES = 16
_SHOWN_DIGITS = 16


_KEY = re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}")


class AssetTooLarge(TooLarge):
    code = "asset_too_large"
    hint = "Send a smaller file; the operator sets the bound with DREAM_ASSET_LIMIT."


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
    """Raises AssetTooLarge."""
    if len(upload.content) > limit:
        raise AssetTooLarge(f"The file has {len(upload.content):,} bytes; at most {limit:,} are kept.")
    digest = hashlib.sha256(upload.content).digest()
    key = f"{secrets.token_hex(_RANDOM_BYTES)}-{digest.hex()[:_SHOWN_DIGITS]}"
    return Asset(key, upload.content, digest, type_of(upload.content), upload.name)


def is_key(text: str) -> bool:
    """Whether the text has the form of one; nothing is looked up."""
    return _KEY.fullmatch(text) is not None


def folder_of(platform_id: str) -> str:
    """Below which all of the platform's lie in the object store."""
    return f"assets/{platform_id}"


def path_of(platform_id: str, key: str) -> str:
    """Where the bytes lie in the object store."""
    return f"{folder_of(platform_id)}/{key}"


async def keep(tx: Tx, platform_id: str, project_id: str, mode: Mode, asset: Asset, *, created_by: str) -> int:
    """When it was kept; the bytes must be in the store already, so that no row ever points at nothing."""
    now = clock.now()
    row = {
        "key": asset.key,
        "project_id": project_id,
        "mode": mode,
        "digest": asset.digest,
        "content_type": asset.content_type,
        "name": asset.name,
        "size": len(asset.content),
        "created_by": created_by,
        "created_at": now,
    }
    await queries.insert_asset(tx, platform_id, row)
    return now

"""Files that developers show: pictures of what they sell, documents to download.

What a file is, is seen in its bytes; what could run script in a browser is handed out as a download only.
"""

from dream_api.assets.byte_ranges import RangeNotSatisfiable, span_of
from dream_api.assets.content_type import ContentType, is_shown, sniff_content_type
from dream_api.assets.queries import by_key, delete_asset, keys_of
from dream_api.assets.rules import (
    CURSOR,
    Asset,
    AssetTooLarge,
    StorageFull,
    cursor_of,
    draft,
    folder_of,
    is_key,
    page_of,
    path_of,
    require_quota,
    save,
)
from dream_api.assets.uploads import Upload, upload_in

__all__ = [
    "CURSOR",
    "Asset",
    "AssetTooLarge",
    "ContentType",
    "RangeNotSatisfiable",
    "StorageFull",
    "Upload",
    "by_key",
    "cursor_of",
    "delete_asset",
    "draft",
    "folder_of",
    "is_key",
    "is_shown",
    "keys_of",
    "page_of",
    "path_of",
    "require_quota",
    "save",
    "sniff_content_type",
    "span_of",
    "upload_in",
]

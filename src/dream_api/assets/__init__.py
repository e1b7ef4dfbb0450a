"""Uploaded files: pictures of products, documents to download.

A file's content type is detected from its bytes; what could run script in a browser is served as a download only.
"""

from dream_api.assets.byte_ranges import RangeNotSatisfiable, parse_range
from dream_api.assets.content_type import ContentType, is_displayable, sniff_content_type
from dream_api.assets.integrity import checks
from dream_api.assets.queries import by_key, delete_asset, find_asset, keys_of
from dream_api.assets.rules import (
    CURSOR,
    Asset,
    AssetTooLarge,
    StorageFull,
    cursor_of,
    draft,
    folder_of,
    is_key,
    list_assets,
    path_of,
    require_quota,
    save,
)
from dream_api.assets.uploads import Upload, sanitize_file_name

__all__ = [
    "CURSOR",
    "Asset",
    "AssetTooLarge",
    "ContentType",
    "RangeNotSatisfiable",
    "StorageFull",
    "Upload",
    "by_key",
    "checks",
    "cursor_of",
    "delete_asset",
    "draft",
    "find_asset",
    "folder_of",
    "is_displayable",
    "is_key",
    "keys_of",
    "list_assets",
    "parse_range",
    "path_of",
    "require_quota",
    "sanitize_file_name",
    "save",
    "sniff_content_type",
]

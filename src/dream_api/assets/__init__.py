"""Files that developers show: pictures of what they sell, documents to download.

What a file is, is seen in its bytes; what could run script in a browser is handed out as a download only.
"""

from dream_api.assets.deciding import ContentType, is_shown, type_of
from dream_api.assets.parts import Upload, upload_in
from dream_api.assets.queries import by_key, keys_of
from dream_api.assets.ranges import RangeNotSatisfiable, span_of
from dream_api.assets.rules import AssetTooLarge, draft, folder_of, is_key, keep, path_of

__all__ = [
    "AssetTooLarge",
    "ContentType",
    "RangeNotSatisfiable",
    "Upload",
    "by_key",
    "draft",
    "folder_of",
    "is_key",
    "is_shown",
    "keep",
    "keys_of",
    "path_of",
    "span_of",
    "type_of",
    "upload_in",
]

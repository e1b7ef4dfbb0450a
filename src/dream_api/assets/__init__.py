"""Files that developers show: pictures of what they sell, documents to download.

What a file is, is seen in its bytes; what could run script in a browser is handed out as a download only.
"""

from dream_api.assets.deciding import ContentType, is_shown, type_of
from dream_api.assets.parts import Upload, upload_in
from dream_api.assets.queries import by_key
from dream_api.assets.ranges import RangeNotSatisfiable, span_of
from dream_api.assets.rules import AssetTooLarge, draft, is_key, keep, path_of

__all__ = [
    "AssetTooLarge",
    "ContentType",
    "RangeNotSatisfiable",
    "Upload",
    "by_key",
    "draft",
    "is_key",
    "is_shown",
    "keep",
    "path_of",
    "span_of",
    "type_of",
    "upload_in",
]

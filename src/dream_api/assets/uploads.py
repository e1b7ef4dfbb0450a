"""An uploaded file as it came, and the names that files may have."""

import re
from dataclasses import dataclass

_LONGEST_NAME = 120
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\"\\/:*?<>|\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file's bytes and its name on the client's machine; the name is empty where none was sent."""

    content: bytes
    name: str


def sanitize_file_name(name: str) -> str:
    """Without folders, and without what a file's name cannot have."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return _UNSAFE.sub("_", last.encode(errors="replace").decode()).strip(". _")[:_LONGEST_NAME]

"""Byte ranges: the Range header of downloads."""

import re
from dataclasses import dataclass

from dream_api.core.errors import AppError

# Possessive: blanks on both sides of a number that may be missing would else be divided in every way.
_RANGE = re.compile(r"bytes=\s*+([0-9]{0,15}+)\s*+-\s*+([0-9]{0,15}+)\s*+", re.IGNORECASE)


class RangeNotSatisfiable(AppError):
    status = 416
    code = "range_not_satisfiable"
    hint = "Request bytes within the file. Content-Range shows its size."


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From `start` to before `end`."""

    start: int
    end: int


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The requested range; None for the whole file, also where the header cannot be parsed.

    Raises RangeNotSatisfiable where none of these bytes are there.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None  # no range at all
    if start >= end:
        raise RangeNotSatisfiable(
            f"The file has {size:,} bytes, and the requested range is outside of it.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return ByteRange(start, end)

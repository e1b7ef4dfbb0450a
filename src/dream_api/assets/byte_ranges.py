"""Which bytes of a file are asked for."""

import re
from dataclasses import dataclass

from dream_api.core.errors import AppError

# Possessive: blanks on both sides of a number that may be missing would else be divided in every way.
_RANGE = re.compile(r"bytes=\s*+([0-9]{0,15}+)\s*+-\s*+([0-9]{0,15}+)\s*+", re.IGNORECASE)


class RangeNotSatisfiable(AppError):
    status = 416
    code = "range_not_satisfiable"
    hint = "Ask for bytes that there are; Content-Range tells how many."


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to before `end`."""

    start: int
    end: int


def span_of(asked: str | None, size: int) -> Span | None:
    """The one range that is asked for; None where it is the whole, also where the header cannot be understood.

    Raises RangeNotSatisfiable where none of these bytes are there.
    """
    told = _RANGE.fullmatch((asked or "").strip())
    if told is None or not any(told.groups()):
        return None
    first, last = told.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None  # no range at all
    if start >= end:
        raise RangeNotSatisfiable(
            f"The file has {size:,} bytes; these are not among them.", headers={"Content-Range": f"bytes */{size}"}
        )
    return Span(start, end)

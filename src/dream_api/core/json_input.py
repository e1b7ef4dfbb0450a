"""JSON that somebody else wrote."""

from typing import Any

from pydantic_core import from_json


def parse_json(text: str | bytes | bytearray) -> Any:
    """The value. Raises ValueError for what is not JSON, is nested too deeply, or has one half of a surrogate pair,
    which no database can store."""
    return from_json(bytes(text) if isinstance(text, bytearray) else text, allow_inf_nan=False)

"""Metadata: pairs of strings that callers attach to their objects, stored as JSON text and never interpreted."""

import json
from collections.abc import Mapping
from typing import Annotated, cast

from pydantic import BeforeValidator, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from dream_api.core.errors import ValidationFailed

MOST_KEYS = 50
LONGEST_KEY = 40
LONGEST_VALUE = 500
EMPTY = "{}"
# PostgreSQL's text has none.
_NO_NUL = r"^[^\x00]*$"
_TOO_MANY = f"An object can have at most {MOST_KEYS} metadata keys."

Metadata = TypeAliasType("Metadata", dict[str, str])
"""As it is stored and shown."""

_KEYS: JsonDict = {"minLength": 1, "maxLength": LONGEST_KEY, "pattern": _NO_NUL}
_SHAPE: JsonDict = {"maxProperties": MOST_KEYS, "propertyNames": _KEYS}


def _check_keys(value: object) -> object:
    """Errors about keys name the metadata alone: a key that is too long does not appear in them."""
    if not isinstance(value, dict):
        return value
    sent = cast(dict[object, object], value)
    if len(sent) > MOST_KEYS:
        raise PydanticCustomError("metadata_keys", "At most {most} keys are allowed", {"most": MOST_KEYS})
    if not all(isinstance(key, str) and 0 < len(key) <= LONGEST_KEY and _is_storable(key) for key in sent):
        raise PydanticCustomError(
            "metadata_key", "A key must have 1 to {longest} characters, without NUL", {"longest": LONGEST_KEY}
        )
    return sent


def _is_storable(text: str) -> bool:
    """Whether both databases store it: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


MetadataUpdate = TypeAliasType(
    "MetadataUpdate",
    Annotated[
        dict[str, Annotated[str, Field(max_length=LONGEST_VALUE, pattern=_NO_NUL)] | None],
        BeforeValidator(_check_keys),
        Field(json_schema_extra=_SHAPE),
    ],
)
"""As a request sends it: keys with an empty string or null are removed."""


def merge(stored: Metadata, changes: Mapping[str, str | None] | None) -> Metadata:
    """The metadata after a request: the keys that it sends are set or removed, others stay; None removes all.

    ValidationFailed where there would be too many.
    """
    if changes is None:
        return {}
    merged = {key: value for key, value in {**stored, **changes}.items() if value}
    if len(merged) > MOST_KEYS:
        raise ValidationFailed(_TOO_MANY, param="metadata", hint="Remove a key: send it with null.")
    return merged


def create(sent: Mapping[str, str | None] | None) -> Metadata:
    """The metadata of a new object."""
    return merge({}, sent)


def load(text: str) -> Metadata:
    return json.loads(text)


def dump(metadata: Metadata) -> str:
    return json.dumps(metadata) if metadata else EMPTY

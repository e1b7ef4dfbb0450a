"""Wire models: what all JSON of the API has in common."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dream_api.core import clock
from dream_api.core.errors import ValidationFailed
from dream_api.core.ids import is_one
from dream_api.core.metadata import Metadata

# PostgreSQL's text has none.
NO_NUL = r"^[^\x00]*$"
_LONGEST_ID = 64
# Of a parameter whose absence the endpoint itself answers: the OpenAPI document says that it is required.
REQUIRED = {"x-required": True}


class ResponseModel(BaseModel):
    """An object of a response: camelCase on the wire, read from a row or an object by the names of its attributes."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, from_attributes=True, serialize_by_alias=True
    )


def example(value: dict[str, Any]) -> dict[str, Any]:
    """The example of a model in the OpenAPI document: `class Order(ResponseModel, json_schema_extra=example({…}))`."""
    return {"examples": [value]}


def example_of(model: type[BaseModel]) -> Any:
    """The example that the model declares; None where it has none."""
    extra: Any = model.model_config.get("json_schema_extra") or {}
    return extra.get("examples", [None])[0]


def _rfc3339(value: Any) -> Any:
    return clock.rfc3339(value) if isinstance(value, int) else value


Timestamp = Annotated[
    str,
    BeforeValidator(_rfc3339),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-21T09:14:00Z"]),
]
"""A time: microseconds in the row, RFC 3339 in UTC on the wire."""


def attributes_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, for a model that has others besides; what they hold is not copied."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _from_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


V = TypeVar("V")
StoredJson = Annotated[V, BeforeValidator(_from_json)]
"""JSON text in the row, the value itself on the wire."""

StoredMetadata = Annotated[
    StoredJson[Metadata], Field(description="What you attached to the object: up to 50 keys with text.")
]
METADATA: Any = Field(
    None,
    description="Up to 50 keys (1 to 40 characters) with text (up to 500 characters); keys without text are left out.",
)
METADATA_CHANGES: Any = Field(
    None,
    description="Up to 50 keys (1 to 40 characters) with text (up to 500 characters). Keys that are left out stay, "
    'keys with "" or null are removed; null removes all.',
)

T = TypeVar("T", bound=ResponseModel)


class Page(ResponseModel, Generic[T]):
    """A page of a list. A list's model is a subclass with a name: `class OrderList(Page[Order])`."""

    data: list[T]
    next_cursor: str | None = Field(description="Send it as `after` to get the next page; null on the last page.")


P = TypeVar("P", bound=Page[Any])


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list a request asks for."""

    limit: int
    after: str | None

    @property
    def fetch(self) -> int:
        """How many rows to read: one more than the page has, which shows whether there is another."""
        return self.limit + 1

    def page(self, model: type[P], rows: Sequence[object]) -> P:
        """The page of what was read; its rows have an `id`."""
        return model.model_validate({"data": rows[: self.limit], "next_cursor": self._cursor(rows)})

    def _cursor(self, rows: Sequence[Any]) -> str | None:
        return rows[self.limit - 1].id if len(rows) > self.limit else None


def page_of(prefix: str, *, default: int = 20, most: int = 100) -> Any:
    """A dependency: the page that `limit` and `after` ask for; cursors are ids with the prefix."""

    async def find(
        limit: Annotated[int, Query(ge=1, le=most, description="How many to return.")] = default,
        after: Annotated[
            str | None, Query(max_length=_LONGEST_ID, description="The `nextCursor` of the previous page.")
        ] = None,
    ) -> PageRequest:
        if after is not None and not is_one(prefix, after):
            raise ValidationFailed(f"after: not a cursor of this list ({prefix}_…).", param="after")
        return PageRequest(limit, after)

    return Depends(find)


def path_id(prefix: str, sample: str = "01k9q3v8zd0g2m4n6p8r0t2v4w") -> Any:
    """The path parameter `{id}` of objects whose ids begin with the prefix."""
    return Path(
        alias="id",
        max_length=_LONGEST_ID,
        pattern=NO_NUL,
        description=f"`{prefix}_…`",
        examples=[f"{prefix}_{sample}"],
    )

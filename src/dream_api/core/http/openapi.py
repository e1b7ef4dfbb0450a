"""What the OpenAPI document says of bodies and refusals."""

from typing import Any, cast

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dream_api.core.errors import AppError, BodyTooDeep, MalformedJson, TooLarge, UnsupportedMedia
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch

# What a POST with a JSON body can be refused for before anybody looks at what it says.
JSON_BODY_ERRORS: tuple[type[AppError], ...] = (
    MalformedJson,
    BodyTooDeep,
    TooLarge,
    UnsupportedMedia,
    IdempotencyInProgress,
    IdempotencyMismatch,
)


class Error(BaseModel):
    """Every refusal has this shape."""

    model_config = ConfigDict(alias_generator=to_camel, serialize_by_alias=True)

    error: str = Field(description="What happened, in one sentence.")
    code: str = Field(description="The stable name of this refusal; `docs` explains it.")
    param: str | None = Field(description="The field or header at fault.")
    hint: str = Field(description="What to do next.")
    request_id: str = Field(description="Tell it to the operator; the log knows it.")
    docs: str = Field(description="The page that explains the code.")


# Pointed at: FastAPI would make a type of its own for each refusal of each operation.
_ERROR = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}


def add_error_schema(app: FastAPI) -> None:
    """Lets the application's OpenAPI document tell the shape of the refusals that `answers` points at."""
    written = app.openapi

    def openapi() -> dict[str, Any]:
        told = written()
        shape = Error.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
        told["components"]["schemas"].setdefault("Error", shape)
        return told

    app.openapi = openapi


def error_responses(*refusals: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of an operation, by their status."""
    by_status: dict[int | str, list[str]] = {}
    for refusal in refusals:
        by_status.setdefault(refusal.status, []).append(refusal.code)
    return {
        status: {**_ERROR, "description": " · ".join(f"`{code}`" for code in sorted(set(codes)))}
        for status, codes in sorted(by_status.items(), key=lambda item: int(item[0]))
    }


def example_response(status: int, example: Any) -> dict[int | str, dict[str, Any]]:
    """An operation's answer, as it looks."""
    return {status: {"content": {"application/json": {"example": example}}}}


def request_body(model: type[BaseModel], example: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """The body of an operation: read by hand after the caller's rights were checked, so told by hand as well."""
    schema = model.model_json_schema(by_alias=True, ref_template=_PLACE)
    schema = _whole(schema, schema.pop("$defs", {}))
    return {
        "requestBody": {
            "required": required,
            "content": {"application/json": {"schema": schema, "example": example}},
        }
    }


_PLACE = "{model}"


def _whole(schema: Any, parts: dict[str, Any]) -> Any:
    """The schema with its parts in their places."""
    if isinstance(schema, dict):
        known = cast(dict[str, Any], schema)
        if "$ref" in known:
            return _whole(parts[known["$ref"]], parts)
        return {name: _whole(each, parts) for name, each in known.items()}
    return [_whole(each, parts) for each in cast(list[Any], schema)] if isinstance(schema, list) else schema

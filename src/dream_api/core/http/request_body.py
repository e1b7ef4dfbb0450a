"""Request bodies: bounded, JSON only, strictly typed."""

from collections.abc import AsyncGenerator
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.types import Receive

from dream_api.core.errors import (
    AppError,
    BodyTooDeep,
    MalformedJson,
    MalformedRequest,
    TooLarge,
    UnsupportedMedia,
    ValidationFailed,
)
from dream_api.core.http.dependencies import settings_of


class RequestModel(BaseModel):
    """What a request may send: exact types, no unknown field, camelCase on the wire."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=False
    )


B = TypeVar("B", bound=RequestModel)


class ClientDisconnected(Exception):
    """The client closed the connection before its request was complete."""


async def read_json_body(request: Request, model: type[B]) -> tuple[B, bytes]:
    """The request's body as the model, and as it came."""
    body = await read_body(request.receive, request.headers.get("content-length"), settings_of(request).body_limit)
    return parse_json_body(model, body, request.headers.get("content-type")), body


async def read_body(receive: Receive, content_length: str | None, limit: int) -> bytes:
    """The whole body; raises TooLarge as soon as it is known to exceed the limit."""
    return b"".join([chunk async for chunk in read_chunks(receive, content_length, limit)])


async def read_chunks(receive: Receive, content_length: str | None, limit: int) -> AsyncGenerator[bytes, None]:
    """The body as it arrives; TooLarge as soon as it is known to have more bytes than the limit."""
    if content_length is not None and content_length.isdecimal() and int(content_length) > limit:
        raise TooLarge(f"The body has {int(content_length):,} bytes. The limit is {limit:,} bytes.")
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The body is too large. The limit is {limit:,} bytes.")
        yield chunk
        more = message.get("more_body", False)


def parse_json_body(model: type[B], body: bytes, content_type: str | None) -> B:
    """The model that the JSON describes; an empty body is an empty object."""
    if not body:
        body = b"{}"
    elif (content_type or "").split(";")[0].strip().lower() != "application/json":
        raise UnsupportedMedia("The body must be JSON, with Content-Type: application/json.")
    try:
        return model.model_validate_json(body)
    except ValidationError as problem:
        raise from_validation_errors(
            problem.errors(include_url=False, include_context=False, include_input=False)
        ) from None


def from_validation_errors(errors: list[Any]) -> AppError:
    """Pydantic's errors as one API error that names the first field."""
    first = errors[0]
    if first["type"] == "json_invalid":
        if "recursion" in first["msg"]:
            return BodyTooDeep("The JSON is nested too deeply.")
        return MalformedJson(f"The body is not valid JSON: {first['msg'].removeprefix('Invalid JSON: ')}.")
    where = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "header")]
    param = ".".join(where) or None
    if first["type"] == "extra_forbidden":
        return ValidationFailed(
            f"Unknown field: {param}.", param=param, hint="Remove the field. /docs lists the fields of each operation."
        )
    if first["type"] == "missing":
        return ValidationFailed(f"The field {param} is missing.", param=param)
    if param is None:
        return MalformedRequest("The body is not a JSON object.", hint='Send a JSON object, such as {"quantity": 1}.')
    return ValidationFailed(f"{param}: {first['msg'][0].lower()}{first['msg'][1:]}.", param=param)

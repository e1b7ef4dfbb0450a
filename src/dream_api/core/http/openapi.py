"""OpenAPI: request bodies, examples, and the errors of an operation."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dream_api.core.errors import AppError, BodyTooDeep, MalformedJson, TooLarge, UnsupportedMedia
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch

IDEMPOTENCY_ERRORS: tuple[type[AppError], ...] = (IdempotencyInProgress, IdempotencyMismatch)
# Errors of any JSON body, before its content is looked at.
BODY_ERRORS: tuple[type[AppError], ...] = (MalformedJson, BodyTooDeep, TooLarge, UnsupportedMedia)


class Error(BaseModel):
    """The shape of every error."""

    model_config = ConfigDict(alias_generator=to_camel, serialize_by_alias=True)

    error: str = Field(description="What happened, in one sentence.")
    code: str = Field(description="The stable name of this error; `docs` explains it.")
    param: str | None = Field(description="The field or header that caused the error.")
    hint: str = Field(description="What to do next.")
    request_id: str = Field(description="The id of the request, which is also in the server's log.")
    docs: str = Field(description="The page that explains the code.")


# A reference: FastAPI would make a type of its own for each error of each operation.
_ERROR = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}


def error_responses(*errors: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI `responses` of these errors, by status."""
    by_status: dict[int | str, list[str]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error.code)
    return {
        status: {**_ERROR, "description": " · ".join(f"`{code}`" for code in sorted(set(codes)))}
        for status, codes in sorted(by_status.items(), key=lambda item: int(item[0]))
    }

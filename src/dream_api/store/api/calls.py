"""What the store's endpoints share."""

from typing import Annotated, Any

from fastapi import Path, Request
from sqlalchemy import Row
from starlette.responses import Response

from dream_api.billing import Billing, GatewayRefused, GatewayUnavailable
from dream_api.core import errors
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch

JSON_BODY = (
    errors.MalformedJson,
    errors.BodyTooDeep,
    errors.TooLarge,
    errors.UnsupportedMedia,
    IdempotencyInProgress,
    IdempotencyMismatch,
)
GATEWAY_REFUSALS = (GatewayUnavailable, GatewayRefused)
NO_NUL = r"^[^\x00]*$"

Id = Annotated[str, Path(alias="id", max_length=64, pattern=NO_NUL, examples=["ord_01k9q3v8zd0g2m4n6p8r0t2v4w"])]


def desk_of(request: Request) -> Billing:
    return request.app.state.billing


def shown(status: int, example: Any) -> dict[int | str, dict[str, Any]]:
    return {status: {"content": {"application/json": {"example": example}}}}


def replayed(answer: Response, before: Row[Any] | None) -> Response:
    """Tells that the request was answered before."""
    if before is not None:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer

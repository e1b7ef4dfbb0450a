"""What billing's endpoints share."""

from typing import Any

from fastapi import Request
from sqlalchemy import Row
from starlette.responses import Response

from dream_api.billing import Billing
from dream_api.billing.contract import GatewayRefused, GatewayUnavailable
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


def billing_of(request: Request) -> Billing:
    return request.app.state.billing


def shown(status: int, example: Any) -> dict[int | str, dict[str, Any]]:
    return {status: {"content": {"application/json": {"example": example}}}}


def replayed(answer: Response, before: Row[Any] | None) -> Response:
    """Tells that the request was answered before."""
    if before is not None:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer

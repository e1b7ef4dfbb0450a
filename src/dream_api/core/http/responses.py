"""JSON responses, and their replay for repeated idempotency keys."""

import json
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Generic, TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from dream_api.core.db import Tx
from dream_api.core.http.dependencies import database_of
from dream_api.core.idempotency import IdempotentRequest, run_once, run_once_external, validate_key

M = TypeVar("M", bound=BaseModel)


class ModelResponse(Response, Generic[M]):
    """A JSON response with an object of this model."""

    media_type = "application/json"


def json_response(model: M, status: int = 200) -> ModelResponse[M]:
    return ModelResponse(model.model_dump_json(by_alias=True), status)


def idempotency_key_of(request: Request, *, platform_no: int, caller: str, body: bytes) -> IdempotentRequest | None:
    """The request with its `Idempotency-Key`; None where it has none."""
    key = validate_key(request.headers.get("idempotency-key"))
    scope = f"{caller} {request.method} {request.url.path}"
    return None if key is None else IdempotentRequest(platform_no, scope, key, body)


async def idempotent_response(
    request: Request,
    *,
    platform_no: int,
    caller: str,
    status: int,
    body: bytes,
    effect: Callable[[Tx], Awaitable[M | str]],
    secrets: Collection[str] = (),
) -> ModelResponse[M]:
    """Commit the effect, then respond with what it returned (a string is JSON already).

    With an `Idempotency-Key`, once for all retries; the fields in `secrets` are not stored, and null in a replay.
    """
    once = idempotency_key_of(request, platform_no=platform_no, caller=caller, body=body)
    database = database_of(request)

    async def as_text(tx: Tx) -> str:
        answer = await effect(tx)
        return answer if isinstance(answer, str) else answer.model_dump_json(by_alias=True)

    done = await run_once(database, once, status, as_text, partial(_without, secrets))
    headers = {"Idempotent-Replayed": "true"} if done.is_replay else None
    return ModelResponse(done.text, done.status, headers)


async def idempotent_external_call(
    request: Request,
    *,
    platform_no: int,
    caller: str,
    body: bytes,
    effect: Callable[[str | None], Awaitable[M]],
    status: int = 200,
) -> ModelResponse[M]:
    """As `idempotent_response`, for an effect that calls another service: it gets the idempotency key to send there."""
    once = idempotency_key_of(request, platform_no=platform_no, caller=caller, body=body)
    outgoing = None if once is None else once.digest.hex()

    async def as_text() -> str:
        return (await effect(outgoing)).model_dump_json(by_alias=True)

    done = await run_once_external(database_of(request), once, status, as_text)
    headers = {"Idempotent-Replayed": "true"} if done.is_replay else None
    return ModelResponse(done.text, done.status, headers)


def _without(secrets: Collection[str], text: str) -> str:
    """The JSON with these fields set to null."""
    return json.dumps(json.loads(text) | dict.fromkeys(secrets)) if secrets else text


def add_header(request: Request, name: str, value: str) -> None:
    """Add a header to the response, also to an error response."""
    more: list[tuple[bytes, bytes]] = request.scope["state"].setdefault("more_headers", [])
    more.append((name.lower().encode(), value.encode("latin-1")))

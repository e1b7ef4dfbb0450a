"""Answers of the JSON endpoints."""

import json
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from dream_api.core.db import Tx
from dream_api.core.http.dependencies import database_of
from dream_api.core.idempotency import IdempotentRequest, run_once, run_once_external, validate_key


def json_response(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(by_alias=True), status, media_type="application/json")


def idempotency_key_of(request: Request, *, platform_id: str, caller: str, body: bytes) -> IdempotentRequest | None:
    """The request as its `Idempotency-Key` knows it; None where it came without one."""
    key = validate_key(request.headers.get("idempotency-key"))
    scope = f"{caller} {request.method} {request.url.path}"
    return None if key is None else IdempotentRequest(platform_id, scope, key, body)


async def idempotent_response(
    request: Request,
    *,
    platform_id: str,
    caller: str,
    status: int,
    body: bytes,
    effect: Callable[[Tx], Awaitable[BaseModel | str]],
    secrets: Collection[str] = (),
) -> Response:
    """Commit the effect, then answer what it told (a string is JSON already).

    With an `Idempotency-Key`, once for all retries; the fields that are `secrets` are not stored, and null in a replay.
    """
    once = idempotency_key_of(request, platform_id=platform_id, caller=caller, body=body)
    database = database_of(request)

    async def as_text(tx: Tx) -> str:
        answer = await effect(tx)
        return answer if isinstance(answer, str) else answer.model_dump_json(by_alias=True)

    done = await run_once(database, once, status, as_text, partial(_without, secrets))
    headers = {"Idempotent-Replayed": "true"} if done.is_replay else None
    return Response(done.text, done.status, headers, media_type="application/json")


async def idempotent_external_call(
    request: Request,
    *,
    platform_id: str,
    caller: str,
    body: bytes,
    effect: Callable[[str | None], Awaitable[BaseModel]],
    status: int = 200,
) -> Response:
    """As `answer_once`, for an effect that asks somebody else: it is handed the key by which they know the request."""
    once = idempotency_key_of(request, platform_id=platform_id, caller=caller, body=body)
    outgoing = None if once is None else once.digest.hex()

    async def as_text() -> str:
        return (await effect(outgoing)).model_dump_json(by_alias=True)

    done = await run_once_external(database_of(request), once, status, as_text)
    headers = {"Idempotent-Replayed": "true"} if done.is_replay else None
    return Response(done.text, done.status, headers, media_type="application/json")


def _without(secrets: Collection[str], text: str) -> str:
    """The answer, but for these of its fields."""
    return json.dumps(json.loads(text) | dict.fromkeys(secrets)) if secrets else text


def add_header(request: Request, name: str, value: str) -> None:
    """The answer will carry the header, whether it is a refusal or not."""
    more: list[tuple[bytes, bytes]] = request.scope["state"].setdefault("more_headers", [])
    more.append((name.lower().encode(), value.encode("latin-1")))


def mark_replayed(answer: Response, before: object | None) -> Response:
    """The answer, which says where there was one before that it is told again."""
    if before is not None:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer

"""`POST /api/data` counts, `GET /api/usage` reads.

Counting goes past the web framework, which costs more than the database: plain calls come to `Metering.handle` straight
from the socket (`core.http.lane`), all others to it as an ASGI endpoint. The framework's route below documents both.
"""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dream_api import customers, usage
from dream_api.catalog import Plans
from dream_api.core import clock, errors, ids, metrics
from dream_api.core.errors import Refusal, ValidationFailed
from dream_api.core.http import (
    Body,
    ClientGone,
    Proxies,
    Reply,
    answers,
    as_refusal,
    parse,
    read,
    refusal_answer,
    takes,
)
from dream_api.core.idempotency import IdempotencyMismatch, proper_key
from dream_api.gate import (
    NO_SECRET_KEY,
    REFUSALS,
    Gate,
    Metered,
    Outcome,
    Turnstile,
    body_of,
    client_of,
    metered,
    peeked_body,
    rate_headers,
    refusal_of,
)
from dream_api.gate.faces import SERVER_SECURITY, Server, gate_of
from dream_api.keys import Key

router = APIRouter(tags=["Usage"])


class NewCount(Body):
    """What is counted; an empty body counts one request."""

    meter: str = Field(usage.REQUESTS, min_length=1, max_length=120, description="What is counted.")
    quantity: int = Field(1, description="How much, from 1 to 1,000,000,000.")
    idempotency_key: str | None = Field(
        None, description="The event's own key, remembered for ever; the header Idempotency-Key is the same."
    )


class Standing(BaseModel):
    """A limit in the window that is open now."""

    model_config = ConfigDict(alias_generator=to_camel)

    count: int = Field(description="What was counted in the window.")
    limit: int | None = Field(description="How much fits into the window; null is unlimited.")
    remaining: int | None = Field(description="How much is left; null is unlimited.")
    meter: str
    window: Literal["lifetime", "hour", "day", "month", "period"]
    kind: Literal["hard", "soft"]
    period_start: str = Field(description="When the window began (RFC 3339).")
    period_end: str | None = Field(description="When the window ends (RFC 3339); null for lifetime.")


class ShownStanding(Standing):
    """The limit that refused, else the hard one with the least remaining."""

    plan: str


class Usage(BaseModel):
    """How a customer's limits stand."""

    usage: ShownStanding
    limits: list[Standing]


class Counted(Usage):
    """An admitted call."""

    allowed: Literal[True]


_STANDING = {
    "count": 1,
    "limit": 1000,
    "remaining": 999,
    "meter": "requests",
    "window": "period",
    "kind": "hard",
    "periodStart": "2026-11-01T00:00:00Z",
    "periodEnd": "2026-12-01T00:00:00Z",
}
_USAGE_EXAMPLE = {"usage": {"plan": "free", **_STANDING}, "limits": [_STANDING]}

UserId = Annotated[
    str | None, Header(alias="X-User-Id", description="Your own id of the customer.", examples=["user_123"])
]
UserPlan = Annotated[
    str | None,
    Header(alias="X-User-Plan", description="The tier to use for this call, before the customer's own plan."),
]
EventKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Counts once, however often it is sent. Remembered for ever."),
]


class Metering:
    """The endpoint of `POST /api/data`: at the end of the fast lane, and as an ASGI endpoint behind uvicorn."""

    method = "POST"
    path = "/api/data"

    def __init__(self, gate: Gate, turnstile: Turnstile, *, proxies: Proxies, body_limit: int, link_base: str) -> None:
        self._gate = gate
        self._turnstile = turnstile
        self._proxies = proxies
        self._body_limit = body_limit
        self._link_base = link_base
        self._asking: set[asyncio.Task[None]] = set()

    def handle(self, headers: dict[bytes, bytes], body: bytes, reply: Reply, peer: str | None) -> None:
        """Answer a call that was read whole; at once where its key is remembered, works and is not limited."""
        request_id = ids.new_request()
        try:
            key = self._gate.known_server(_authorization(headers))
            if key is not None and key.rate_limit is None:
                plans = self._gate.known_plans(key, _text(headers, b"x-user-plan"))
                if plans is not None:
                    self._submit(key, plans, headers, body, request_id, reply)
                    return
        except NO_SECRET_KEY:
            pass  # its address is to be counted first
        except Exception as problem:
            self._refuse(problem, request_id, reply)
            return
        asking = asyncio.create_task(self._ask_first(headers, body, request_id, reply, peer))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    async def _ask_first(
        self, headers: dict[bytes, bytes], body: bytes, request_id: str, reply: Reply, peer: str | None
    ) -> None:
        try:
            client = self._proxies.client_of(peer, headers.get(b"x-forwarded-for"))
            key = await self._turnstile.server(_authorization(headers), client)
            plans = await self._gate.plans_of(key, _text(headers, b"x-user-plan"))
            self._submit(key, plans, headers, body, request_id, reply)
        except Exception as problem:
            self._refuse(problem, request_id, reply)

    def _submit(
        self, key: Key, plans: Plans, headers: dict[bytes, bytes], body: bytes, request_id: str, reply: Reply
    ) -> None:
        call = _call(key, plans, headers, body)

        def tell(result: Outcome | Refusal) -> None:
            if isinstance(result, Outcome) and result.is_allowed:
                _allowed.inc()
                reply(200, _headers_of(result, request_id), body_of(result).encode())
            else:
                self._refuse(_as_problem(result), request_id, reply)

        self._gate.submit(call, tell)

    def refuse(self, problem: Exception, reply: Reply) -> None:
        self._refuse(problem, ids.new_request(), reply)

    def _refuse(self, problem: Exception, request_id: str, reply: Reply) -> None:
        answer = self._refusal(problem, request_id)
        headers = [pair for pair in answer.raw_headers if pair[0] != b"content-length"]
        reply(answer.status_code, headers, bytes(answer.body))

    def _refusal(self, problem: Exception, request_id: str) -> Response:
        refusal = as_refusal(problem, request_id)
        metrics.calls.labels(refusal.code).inc()
        return refusal_answer(refusal, request_id, self._link_base)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = ids.new_request()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            key = await self._turnstile.server(_authorization(headers), client_of(scope))
            body = await read(receive, _text(headers, b"content-length"), self._body_limit)
            plans = await self._gate.plans_of(key, _text(headers, b"x-user-plan"))
            outcome = await self._gate.count(_call(key, plans, headers, body))
            if not outcome.is_allowed:
                raise refusal_of(outcome, clock.now())
        except ClientGone:
            return
        except Exception as problem:
            await self._refusal(problem, request_id)(scope, receive, send)
            return
        _allowed.inc()
        answer = Response(body_of(outcome))
        answer.raw_headers += _headers_of(outcome, request_id)
        await answer(scope, receive, send)


_allowed = metrics.calls.labels("allowed")
_JSON = (b"content-type", b"application/json")


def _headers_of(outcome: Outcome, request_id: str) -> list[tuple[bytes, bytes]]:
    return [_JSON, (b"x-request-id", request_id.encode()), *rate_headers(outcome, clock.now())]


def _as_problem(result: Outcome | Refusal) -> Refusal:
    return refusal_of(result, clock.now()) if isinstance(result, Outcome) else result


def _call(key: Key, plans: Plans, headers: dict[bytes, bytes], body: bytes) -> Metered:
    """What is to be counted, from a request whose key was found good."""
    user_id = _user_id(_text(headers, b"x-user-id"))
    wanted = parse(NewCount, body, _text(headers, b"content-type")) if body else _ONE
    if not 1 <= wanted.quantity <= usage.LARGEST_QUANTITY:
        raise usage.QuantityOutOfRange("The quantity is not in range.", param="quantity")
    return metered(
        key,
        plans,
        user_id=user_id,
        plan=_text(headers, b"x-user-plan"),
        meter=wanted.meter,
        quantity=wanted.quantity,
        idempotency_key=_event_key(_text(headers, b"idempotency-key"), wanted.idempotency_key),
    )


_ONE = NewCount.model_validate({})


def _text(sent: dict[bytes, bytes], name: bytes) -> str | None:
    value = sent.get(name)
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ValidationFailed("The header is not UTF-8.", param=name.decode().title()) from None


def _authorization(headers: dict[bytes, bytes]) -> str | None:
    """As the framework reads it: whatever is sent is no key, or one."""
    value = headers.get(b"authorization")
    return None if value is None else value.decode("latin-1")


def _user_id(text: str | None) -> str:
    if text is None:
        raise ValidationFailed(
            "The header X-User-Id is missing.", param="X-User-Id", hint="Send your own id of the customer."
        )
    return customers.proper_user_id(text, "X-User-Id")


def _event_key(header: str | None, body: str | None) -> str | None:
    if header is not None and body is not None and header != body:
        raise ValidationFailed(
            "The header Idempotency-Key and the field idempotencyKey differ.",
            param="idempotencyKey",
            hint="Send one of them; they mean the same.",
        )
    return proper_key(header if header is not None else body)


class _Passing(Response):
    """Lets the metered call's own endpoint answer."""

    def __init__(self, endpoint: Metering) -> None:
        super().__init__()
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint(scope, receive, send)


@router.post(
    "/api/data",
    summary="Count a call",
    response_model=Counted,
    responses={
        200: {"content": {"application/json": {"example": {"allowed": True, **_USAGE_EXAMPLE}}}},
        **answers(
            *REFUSALS,
            errors.MalformedJson,
            errors.BodyTooDeep,
            errors.TooLarge,
            errors.UnsupportedMedia,
            usage.QuantityOutOfRange,
            usage.CountTooLarge,
            usage.UnknownMeter,
            IdempotencyMismatch,
        ),
    },
    openapi_extra=takes(NewCount, {"meter": "requests", "quantity": 1}, required=False) | SERVER_SECURITY,
)
async def count(
    request: Request, user_id: UserId = None, user_plan: UserPlan = None, event_key: EventKey = None
) -> Response:
    """Verifies the key, finds the customer's plan, and counts the call if and only if every hard limit keeps room
    for it; all in one transaction, committed before the answer. The first admitted call makes the customer."""
    return _Passing(request.app.state.metering)


@router.get(
    "/api/usage",
    summary="Read usage",
    response_model=Usage,
    responses={
        200: {"content": {"application/json": {"example": _USAGE_EXAMPLE}}},
        **answers(*REFUSALS, usage.UnknownMeter),
    },
)
async def read_usage(
    request: Request,
    key: Server,
    user_id: UserId = None,
    user_plan: UserPlan = None,
    meter: Annotated[str, Query(description="Which meter to read.", max_length=120)] = usage.REQUESTS,
) -> Response:
    """How a customer's limits stand. Never counts."""
    gate = gate_of(request)
    plans = await gate.plans_of(key, user_plan)
    outcome = await gate.peek(metered(key, plans, user_id=_user_id(user_id), plan=user_plan, meter=meter))
    answer = Response(peeked_body(outcome), media_type="application/json")
    answer.raw_headers += rate_headers(outcome, clock.now())
    return answer

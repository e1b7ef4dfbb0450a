"""`POST /api/data` counts.

Counting goes past the web framework, which costs more than the database: plain calls come to `Metering.handle` straight
from the socket (`core.http.fast_path`), all others to it as an ASGI endpoint. The route below documents both.
"""

import asyncio
from typing import Annotated

from fastapi import Depends
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dream_api import usage
from dream_api.api.endpoint import Endpoints, reject_unknown_parameters
from dream_api.api.usage.models import (
    EventKey,
    UsageEventCreate,
    UsageTracked,
    UserId,
    UserPlan,
    event_key_of,
    moment_of,
    quantity_of,
    user_id_of,
)
from dream_api.auth.authenticator import SECRET_KEY_ERRORS, Authenticator
from dream_api.auth.dependencies import SERVER_SECURITY
from dream_api.auth.rate_limit import UNAUTHENTICATED_ERRORS, CallerRateLimiter, client_address
from dream_api.core import ids, metrics
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http import (
    BODY_ERRORS,
    ClientDisconnected,
    ModelResponse,
    Reply,
    TrustedProxies,
    error_response,
    parse_json_body,
    read_body,
    to_app_error,
)
from dream_api.core.http.dependencies import from_state
from dream_api.core.idempotency import IdempotencyMismatch
from dream_api.keys import Key
from dream_api.metering import (
    METERING_ERRORS,
    CallResult,
    CallTerms,
    MeteringEngine,
    UsageCall,
    build_call,
    limit_error,
    rate_headers,
    response_body,
)

endpoints = Endpoints("Usage", "/api/data")


class MeteredCallEndpoint:
    """The endpoint of `POST /api/data`: called by the HTTP fast path, and as an ASGI endpoint behind uvicorn."""

    method = "POST"
    path = "/api/data"

    def __init__(
        self,
        authenticator: Authenticator,
        engine: MeteringEngine,
        rate_limiter: CallerRateLimiter,
        *,
        proxies: TrustedProxies,
        body_limit: int,
        link_base: str,
    ) -> None:
        self._authenticator = authenticator
        self._engine = engine
        self._rate_limiter = rate_limiter
        self._proxies = proxies
        self._body_limit = body_limit
        self._link_base = link_base
        self._asking: set[asyncio.Task[None]] = set()

    def handle(self, headers: dict[bytes, bytes], body: bytes, reply: Reply, peer: str | None) -> None:
        """Answer a call that was read whole; at once where its key is remembered, works and is not limited."""
        request_id = ids.new_request()
        try:
            key = self._authenticator.cached_secret_key(_authorization(headers))
            if key is not None and key.rate_limit is None:
                terms = self._engine.cached_terms(key, _text(headers, b"x-user-plan"))
                if terms is not None:
                    self._submit(key, terms, headers, body, request_id, reply)
                    return
        except UNAUTHENTICATED_ERRORS:
            pass  # its address is to be counted first
        except Exception as problem:
            self._reply_error(problem, request_id, reply)
            return
        asking = asyncio.create_task(self._authenticate_then_submit(headers, body, request_id, reply, peer))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    async def _authenticate_then_submit(
        self, headers: dict[bytes, bytes], body: bytes, request_id: str, reply: Reply, peer: str | None
    ) -> None:
        try:
            client = self._proxies.client_of(peer, headers.get(b"x-forwarded-for"))
            key = await self._rate_limiter.check_secret_key(_authorization(headers), client)
            terms = await self._engine.get_terms(key, _text(headers, b"x-user-plan"))
            self._submit(key, terms, headers, body, request_id, reply)
        except Exception as problem:
            self._reply_error(problem, request_id, reply)

    def _submit(
        self, key: Key, terms: CallTerms, headers: dict[bytes, bytes], body: bytes, request_id: str, reply: Reply
    ) -> None:
        call = _call(key, terms, headers, body)

        def respond(result: CallResult | AppError) -> None:
            if isinstance(result, CallResult) and result.is_allowed:
                _allowed.inc()
                reply(200, headers_of(result, request_id), response_body(result).encode())
            else:
                self._reply_error(_error_of(result), request_id, reply)

        self._engine.submit(call, respond)

    def _reply_error(self, problem: Exception, request_id: str, reply: Reply) -> None:
        answer = self._error_response(problem, request_id)
        headers = [pair for pair in answer.raw_headers if pair[0] != b"content-length"]
        reply(answer.status_code, headers, bytes(answer.body))

    def _error_response(self, problem: Exception, request_id: str) -> Response:
        error = to_app_error(problem, request_id)
        metrics.calls.labels(error.code).inc()
        return error_response(error, request_id, self._link_base)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = ids.new_request()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            key = await self._rate_limiter.check_secret_key(_authorization(headers), client_address(scope))
            body = await read_body(receive, _text(headers, b"content-length"), self._body_limit)
            reject_unknown_parameters(QueryParams(scope["query_string"]))
            terms = await self._engine.get_terms(key, _text(headers, b"x-user-plan"))
            outcome = await self._engine.count(_call(key, terms, headers, body))
            if not outcome.is_allowed:
                raise limit_error(outcome)
        except ClientDisconnected:
            return
        except Exception as problem:
            await self._error_response(problem, request_id)(scope, receive, send)
            return
        _allowed.inc()
        answer = Response(response_body(outcome))
        answer.raw_headers += headers_of(outcome, request_id)
        await answer(scope, receive, send)


# What a call is refused for because of what it wants counted.
COUNT_ERRORS: tuple[type[AppError], ...] = (
    usage.QuantityOutOfRange,
    usage.CorrectionBelowZero,
    usage.TimestampOutOfRange,
    usage.CountTooLarge,
    usage.UnknownMeter,
    IdempotencyMismatch,
)
_allowed = metrics.calls.labels("allowed")
_JSON = (b"content-type", b"application/json")


def headers_of(outcome: CallResult, request_id: str) -> list[tuple[bytes, bytes]]:
    return [_JSON, (b"x-request-id", request_id.encode()), *rate_headers(outcome)]


def _error_of(result: CallResult | AppError) -> AppError:
    return limit_error(result) if isinstance(result, CallResult) else result


def _call(key: Key, terms: CallTerms, headers: dict[bytes, bytes], body: bytes) -> UsageCall:
    """What is to be counted, from a request whose key was found good."""
    user_id = user_id_of(_text(headers, b"x-user-id"))
    wanted = parse_json_body(UsageEventCreate, body, _text(headers, b"content-type")) if body else _ONE
    return build_call(
        key,
        terms,
        user_id=user_id,
        plan=_text(headers, b"x-user-plan"),
        meter=wanted.meter,
        quantity=quantity_of(wanted),
        subject=wanted.subject,
        timestamp=moment_of(wanted),
        idempotency_key=event_key_of(_text(headers, b"idempotency-key"), wanted),
    )


_ONE = UsageEventCreate.model_validate({})


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


class _EndpointResponse(ModelResponse[UsageTracked]):
    """Lets the metered call's own endpoint answer."""

    def __init__(self, endpoint: MeteredCallEndpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint(scope, receive, send)


@endpoints.post(
    "",
    "usage.track",
    "Track usage",
    errors=(*SECRET_KEY_ERRORS, *METERING_ERRORS, *BODY_ERRORS, *COUNT_ERRORS),
    extra=SERVER_SECURITY,
    documents=UsageEventCreate,
)
async def track_usage(
    endpoint: Annotated[MeteredCallEndpoint, Depends(from_state("metered_call"))],
    user_id: UserId = None,
    user_plan: UserPlan = None,
    event_key: EventKey = None,
) -> ModelResponse[UsageTracked]:
    """Verifies the key, finds the customer's plan, and counts the event if and only if every hard limit admits
    it; all in one transaction, committed before the response. The first admitted event creates the customer."""
    return _EndpointResponse(endpoint)

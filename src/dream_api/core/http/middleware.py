"""Middleware of every request: request ids, error responses, metrics and log lines."""

import time
from typing import Any, Protocol

import structlog
from fastapi import FastAPI
from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dream_api.core import ids, metrics
from dream_api.core.db import error_for
from dream_api.core.errors import AppError, InternalError
from dream_api.core.http.cookies import drop_escaped_cookies
from dream_api.core.http.error_responses import error_response
from dream_api.core.http.fast_path import Handler
from dream_api.core.http.protocol import Reply
from dream_api.core.http.request_body import ClientDisconnected

log = structlog.get_logger()
_LONGEST_PART = 36
_SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]


class FastPathEndpoint(Handler, Protocol):
    """An endpoint that bypasses the framework: called by the fast path, and as a plain ASGI application."""

    method: str
    path: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class RootApp:
    """The outermost layer: sends the hot route straight to its endpoint, everything else to the framework."""

    def __init__(self, app: FastAPI, hot: FastPathEndpoint, link_base: str) -> None:
        self._app = app
        self._link_base = link_base
        self.hot = hot

    @property
    def state(self) -> State:
        """What the framework's endpoints reach by `app.state`."""
        return self._app.state

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document as it is served."""
        return self._app.openapi()

    def answer_error(self, problem: AppError, reply: Reply) -> None:
        """Answer a request that was rejected before the application saw it."""
        answer = error_response(problem, ids.new_request(), self._link_base)
        reply(
            answer.status_code,
            (pair for pair in answer.raw_headers if pair[0] != b"content-length"),
            bytes(answer.body),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == self.hot.path and scope["method"] == self.hot.method:
            await self.hot(scope, receive, send)
            return
        if scope["type"] == "http":
            drop_escaped_cookies(scope)
        await self._app(scope, receive, send)


class RequestContextMiddleware:
    """The framework's outermost middleware: gives each request an id, renders errors, counts and logs."""

    def __init__(self, app: ASGIApp, link_base: str) -> None:
        self._app = app
        self._link_base = link_base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        request_id = ids.new_request()
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                names = {name for name, _ in message["headers"]}
                more = [(b"x-request-id", request_id.encode()), *_SECURITY_HEADERS, *state.get("more_headers", ())]
                message["headers"] = [*message["headers"], *(pair for pair in more if pair[0] not in names)]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnected:
            return
        except Exception as problem:
            if status:
                raise  # the response has begun: no error can be sent any more
            error = to_app_error(problem, request_id)
            answer = error_response(error, request_id, self._link_base, _accept(scope))
            await answer(scope, receive, send_with_headers)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            metrics.record_request(scope["method"], route, status, time.perf_counter() - began)
            log.info(
                "answered",
                method=scope["method"],
                path=_redacted(scope["path"]),
                status=status,
                ms=round((time.perf_counter() - began) * 1000, 1),
                request_id=request_id,
            )


def _redacted(path: str) -> str:
    """The path with long parts cut: links with tokens and ids of pages are secrets, and no id of a row is that long."""
    return "/".join(part if len(part) <= _LONGEST_PART else f"{part[:12]}…" for part in path.split("/"))


def to_app_error(problem: Exception, request_id: str) -> AppError:
    """The error that the caller receives for any exception; an unexpected one is logged as a bug."""
    if isinstance(problem, AppError):
        if isinstance(problem, InternalError):
            log.error("bug", request_id=request_id, sentence=problem.sentence)
        return problem
    designed = error_for(problem)
    if designed is not None:
        return designed
    log.error("bug", request_id=request_id, exc_info=problem)
    return InternalError("An unexpected error occurred.")


def _accept(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"), "")

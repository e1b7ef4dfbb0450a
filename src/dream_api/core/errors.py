"""The errors that callers can receive, by HTTP status.

    AppError                      a status, a stable code, a sentence, and what to do next
    ├── BadRequest           400  malformed_json · body_too_deep · choose_project …
    ├── Unauthorized         401  key_missing · key_unknown · key_revoked · token_unknown …
    ├── PaymentRequired      402  card_declined · insufficient_funds · authentication_required
    ├── Forbidden            403  no_plan · customer_blocked · secret_key_required · permission_denied …
    ├── NotFound             404  not_found
    ├── NotAllowed           405  method_not_allowed
    ├── Conflict             409  idempotency_in_progress …
    ├── TooLarge             413  body_too_large · asset_too_large
    ├── UnsupportedMedia     415  unsupported_media_type
    ├── (assets)             416  range_not_satisfiable
    ├── Invalid              422  validation_failed · unknown_plan · unknown_meter · idempotency_mismatch …
    ├── TooMany              429  tier_limit_reached · rate_limited …
    ├── (core.http)          408  request_timeout · 414 url_too_long · 431 head_too_large
    ├── (billing)            502  gateway_error
    └── Unavailable          503  overloaded · storage_unavailable · outcome_unknown

Each package defines its own errors as subclasses with a code; `docs/errors/<code>.md` explains every code, and a test
fails where one has no page. Any 5xx other than these is a bug and is answered as `internal_error`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeVar


class AppError(Exception):
    """An error that is shown to the caller, always in the same shape."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = ""
    hint: str = ""

    def __init__(
        self,
        sentence: str,
        *,
        param: str | None = None,
        hint: str | None = None,
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.param = param
        self.hint = hint if hint is not None else type(self).hint
        self.headers = headers or {}
        self.extra = extra or {}


class BadRequest(AppError):
    status = 400


class Unauthorized(AppError):
    """With the challenge that HTTP asks for."""

    status = 401

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, headers={"WWW-Authenticate": 'Bearer realm="dream-api"'})


class PaymentRequired(AppError):
    status = 402


class Forbidden(AppError):
    status = 403


class NotFound(AppError):
    """What does not exist, or belongs to somebody else: callers cannot distinguish the two."""

    status = 404
    code = "not_found"
    hint = "Check the id, and that the key belongs to the same project and mode."


class NotAllowed(AppError):
    status = 405
    code = "method_not_allowed"
    hint = "/docs lists the methods of each path."


class Conflict(AppError):
    status = 409


class TooLarge(AppError):
    status = 413
    code = "body_too_large"
    hint = "Send less data in one request. The operator sets the limit with DREAM_BODY_LIMIT."


class UnsupportedMedia(AppError):
    status = 415
    code = "unsupported_media_type"
    hint = "Send the body as JSON with the header Content-Type: application/json."


class Invalid(AppError):
    status = 422


class ValidationFailed(Invalid):
    code = "validation_failed"
    hint = "Correct the field named in param. /docs shows its type and an example."


class MalformedJson(BadRequest):
    code = "malformed_json"
    hint = "Send one JSON object in UTF-8."


class MalformedRequest(BadRequest):
    code = "malformed_request"
    hint = "Send a well-formed HTTP/1.1 request."


class BodyTooDeep(BadRequest):
    code = "body_too_deep"
    hint = "Use fewer levels of nesting: at most 200 are allowed."


class TooMany(AppError):
    status = 429


class Unavailable(AppError):
    status = 503

    def __init__(self, sentence: str, *, retry_after: int = 1, **more: Any) -> None:
        super().__init__(sentence, headers={"Retry-After": str(retry_after)}, **more)


class Overloaded(Unavailable):
    code = "overloaded"
    hint = "Wait for the number of seconds in Retry-After, then send the request again with the same Idempotency-Key."


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    hint = "Nothing was changed. Wait for the number of seconds in Retry-After, then send the request again."


class OutcomeUnknown(Unavailable):
    code = "outcome_unknown"
    hint = (
        "The change may or may not have been stored. Send it again with the same Idempotency-Key: it takes effect once."
    )


class InternalError(AppError):
    """A bug; the log line with the same request id says what happened."""

    status = 500
    code = "internal_error"
    hint = "This is a bug in dream-api. Try again. If it fails again, send the requestId to the operator."


def all_error_types(kind: type[AppError] = AppError) -> Iterator[type[AppError]]:
    """All errors that have a code, of every package that was imported."""
    for child in kind.__subclasses__():
        if child.code:
            yield child
        yield from all_error_types(child)


F = TypeVar("F", bound=Callable[..., Any])


def raises(*errors: type[AppError]) -> Callable[[F], F]:
    """Declare on a FastAPI dependency what it raises: the OpenAPI document lists it for each endpoint that uses it."""

    def declare(function: F) -> F:
        function.errors = errors  # pyright: ignore[reportFunctionMemberAccess]
        return function

    return declare

"""Endpoints: an operation of the API is declared once, and its types document it.

    endpoints = Endpoints("Catalog", "/coupons")

    @endpoints.post("", "coupons.create", "Create a coupon", status=201, errors=(CouponExists,))
    async def create_coupon(acting: CanSell, post: Post[CouponCreate]) -> ModelResponse[Coupon]:

The response's schema is that of the return type, the request body's that of `Post` or `JsonBody`; the errors of the
dependencies are added to those declared. Dependencies run in the order of the parameters: the caller's permission is
checked before the body is read, and unknown query parameters are rejected last.
"""

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Generic, Protocol, TypeVar, get_args, get_origin

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from dream_api.api.models import example_of
from dream_api.auth.dependencies import IdempotencyKey
from dream_api.core.db import Tx
from dream_api.core.errors import AppError, ValidationFailed, raises
from dream_api.core.http import (
    BODY_ERRORS,
    IDEMPOTENCY_ERRORS,
    ModelResponse,
    RequestModel,
    error_responses,
    idempotency_key_of,
    idempotent_external_call,
    idempotent_response,
    json_response,
    read_json_body,
)
from dream_api.core.idempotency import IdempotentRequest

M = TypeVar("M", bound=BaseModel)
B = TypeVar("B")
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


class Acting(Protocol):
    """A principal: whose idempotency keys a request uses."""

    @property
    def platform_no(self) -> int: ...
    @property
    def caller(self) -> str: ...


class PostRequest(Generic[B]):
    """A POST request with its parsed body, which takes effect once for each `Idempotency-Key`."""

    def __init__(self, request: Request, body: B, raw: bytes) -> None:
        self.request = request
        self.body = body
        self._raw = raw

    @property
    def _status(self) -> int:
        """Of the response, as the endpoint declares it."""
        return self.request.scope["route"].status_code or 200

    async def commit(
        self,
        acting: Acting,
        effect: Callable[[Tx], Awaitable[M | str]],
        *,
        secrets: Collection[str] = (),
        headers: bytes = b"",
    ) -> ModelResponse[M]:
        """Commit the effect and respond with what it returns (a string is JSON already).

        A retry gets the same without the fields in `secrets`; it must repeat the body and these `headers`.
        """
        return await idempotent_response(
            self.request,
            platform_no=acting.platform_no,
            caller=acting.caller,
            status=self._status,
            body=headers + self._raw,
            effect=effect,
            secrets=secrets,
        )

    async def call(self, acting: Acting, effect: Callable[[str | None], Awaitable[M]]) -> ModelResponse[M]:
        """As `commit`, for an effect at another service, which gets the idempotency key to send there."""
        return await idempotent_external_call(
            self.request,
            platform_no=acting.platform_no,
            caller=acting.caller,
            status=self._status,
            body=self._raw,
            effect=effect,
        )

    def once(self, acting: Acting, *, headers: bytes = b"") -> IdempotentRequest | None:
        """The request as rules store it that take effect in several steps; None without an `Idempotency-Key`.

        A retry must repeat the body and these `headers`.
        """
        body = headers + self._raw
        return idempotency_key_of(self.request, platform_no=acting.platform_no, caller=acting.caller, body=body)

    def reply(self, model: M, *, is_replay: bool = False) -> ModelResponse[M]:
        """The response of an effect that took several steps."""
        response = json_response(model, self._status)
        if is_replay:
            response.headers["Idempotent-Replayed"] = "true"
        return response


class _Body:
    """Marks a parameter that gets the request's body."""


_JSON, _POST = _Body(), _Body()
JsonBody = Annotated[B, _JSON]
"""The body of a PUT or PATCH request, or of a POST that changes nothing."""
Post = Annotated[PostRequest[B], _POST]
"""A POST request; `Post[None]` has no body."""


def _json_reader(model: type[RequestModel]) -> Callable[..., Awaitable[Any]]:
    @raises(*BODY_ERRORS)
    async def read(request: Request) -> RequestModel:
        return (await read_json_body(request, model))[0]

    return read


def _post_reader(model: type[RequestModel] | None) -> Callable[..., Awaitable[Any]]:
    @raises(*(BODY_ERRORS if model else ()), *IDEMPOTENCY_ERRORS)
    async def read(request: Request, _: IdempotencyKey = None) -> PostRequest[Any]:
        if model is None:
            return PostRequest(request, None, b"")
        return PostRequest(request, *await read_json_body(request, model))

    return read


def _body_of(annotation: Any) -> tuple[Any, type[RequestModel] | None] | None:
    """A parameter's annotation for FastAPI, and the model of the body; None where it is not the body."""
    if get_origin(annotation) is not Annotated or not isinstance(marker := get_args(annotation)[1], _Body):
        return None
    model: Any = get_args(annotation)[0]
    if marker is _JSON:
        return Annotated[model, Depends(_json_reader(model))], model
    model = get_args(model)[0]
    model = None if model is type(None) else model
    return Annotated[PostRequest[Any], Depends(_post_reader(model))], model


class Endpoints:
    """The endpoints of one resource: a tag of the OpenAPI document, and the beginning of their paths."""

    def __init__(self, tag: str, prefix: str = "") -> None:
        self._router = APIRouter(tags=[tag], prefix=prefix)

    @property
    def routes(self) -> list[Any]:
        return self._router.routes

    def get(self, path: str, name: str, summary: str, **options: Any) -> Callable[[F], F]:
        return self.add("GET", path, name, summary, **options)

    def post(self, path: str, name: str, summary: str, **options: Any) -> Callable[[F], F]:
        return self.add("POST", path, name, summary, **options)

    def put(self, path: str, name: str, summary: str, **options: Any) -> Callable[[F], F]:
        return self.add("PUT", path, name, summary, **options)

    def patch(self, path: str, name: str, summary: str, **options: Any) -> Callable[[F], F]:
        return self.add("PATCH", path, name, summary, **options)

    def delete(self, path: str, name: str, summary: str, **options: Any) -> Callable[[F], F]:
        return self.add("DELETE", path, name, summary, **options)

    def add(
        self,
        method: str,
        path: str,
        name: str,
        summary: str,
        *,
        status: int = 200,
        errors: Collection[type[AppError]] = (),
        is_listed: bool = True,
        ignores_unknown_parameters: bool = False,
        extra: Mapping[str, Any] = {},
        documents: type[RequestModel] | None = None,
    ) -> Callable[[F], F]:
        """Registers the function as an endpoint; `name` is its operationId, such as `coupons.create`.

        `extra` is added to the operation in the OpenAPI document, which leaves out what is not `is_listed`;
        `documents` is the body of a function that reads it by itself.
        """

        def register(function: F) -> F:
            handler = _Handler(function, documents)
            self._router.add_api_route(
                path,
                handler.call,
                methods=[method],
                status_code=status,
                response_model=_response_model(function),
                summary=summary,
                response_description=HTTPStatus(status).phrase,
                description=inspect.getdoc(function) or "",
                operation_id=name,
                include_in_schema=is_listed,
                openapi_extra={**handler.request_body(), **extra},
            )
            route: APIRoute = self._router.routes[-1]  # pyright: ignore[reportAssignmentType]
            dependants = list(_with_dependencies(route.dependant))
            if not ignores_unknown_parameters:
                handler.parameters = frozenset(field.alias for one in dependants for field in one.query_params)
            inherited = [error for one in dependants for error in getattr(one.call, "errors", ())]
            route.responses.update(error_responses(*errors, *inherited))
            return function

        return register


# FastAPI passes the request to one parameter only.
_REQUEST = "request"


class _Handler:
    """The function that FastAPI calls for an endpoint."""

    def __init__(self, function: Callable[..., Awaitable[Any]], model: type[RequestModel] | None) -> None:
        self._parameters = inspect.signature(function).parameters
        self._names = tuple(self._parameters)
        self.model = model
        # Names of the query parameters that the endpoint and its dependencies know; None: others are ignored.
        self.parameters: frozenset[str] | None = None

        async def call(**values: Any) -> Any:
            if self.parameters is not None:
                reject_unknown_parameters(values[_REQUEST].query_params, self.parameters)
            response = await function(**{name: values[name] for name in self._names})
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        call.__name__ = function.__name__
        call.__signature__ = self._signature()  # pyright: ignore[reportFunctionMemberAccess]
        call.request_model = self.model  # pyright: ignore[reportFunctionMemberAccess]
        self.call = call

    def _signature(self) -> inspect.Signature:
        """That of the function, with the request and with bodies as dependencies."""
        parameters: list[inspect.Parameter] = []
        if _REQUEST not in self._parameters:
            parameters.append(inspect.Parameter(_REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request))
        for parameter in self._parameters.values():
            annotation = parameter.annotation
            found = _body_of(annotation)
            if found is not None:
                annotation, self.model = found
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=annotation))
        return inspect.Signature(parameters)

    def request_body(self) -> dict[str, Any]:
        """The operation's `requestBody` in the OpenAPI document; the model itself is added to its components."""
        if self.model is None:
            return {}
        content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{self.model.__name__}"}}
        sample = example_of(self.model)
        if sample is not None:
            content["example"] = sample
        return {"requestBody": {"required": _has_required(self.model), "content": {"application/json": content}}}


def _has_required(model: type[BaseModel]) -> bool:
    return any(field.is_required() for field in model.model_fields.values())


def _response_model(function: Callable[..., Any]) -> type[BaseModel] | None:
    """`Order` of `ModelResponse[Order]`; None for other responses."""
    returned = inspect.signature(function).return_annotation
    return get_args(returned)[0] if get_origin(returned) is ModelResponse else None


def _with_dependencies(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _with_dependencies(inner)


def reject_unknown_parameters(sent: Iterable[str], known: Collection[str] = ()) -> None:
    """Raises ValidationFailed for a query parameter that is not known."""
    for name in sent:
        if name not in known:
            raise ValidationFailed(
                f"Unknown query parameter: {name}.",
                param=name,
                hint="Remove it. /docs lists the parameters of each endpoint.",
            )

"""The operations of the OpenAPI document, with what a test needs to call them."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from dream_api.app import create_app
from dream_api.core.settings import Settings

# Open to everybody.
ANONYMOUS = {
    "/healthz",
    "/readyz",
    "/metrics",
    # Who knows the page's id may pay it.
    "/sandbox/checkout/{id}/pay",
    "/sandbox/checkout/{id}/cancel",
    "/webhook/stripe",
    # Who knows a file's key may see it.
    "/api/assets/{key}",
}
# Open to whoever signs what they send: see tests/billing/test_event_order.py.
SIGNED = {"/webhook/stripe"}
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    parameters: tuple[str, ...]
    queries: tuple[str, ...]
    headers: tuple[str, ...]
    example: Any
    # Where the body may have a text that is neither one of a few words nor a date; `*`: under any name.
    texts: tuple[tuple[str | int, ...], ...]
    statuses: tuple[str, ...]
    # Whether the body is a file.
    takes_a_file: bool
    # The names of those that open it, each by itself.
    keys: frozenset[str]

    @property
    def is_anonymous(self) -> bool:
        return not self.keys

    @property
    def is_for_developers(self) -> bool:
        return "personalToken" in self.keys

    @property
    def is_for_persons(self) -> bool:
        """For developers; some of them only in person, by their session."""
        return bool({"personalToken", "session"} & self.keys)

    @property
    def is_for_browsers(self) -> bool:
        return "publishableKey" in self.keys

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def __hash__(self) -> int:
        return hash(str(self))


def document() -> dict[str, Any]:
    """The OpenAPI document as it is served."""
    with tempfile.TemporaryDirectory() as folder:
        return create_app(Settings(data=Path(folder), instance_key=SecretStr("ab" * 32))).openapi()


@cache
def every_operation() -> tuple[Operation, ...]:
    """Read once in each process: four modules call it when they are imported, and the document takes 0.3 s."""
    whole = document()
    return tuple(
        _operation(method, path, told, whole["components"])
        for path, methods in whole["paths"].items()
        for method, told in methods.items()
        if method in _METHODS
    )


def _operation(method: str, path: str, told: dict[str, Any], shared: dict[str, Any]) -> Operation:
    given = [_resolved(one, shared) for one in told.get("parameters", [])]
    body = told.get("requestBody")
    takes_a_file = body is not None and "application/octet-stream" in body["content"]
    json_body = None if body is None or takes_a_file else body["content"]["application/json"]
    return Operation(
        method.upper(),
        path,
        tuple(one["name"] for one in given if one["in"] == "path"),
        tuple(one["name"] for one in given if one["in"] == "query" and _is_free_text(one["schema"])),
        tuple(one["name"] for one in given if one["in"] == "header"),
        None if json_body is None else json_body["example"],
        () if json_body is None else tuple(dict.fromkeys(_texts(json_body["schema"], shared))),
        tuple(told["responses"]),
        takes_a_file,
        frozenset(name for one in told.get("security", []) for name in one),
    )


def _resolved(told: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in told:
        _, _, kind, name = told["$ref"].split("/")
        told = shared[kind][name]
    return told


def _texts(schema: dict[str, Any], shared: dict[str, Any], at: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, ...]]:
    schema = _resolved(schema, shared)
    for choice in (one for kind in ("anyOf", "oneOf", "allOf") for one in schema.get(kind, ())):
        yield from _texts(choice, shared, at)
    for name, inner in schema.get("properties", {}).items():
        yield from _texts(inner, shared, (*at, name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _texts(schema["additionalProperties"], shared, (*at, "*"))
    if "items" in schema:
        yield from _texts(schema["items"], shared, (*at, 0))
    if _is_free_text(schema):
        yield at


def _is_free_text(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "string" and not {"enum", "const", "format"} & schema.keys()

"""What faces write in a signature to say who may call."""

from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from dream_api.customers import Scope
from dream_api.gate.gate import Gate
from dream_api.keys import Key

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="secretKey",
    description="A secret key of the project: `sk_test_…` or `sk_live_…`.",
)


# The same, told of an operation that looks at the key itself.
SERVER_SECURITY: dict[str, Any] = {"security": [{_bearer.scheme_name: []}]}


def gate_of(request: Request) -> Gate:
    return request.app.state.gate


async def _server(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None) -> Key:
    return await gate_of(request).server(request.headers.get("authorization"))


# A developer's server, by its secret key.
Server = Annotated[Key, Depends(_server)]


IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="The same key and body get the first answer again for 24 hours."),
]


def scope_of(key: Key) -> Scope:
    """The project and mode that a key belongs to."""
    return Scope(key.platform_id, key.platform_no, key.project_id, key.mode)

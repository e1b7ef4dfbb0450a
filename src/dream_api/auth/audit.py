"""Audit entries of requests: who did what, as the platform's security log names them."""

from collections.abc import Mapping

from fastapi import Request

from dream_api import accounts, audit, keys
from dream_api.audit import Actor
from dream_api.auth.principals import PlatformPrincipal, ProjectPrincipal
from dream_api.auth.rate_limit import client_address
from dream_api.core.db import Tx
from dream_api.core.secrets import hash_token


async def audit_request(
    tx: Tx,
    request: Request,
    who: ProjectPrincipal | PlatformPrincipal,
    action: str,
    *,
    about: str = "",
    details: Mapping[str, str] = {},
) -> None:
    """Append an entry to the security log of their platform; the log stays locked until the commit: call this last."""
    in_project = {"project": who.project_id, "mode": who.mode} if isinstance(who, ProjectPrincipal) else {}
    by = await _actor(tx, request, who)
    await audit.record(tx, who.log_stream, action, by=by, about=about, details={**in_project, **details})


async def _actor(tx: Tx, request: Request, who: ProjectPrincipal | PlatformPrincipal) -> Actor:
    """A person, a token by its name, or a project's server by the id of the key that it used."""
    address = client_address(request.scope) or ""
    if who.user_id is not None:
        return who.actor(address)
    kind, actor_id, *_ = who.caller.split(":")
    if kind == "token":
        token = await accounts.find_token(tx, who.platform_no, actor_id)
        return Actor("token", actor_id, "" if token is None else token.name, address)
    # Read in this very transaction: another connection might have to be waited for.
    key = await keys.load(tx, hash_token(keys.parse_key(request.headers.get("authorization"))))
    return Actor("key", "" if key is None else key.id, address=address)

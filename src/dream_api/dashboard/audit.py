"""Audit entries of actions on pages, in the platform's security log."""

from fastapi import Request

from dream_api.audit import Actor
from dream_api.auth import audit
from dream_api.auth.browser_sessions import SignedInUser
from dream_api.auth.rate_limit import client_address
from dream_api.core.db import Tx
from dream_api.dashboard.dependencies import PlatformContext, ProjectContext


def actor_of(request: Request, user: SignedInUser) -> Actor:
    """Who it was, and from where."""
    return Actor("user", user.session.user_id, user.session.shown_name, client_address(request.scope) or "")


async def record(
    tx: Tx, request: Request, visit: PlatformContext, action: str, *, about: str = "", **details: str
) -> None:
    """Says who did it, from where and in which project and mode; comes last in its transaction."""
    who = visit.acting if isinstance(visit, ProjectContext) else visit.developer
    await audit.audit_request(tx, request, who, action, about=about, details=details)

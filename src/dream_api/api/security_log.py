"""`GET /api/security-log`: who did what on a platform."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BeforeValidator, Field

from dream_api import audit
from dream_api.api.endpoint import Endpoints
from dream_api.api.models import Page, ResponseModel, Timestamp, example
from dream_api.audit import ActorKind
from dream_api.auth.dependencies import CanManagePlatform
from dream_api.core.http import ModelResponse, json_response
from dream_api.core.http.dependencies import Db

endpoints = Endpoints("Security log", "/api/security-log")


def _none_if_empty(value: Any) -> Any:
    return value or None


_Text = Annotated[str | None, BeforeValidator(_none_if_empty)]


class AuditActor(ResponseModel):
    """Who did it, and from where."""

    kind: ActorKind
    id: str = Field(description="`usr_…`, `tok_…`, `key_…`; empty for operators at the terminal and for the system.")
    name: _Text = Field(description="null if there is none, and after 30 days, when it is erased.")
    address: _Text = Field(description="null if there is none, and after 30 days, when it is erased.")


class AuditEntry(
    ResponseModel,
    json_schema_extra=example(
        {
            "number": 42,
            "at": "2026-11-21T09:14:00Z",
            "action": "key.rotated",
            "sentence": "Rotated a key",
            "by": {"kind": "user", "id": "usr_01k9q3v8zd0g2m4n6p8r0t2v4w", "name": "Ada", "address": "203.0.113.7"},
            "about": "key_01k9q3v8zd0g2m4n6p8r0t2v4w",
            "details": {"mode": "live"},
        }
    ),
):
    """An action of a member, an API key or the system."""

    number: int = Field(description="Consecutive, without gaps.")
    at: Timestamp
    action: str = Field(description="More actions may be added.")
    sentence: str = Field(description="The action in words.")
    by: AuditActor
    about: _Text = Field(description="The id of the object.")
    details: dict[str, str]


class AuditEntryList(Page[AuditEntry]):
    """Newest first."""


@endpoints.get("", "securityLog.list", "List the security log")
async def list_entries(
    db: Db,
    developer: CanManagePlatform,
    action: Annotated[str | None, Query(pattern=r"^[a-z._]{1,64}$", description="Only this action.")] = None,
    member: Annotated[
        str | None, Query(pattern=r"^[0-9a-z_]{1,64}$", description="Only actions of the actor with this ID.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many to return.")] = 20,
    after: Annotated[
        str | None, Query(pattern=r"^[1-9][0-9]{0,14}$", description="The `nextCursor` of the previous page.")
    ] = None,
) -> ModelResponse[AuditEntryList]:
    """Who did what on the platform in the last 180 days, newest first. Names and addresses are erased after 30 days."""
    async with db.read() as tx:
        found = await audit.list_entries(
            tx,
            developer.log_stream,
            limit=limit + 1,
            before=None if after is None else int(after),
            action=action,
            actor_id=member,
        )
    cursor = str(found[limit - 1].number) if len(found) > limit else None
    return json_response(AuditEntryList.model_validate({"data": found[:limit], "next_cursor": cursor}))

"""`GET /api/security-log`: who did what on a platform."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from dream_api import audit
from dream_api.audit import ActorKind, Entry
from dream_api.auth.dependencies import CanManagePlatform
from dream_api.auth.tenant_resolution import PLATFORM_AUTH_ERRORS
from dream_api.core import clock
from dream_api.core.http import error_responses, json_response
from dream_api.core.http.dependencies import Db

router = APIRouter(tags=["Security log"])


class AuditActor(BaseModel):
    """Who did it, and from where."""

    kind: ActorKind
    id: str = Field(description="`usr_…`, `tok_…`, `key_…`; empty of the operator's terminal and the instance itself.")
    name: str | None = Field(description="null where there is none, and once it is erased, after 30 days.")
    address: str | None = Field(description="null where there is none, and once it is erased, after 30 days.")


class AuditEntry(BaseModel):
    """Something that was done."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    number: int = Field(description="Counted up by one; none is left out.")
    at: str
    action: str = Field(description="More actions may come.")
    sentence: str = Field(description="The action as people say it.")
    by: AuditActor
    about: str | None = Field(description="The id of what it was done to.")
    details: dict[str, str]


class AuditEntryList(BaseModel):
    """Newest first."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    data: list[AuditEntry]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


_EXAMPLE: dict[str, Any] = {
    "number": 42,
    "at": "2026-11-21T09:14:00Z",
    "action": "key.rotated",
    "sentence": "Rotated a key",
    "by": {"kind": "user", "id": "usr_01k9q3v8zd0g2m4n6p8r0t2v4w", "name": "Ada", "address": "203.0.113.7"},
    "about": "key_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "details": {"mode": "live"},
}


@router.get(
    "/api/security-log",
    summary="Read the security log",
    response_model=AuditEntryList,
    responses={
        200: {"content": {"application/json": {"example": {"data": [_EXAMPLE], "nextCursor": None}}}},
        **error_responses(*PLATFORM_AUTH_ERRORS),
    },
)
async def read_log(
    db: Db,
    developer: CanManagePlatform,
    action: Annotated[str | None, Query(pattern=r"^[a-z._]{1,64}$", description="Of this action only.")] = None,
    member: Annotated[str | None, Query(pattern=r"^[0-9a-z_]{1,64}$", description="Of this actor only, by id.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many to answer.")] = 20,
    after: Annotated[
        str | None, Query(pattern=r"^[1-9][0-9]{0,14}$", description="The `nextCursor` of the page before.")
    ] = None,
) -> Response:
    """Who did what on the platform in the last 180 days, newest first; names and addresses go after 30."""
    async with db.read() as tx:
        found = await audit.list_entries(
            tx,
            developer.platform.id,
            limit=limit + 1,
            before=None if after is None else int(after),
            action=action,
            actor_id=member,
        )
    page = [entry_response(entry) for entry in found[:limit]]
    return json_response(AuditEntryList(data=page, next_cursor=str(page[-1].number) if len(found) > limit else None))


def entry_response(entry: Entry) -> AuditEntry:
    by = entry.by
    return AuditEntry(
        number=entry.number,
        at=clock.rfc3339(entry.at),
        action=entry.action,
        sentence=entry.sentence,
        by=AuditActor(kind=by.kind, id=by.id, name=by.name or None, address=by.address or None),
        about=entry.about or None,
        details=dict(entry.details),
    )

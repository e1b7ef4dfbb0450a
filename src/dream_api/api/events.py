"""`GET /api/events`: webhook events of a project and mode."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from dream_api import webhooks
from dream_api.auth.dependencies import CanView
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.core import clock
from dream_api.core.db import Row
from dream_api.core.http import error_responses, json_response
from dream_api.core.http.dependencies import Db
from dream_api.webhooks import EventType

router = APIRouter(tags=["Events"])

_CURSOR = r"^evt_[0-9a-z]{26}$"
_TYPES = "Of this type only. " + " ".join(f"`{kind}`: {sentence}" for kind, sentence in webhooks.SENTENCES.items())


class ShownEvent(BaseModel):
    """Something that happened in a project and mode."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    type: str = Field(description="More types may come.")
    created_at: str
    data: dict[str, Any] = Field(description="What there is to know of it, by its type.")


class EventList(BaseModel):
    """Newest first."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    data: list[ShownEvent]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


_EXAMPLE: dict[str, Any] = {
    "id": "evt_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "type": "usage.threshold_reached",
    "createdAt": "2026-11-21T09:14:00Z",
    "data": {
        "userId": "user_123",
        "plan": "free",
        "meter": "requests",
        "window": "period",
        "kind": "hard",
        "percent": 80,
        "count": 800,
        "limit": 1000,
        "periodStart": "2026-11-01T00:00:00Z",
        "periodEnd": "2026-12-01T00:00:00Z",
    },
}


@router.get(
    "/api/events",
    summary="List events",
    response_model=EventList,
    responses={
        200: {"content": {"application/json": {"example": {"data": [_EXAMPLE], "nextCursor": None}}}},
        **error_responses(*PROJECT_AUTH_ERRORS),
    },
)
async def list_events(
    db: Db,
    acting: CanView,
    kind: Annotated[EventType | None, Query(alias="type", description=_TYPES)] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many to answer.")] = 20,
    after: Annotated[str | None, Query(pattern=_CURSOR, description="The `nextCursor` of the page before.")] = None,
) -> Response:
    """What happened in the project and mode of the last 90 days, newest first."""
    async with db.read() as tx:
        rows = await webhooks.list_events(
            tx, acting.platform_id, acting.project_id, acting.mode, kind=kind, limit=limit + 1, after=after
        )
    page = [_shown(row) for row in rows[:limit]]
    return json_response(EventList(data=page, next_cursor=page[-1].id if len(rows) > limit else None))


def _shown(row: Row[Any]) -> ShownEvent:
    return ShownEvent(id=row.id, type=row.type, created_at=clock.rfc3339(row.created_at), data=json.loads(row.data))

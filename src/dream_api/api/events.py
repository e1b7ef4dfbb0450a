"""`GET /api/events`: webhook events of a project and mode."""

import json
from typing import Annotated, Any

from fastapi import Query
from pydantic import BeforeValidator, Field

from dream_api import webhooks
from dream_api.api.endpoint import Endpoints
from dream_api.api.models import Page, PageRequest, ResponseModel, Timestamp, example, page_of
from dream_api.auth.dependencies import CanView
from dream_api.core.http import ModelResponse, json_response
from dream_api.core.http.dependencies import Db
from dream_api.webhooks import EventType

endpoints = Endpoints("Events", "/api/events")

_TYPES = "Only events of this type. " + " ".join(
    f"`{kind}`: {sentence}" for kind, sentence in webhooks.SENTENCES.items()
)


def _from_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class Event(
    ResponseModel,
    json_schema_extra=example(
        {
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
    ),
):
    """Something that happened in a project and mode."""

    id: str
    type: str = Field(description="More types may be added.")
    created_at: Timestamp
    data: Annotated[dict[str, Any], BeforeValidator(_from_json)] = Field(description="Its fields depend on the type.")


class EventList(Page[Event]):
    """Newest first."""


@endpoints.get("", "events.list", "List events")
async def list_events(
    db: Db,
    acting: CanView,
    page: Annotated[PageRequest, page_of("evt")],
    kind: Annotated[EventType | None, Query(alias="type", description=_TYPES)] = None,
) -> ModelResponse[EventList]:
    """The events of the project and mode in the last 90 days, newest first."""
    async with db.read() as tx:
        rows = await webhooks.list_events(
            tx, acting.platform_no, acting.project_id, acting.mode, kind=kind, limit=page.fetch, after=page.after
        )
    return json_response(page.page(EventList, rows))

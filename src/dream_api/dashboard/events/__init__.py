"""`/dashboard/{projectId}/{mode}/events`: the events of a project and mode, and one with its payload."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from dream_api import webhooks
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound
from dream_api.core.http.dependencies import Db
from dream_api.dashboard import cells
from dream_api.dashboard import list_page as lists
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage
from dream_api.dashboard.event_summaries import EventSummary, summarize_event, summarize_events
from dream_api.dashboard.exports import Fetch
from dream_api.dashboard.layout import PageRoute, render_page
from dream_api.webhooks import EventType

router = APIRouter(route_class=PageRoute, include_in_schema=False)
ROUTERS = (router,)
_PATH = "/dashboard/{projectId}/{mode}/events"


class EventQuery(lists.ListQuery):
    kind: str = Field(default="", alias="type")
    after: str | None = None

    @property
    def type(self) -> EventType | None:
        """None for all types, also where there is no such type."""
        return self.kind if self.kind in webhooks.SENTENCES else None


EVENTS = lists.ListPage[EventSummary, ProjectContext](
    title="Events",
    here="events",
    path="/events",
    columns=[
        lists.Column(
            "Event", lambda event, visit: type_link(event, visit) + cells.narrow_only(event.who.replace("–", ""))
        ),
        lists.Column("Customer", lists.text(lambda event: event.who), "cut wide-only"),
        lists.Column("Details", lists.text(lambda event: event.detail), "cut wide-only"),
        lists.Column("Time", lists.project_time(lambda event: event.at)),
    ],
    filters=[lists.Select("type", "Type", [("", "All"), *((kind, kind) for kind in webhooks.SENTENCES)])],
    nothing_found="No events of this type in the last 90 days.",
    is_live=True,
    empty=lists.Empty(
        "No events yet",
        "Subscriptions, payments, orders and reached limits appear here as they happen, and are stored for 90 days.",
    ),
)


def type_link(event: EventSummary, visit: ProjectContext) -> Any:
    """The event's type, which leads to its page."""
    return cells.state_link(f"{visit.base}/events/{event.id}", event.type, event.tone)


@router.get(_PATH)
async def show_events(db: Db, visit: ProjectPage, asked: Annotated[EventQuery, Query()]) -> Response:
    lead = webhooks.SENTENCES[asked.type] if asked.type else ""
    return await EVENTS.show(db, visit, asked, _fetch(visit, asked), lead=lead)


def _fetch(visit: ProjectContext, asked: EventQuery) -> Fetch[EventSummary]:
    async def fetch(tx: Tx, limit: int, after: str | None) -> list[EventSummary]:
        whose = (visit.platform_no, visit.project.id, visit.mode)
        rows = await webhooks.list_events(tx, *whose, kind=asked.type, limit=limit, after=after or None)
        return await summarize_events(tx, visit.platform_no, rows)

    return fetch


@router.get(_PATH + "/{eventId}")
async def show_event(
    db: Db, visit: ProjectPage, event_id: Annotated[str, Path(alias="eventId", max_length=64)]
) -> Response:
    async with db.read() as tx:
        row = await webhooks.get_event(tx, visit.platform_no, visit.project.id, visit.mode, event_id)
    if row is None:
        raise NotFound("Event not found.", hint="Events are stored for 90 days.")
    return render_page(
        visit,
        "events/event.html",
        here="events",
        mode_path="/events",
        event=summarize_event(row),
        sentence=dict(webhooks.SENTENCES).get(row.type, ""),
        data=json.dumps(json.loads(row.data), indent=2, ensure_ascii=False),
    )

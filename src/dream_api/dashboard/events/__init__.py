"""The pages of events: a list, newest first, and one page for each with its data."""

import json
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from dream_api import webhooks
from dream_api.core.errors import NotFound
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.dependencies import ProjectPage
from dream_api.dashboard.event_summaries import summarize_event, summarize_events
from dream_api.dashboard.layout import PageRenderer, PageRoute
from dream_api.webhooks import EventType

router = APIRouter(route_class=PageRoute, include_in_schema=False)
ROUTERS = (router,)
_frame = PageRenderer("dream_api.dashboard.events")
_PATH = "/dashboard/{projectId}/{mode}/events"
_PAGE = 50
Text = Annotated[str, Query()]


@router.get(_PATH)
async def show_events(
    db: Db, visit: ProjectPage, kind: Annotated[str, Query(alias="type")] = "", after: Text = ""
) -> Response:
    wanted: EventType | None = next((known for known in webhooks.SENTENCES if known == kind), None)
    async with db.read() as tx:
        rows = await webhooks.list_events(
            tx,
            visit.platform_id,
            visit.project.id,
            visit.mode,
            kind=wanted,
            limit=_PAGE + 1,
            after=after.replace("\x00", "") or None,
        )
        summaries = await summarize_events(tx, visit.platform_id, rows[:_PAGE])
    asked: dict[str, str] = {} if wanted is None else {"type": wanted}
    return _frame.render(
        visit,
        "events.html",
        here="events",
        mode_path="/events",
        events=summaries,
        wanted=wanted,
        sentences=webhooks.SENTENCES,
        is_first=not after,
        next_url="?" + urlencode(asked | {"after": rows[_PAGE - 1].id}) if len(rows) > _PAGE else None,
    )


@router.get(_PATH + "/{eventId}")
async def show_event(
    db: Db, visit: ProjectPage, event_id: Annotated[str, Path(alias="eventId", max_length=64)]
) -> Response:
    async with db.read() as tx:
        row = await webhooks.get_event(tx, visit.platform_id, visit.project.id, visit.mode, event_id)
    if row is None:
        raise NotFound("There is no such event.", hint="Events are kept for 90 days.")
    return _frame.render(
        visit,
        "event.html",
        here="events",
        mode_path="/events",
        event=summarize_event(row),
        sentence=dict(webhooks.SENTENCES).get(row.type, ""),
        data=json.dumps(json.loads(row.data), indent=2, ensure_ascii=False),
    )

"""`/dashboard/{platformId}/security-log`: the security log of a platform, and its exports."""

import csv
import io
import json
from collections.abc import AsyncGenerator, Iterable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from dream_api import audit
from dream_api.audit import ACTIONS, Entry
from dream_api.auth import audit as recording
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.dependencies import PlatformContext, PlatformPageCanManage
from dream_api.dashboard.layout import PageRenderer, PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 50
_EXPORTED_AT_ONCE = 500
_MOST_ACTORS = 200
_COLUMNS = ("number", "at", "action", "sentence", "by_kind", "by_id", "by_name", "by_address", "about", "details")
# What a spreadsheet would take for a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_KINDS = {"operator": "The operator", "system": "The instance", "key": "A key", "token": "A token", "user": "Somebody"}
_BENEATH = {"key": "key", "token": "personal token"}

Action = Annotated[str, Query(pattern=r"^[a-z._]{0,64}$")]
Member = Annotated[str, Query(pattern=r"^[0-9a-z_]{0,64}$")]


def _who(entry: Entry) -> str:
    """The actor's name; their kind where the name is erased or unknown."""
    return entry.by.name or _KINDS[entry.by.kind]


def _kind(entry: Entry) -> str:
    """The line below the name: the id of an actor without a name."""
    return entry.by.id if not entry.by.name else _BENEATH[entry.by.kind]


_frame = PageRenderer("dream_api.dashboard.security_log", who=_who, kind=_kind)


@router.get("/dashboard/{platformId}/security-log")
async def show_log(
    db: Db,
    visit: PlatformPageCanManage,
    action: Action = "",
    member: Member = "",
    before: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
) -> Response:
    book = visit.platform_id
    async with db.read() as tx:
        found = await audit.list_entries(
            tx, book, limit=_PAGE + 1, before=before, action=action or None, actor_id=member or None
        )
        actors = await audit.list_actors(tx, book, _MOST_ACTORS)
    entries = found[:_PAGE]
    asked = {name: value for name, value in {"action": action, "member": member}.items() if value}
    return _frame.render(
        visit,
        "log.html",
        here="log",
        entries=entries,
        asked=asked,
        actions=[("", "Everything"), *sorted(ACTIONS.items(), key=lambda one: one[1])],
        actors=[("", "Everybody"), *((one.id, one.name or f"{_KINDS[one.kind]} {one.id}") for one in actors)],
        csv_url=_url(visit, ".csv", asked),
        json_url=_url(visit, ".json", asked),
        plain_url=_url(visit, "", {}),
        next_url=_url(visit, "", {**asked, "before": str(entries[-1].number)}) if len(found) > _PAGE else None,
    )


def _url(visit: PlatformContext, ending: str, asked: dict[str, str]) -> str:
    query = f"?{urlencode(asked)}" if asked else ""
    return f"/dashboard/{visit.platform_id}/security-log{ending}{query}"


@router.get("/dashboard/{platformId}/security-log.csv")
async def export_csv(
    request: Request, db: Db, visit: PlatformPageCanManage, action: Action = "", member: Member = ""
) -> Response:
    """All that is asked for, as a spreadsheet reads it."""

    async def lines() -> AsyncGenerator[str, None]:
        yield _csv([_COLUMNS])
        async for entries in _all_of(db, visit, action, member):
            yield _csv([_safe(cell) for cell in _cells(entry)] for entry in entries)

    await _record_export(request, db, visit, "csv")
    return _file(visit, lines(), "text/csv; charset=utf-8", "csv")


@router.get("/dashboard/{platformId}/security-log.json")
async def export_json(
    request: Request, db: Db, visit: PlatformPageCanManage, action: Action = "", member: Member = ""
) -> Response:
    """All that is asked for, a line each."""

    async def lines() -> AsyncGenerator[str, None]:
        async for entries in _all_of(db, visit, action, member):
            for entry in entries:
                yield json.dumps(dict(zip(_COLUMNS, _cells(entry), strict=True)), ensure_ascii=False) + "\n"

    await _record_export(request, db, visit, "json")
    return _file(visit, lines(), "application/x-ndjson", "json")


async def _record_export(request: Request, db: Database, visit: PlatformContext, kind: str) -> None:
    async with db.write() as tx:
        await recording.audit_request(tx, request, visit.developer, "log.exported", details={"format": kind})


async def _all_of(db: Database, visit: PlatformContext, action: str, member: str) -> AsyncGenerator[list[Entry], None]:
    """Newest first, in pieces; no transaction is open while one is sent."""
    before: int | None = None
    while True:
        async with db.read() as tx:
            entries = await audit.list_entries(
                tx,
                visit.platform_id,
                limit=_EXPORTED_AT_ONCE,
                before=before,
                action=action or None,
                actor_id=member or None,
            )
        if entries:
            yield entries
        if len(entries) < _EXPORTED_AT_ONCE:
            return
        before = entries[-1].number


def _cells(entry: Entry) -> list[str]:
    by = entry.by
    details = json.dumps(dict(entry.details), ensure_ascii=False) if entry.details else ""
    cells = [clock.rfc3339(entry.at), entry.action, entry.sentence, by.kind, by.id, by.name, by.address, entry.about]
    return [str(entry.number), *cells, details]


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _file(visit: PlatformContext, lines: AsyncGenerator[str, None], kind: str, ending: str) -> Response:
    name = f"security-log-{visit.platform_id}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, 200, headers, kind)

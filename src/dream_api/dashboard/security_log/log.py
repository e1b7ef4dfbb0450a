"""`/dashboard/{platformId}/security-log`: the security log of a platform, and its exports."""

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from pydantic import Field
from starlette.responses import Response

from dream_api import audit
from dream_api.audit import ACTIONS, Entry
from dream_api.core import clock
from dream_api.core.http.dependencies import Db
from dream_api.dashboard import cells
from dream_api.dashboard import list_page as lists
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import PlatformContext, PlatformExport, PlatformPageCanManage
from dream_api.dashboard.exports import Fetch, Format
from dream_api.dashboard.layout import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{platformId}/security-log"
_MOST_ACTORS = 200
_KINDS = {"operator": "Operator", "system": "System", "key": "API key", "token": "Token", "user": "User"}
_BENEATH = {"key": "API key", "token": "personal token"}


class LogQuery(lists.ListQuery):
    action: Annotated[str, Field(pattern=r"^[a-z._]{0,64}$")] = ""
    member: Annotated[str, Field(pattern=r"^[0-9a-z_]{0,64}$")] = ""
    after: Annotated[int | None, Field(alias="before", ge=1, lt=2**53)] = None


Asked = Annotated[LogQuery, Query()]


def _actor(entry: Entry) -> object:
    """Their name; their kind and id where the name is erased or unknown."""
    by = entry.by
    below = _BENEATH.get(by.kind, "") if by.name else by.id
    return Markup('<span title="{}">{}</span>').format(by.id, by.name or _KINDS[by.kind]) + cells.under(below)


def _action(entry: Entry) -> object:
    details = " · ".join(f"{name} {value}" for name, value in entry.details.items())
    about = Markup('<div class="soft wide-only">{}</div>').format(entry.about) if entry.about else ""
    return Markup("{}").format(entry.sentence) + cells.under(details) + about


def _address(entry: Entry) -> object:
    if entry.by.address:
        return cells.code(entry.by.address)
    return cells.soft("erased") if "actor.address" in entry.erased else cells.NONE


def _details(entry: Entry) -> str:
    return json.dumps(dict(entry.details), ensure_ascii=False) if entry.details else ""


_EXPORTS: dict[str, Callable[[Entry], object]] = {
    "number": lambda entry: str(entry.number),
    "at": lambda entry: clock.rfc3339(entry.at),
    "action": lambda entry: entry.action,
    "sentence": lambda entry: entry.sentence,
    "by_kind": lambda entry: entry.by.kind,
    "by_id": lambda entry: entry.by.id,
    "by_name": lambda entry: entry.by.name,
    "by_address": lambda entry: entry.by.address,
    "about": lambda entry: entry.about,
    "details": _details,
}
LOG = lists.ListPage[Entry, PlatformContext](
    title="Security log",
    here="log",
    path="/security-log",
    columns=[
        lists.Column("User", lists.text(_actor), "long"),
        lists.Column("Action", lists.text(_action), "long"),
        lists.Column("IP address", lists.text(_address), "wide-only"),
        lists.Column("Time", lists.real_time(lambda entry: entry.at)),
    ],
    filters=[
        lists.Select("action", "Action", [("", "All"), *sorted(ACTIONS.items(), key=lambda one: one[1])]),
        lists.Select("member", "User"),
    ],
    exports=_EXPORTS,
    formats=("csv", "json"),
    most_exported=None,
    cursor=lambda entry: entry.number,
    nothing_found="No entry matches the filters.",
    empty=lists.Empty("No entries yet", "Sign-ins and changes to keys, roles, refunds and settings are recorded here."),
)
_LEAD = (
    "Sign-ins and changes to keys, roles, billing and settings in the last 180 days. "
    "Names and addresses are erased after 30 days."
)


@router.get(_PATH)
async def show_log(db: Db, visit: PlatformPageCanManage, asked: Asked) -> Response:
    async with db.read() as tx:
        actors = await audit.list_actors(tx, visit.platform.log_stream, _MOST_ACTORS)
    members = [("", "All"), *((one.id, one.name or f"{_KINDS[one.kind]} {one.id}") for one in actors)]
    return await LOG.show(db, visit, asked, _fetch(visit, asked), options={"member": members}, lead=_LEAD)


@router.get(_PATH + ".csv")
async def export_csv(request: Request, db: Db, visit: PlatformExport, asked: Asked) -> Response:
    return await _export(request, db, visit, asked, "csv")


@router.get(_PATH + ".json")
async def export_json(request: Request, db: Db, visit: PlatformExport, asked: Asked) -> Response:
    """A line for each entry."""
    return await _export(request, db, visit, asked, "json")


async def _export(request: Request, db: Db, visit: PlatformContext, asked: LogQuery, kind: Format) -> Response:
    async with db.write() as tx:
        await record(tx, request, visit, "log.exported", format=kind)
    return LOG.export(db, f"security-log-{visit.platform_id}", _fetch(visit, asked), kind)


def _fetch(visit: PlatformContext, asked: LogQuery) -> Fetch[Entry]:
    """Newest first."""
    wanted: dict[str, Any] = {"action": asked.action or None, "actor_id": asked.member or None}
    return lambda tx, limit, after: audit.list_entries(
        tx, visit.platform.log_stream, limit=limit, before=after, **wanted
    )

"""`/dashboard/{projectId}/{mode}/tiers`: the list of tiers or products."""

from collections.abc import Callable
from typing import Any, Literal

from fastapi import APIRouter
from starlette.responses import Response

from dream_api import billing, catalog, store
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.catalog import format as words
from dream_api.dashboard.catalog.tier_page import Held, frame
from dream_api.dashboard.csv_export import csv_file
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage, ProjectPageCanManage
from dream_api.dashboard.layout import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/tiers"
Sort = Literal["number", "name", "subscribers", "newest"]
State = Literal["", "visible", "hidden", "archived"]
_BY: dict[Sort, Callable[[Held], Any]] = {
    "number": lambda held: (held.offer.number is None, held.offer.number or 0, held.offer.id),
    "name": lambda held: held.offer.display_name.lower(),
    "subscribers": lambda held: -held.subscribers,
    "newest": lambda held: -held.offer.created_at,
}
_COLUMNS = ("name", "displayName", "number", "state", "prices", "limits", "inventory", "subscribers", "createdAt")


@router.get(_PATH)
async def list_tiers(
    db: Db, settings: SettingsDep, visit: ProjectPage, sort: Sort = "number", state: State = ""
) -> Response:
    held = await _held(db, visit, sort, state)
    return frame.render(
        visit,
        "tiers.html",
        here="tiers",
        mode_path="/tiers",
        tiers=held,
        sort=sort,
        state=state,
        api_url=settings.link_base,
        is_store=visit.project.type == "store",
        may_sell=visit.may("sell"),
    )


@router.get(_PATH + ".csv")
async def export_tiers(db: Db, visit: ProjectPageCanManage, sort: Sort = "number", state: State = "") -> Response:
    held = await _held(db, visit, sort, state)
    return csv_file(f"tiers-{visit.mode}", _COLUMNS, [_row(each) for each in held])


async def _held(db: Database, visit: ProjectContext, sort: Sort, state: State) -> list[Held]:
    async with db.read() as tx:
        offers = await catalog.list_tiers(tx, visit.platform_id, visit.project.id, visit.mode, archived_too=True)
        inventory = await store.get_inventory(tx, visit.scope, [offer.id for offer in offers])
        subscribers = await billing.subscribers_by_plan(tx, visit.scope)
    held = [Held(offer, inventory[offer.id], subscribers.get(offer.name, 0)) for offer in offers]
    wanted = (state,) if state else ("visible", "hidden")
    return sorted((each for each in held if each.state in wanted), key=_BY[sort])


def _row(held: Held) -> tuple[object, ...]:
    offer = held.offer
    return (
        offer.name,
        offer.display_name,
        offer.number,
        held.state,
        "; ".join(words.priced(price) for price in offer.prices),
        "; ".join(words.limited(limit) for limit in offer.limits),
        held.inventory.on_hand,
        held.subscribers,
        clock.rfc3339(offer.created_at),
    )

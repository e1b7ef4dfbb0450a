"""`/dashboard/{projectId}/{mode}/tiers`: the list of plans or products."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from markupsafe import Markup
from starlette.responses import Response

from dream_api import billing, catalog, store
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.html import format as formats
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard import cells, price_format
from dream_api.dashboard import list_page as lists
from dream_api.dashboard.catalog.tier_page import Held
from dream_api.dashboard.dependencies import ProjectContext, ProjectExport, ProjectPage
from dream_api.dashboard.exports import Fetch
from dream_api.dashboard.layout import PageRoute
from dream_api.dashboard.statuses import badge

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/tiers"
_SORTS: Mapping[str, Callable[[Held], Any]] = {
    "number": lambda held: (held.offer.number is None, held.offer.number or 0, held.offer.id),
    "name": lambda held: held.offer.display_name.lower(),
    "subscribers": lambda held: -held.subscribers,
    "newest": lambda held: -held.offer.created_at,
}
_STATES = [("", "Available"), ("visible", "Visible"), ("hidden", "Hidden"), ("archived", "Archived")]


class TierQuery(lists.ListQuery):
    state: Literal["", "visible", "hidden", "archived"] = ""
    sort: Literal["number", "name", "subscribers", "newest"] = "number"


Asked = Annotated[TierQuery, Query()]


def _name(held: Held, visit: ProjectContext) -> object:
    offer = held.offer
    is_sold_out = offer.is_sold_out or (visit.project.type == "store" and held.inventory.is_sold_out)
    badges = [
        badge("default", "good") if offer.is_default else "",
        badge("popular") if offer.is_popular else "",
        badge(held.state, "warn") if held.state != "visible" else "",
        badge("sold out", "bad") if is_sold_out else "",
    ]
    link = cells.link(f"{visit.base}/tiers/{offer.name}", offer.display_name)
    return lists.joined(link, *badges) + cells.under(offer.name)


def _prices(held: Held, visit: ProjectContext) -> object:
    none = "No price" if visit.project.type == "store" else "Free"
    return cells.lines(map(price_format.format_price, held.offer.prices), none=none)


def _stock(held: Held) -> object:
    inventory = held.inventory
    if inventory.on_hand is None:
        return cells.soft("Not tracked")
    reserved = cells.soft(f"({formats.number(inventory.held)} reserved)") if inventory.held else ""
    return lists.joined(Markup("{}").format(formats.number(inventory.on_hand)), reserved)


def _subscribers(held: Held, visit: ProjectContext) -> object:
    return cells.link(f"{visit.base}/subscriptions?plan={held.offer.name}", formats.number(held.subscribers))


_COLUMNS: Sequence[lists.Column[Held, ProjectContext]] = [
    lists.Column("Name", _name, sort="name"),
    lists.Column("Price", _prices),
    lists.Column(
        "Limits",
        lists.text(lambda held: cells.lines(map(price_format.format_limit, held.offer.limits), none="Unlimited")),
        "less",
    ),
    lists.Column(
        "Sort order",
        lists.text(lambda held: cells.NONE if held.offer.number is None else held.offer.number),
        "less",
        sort="number",
    ),
    lists.Column("Subscribers", _subscribers, sort="subscribers"),
]
PLANS = lists.ListPage[Held, ProjectContext](
    title="Plans",
    here="tiers",
    path="/tiers",
    columns=_COLUMNS,
    filters=[lists.Select("state", "Availability", _STATES, "tabs")],
    exports={
        "name": lambda held: held.offer.name,
        "displayName": lambda held: held.offer.display_name,
        "number": lambda held: held.offer.number,
        "state": lambda held: held.state,
        "prices": lambda held: "; ".join(map(price_format.format_price, held.offer.prices)),
        "limits": lambda held: "; ".join(map(price_format.format_limit, held.offer.limits)),
        "inventory": lambda held: held.inventory.on_hand,
        "subscribers": lambda held: held.subscribers,
        "createdAt": lambda held: clock.rfc3339(held.offer.created_at),
    },
    actions=[
        lists.Action("Coupons", "/coupons", is_plain=True),
        lists.Action("New plan", "/new-tier", "sell"),
    ],
    cursor=None,
    empty=lists.Empty(
        "No plans yet",
        "A plan has limits and prices. Customers subscribe to it.",
        lists.Action("Create a plan", "/new-tier", "sell"),
    ),
)
PRODUCTS = replace(
    PLANS,
    title="Products",
    columns=[
        *_COLUMNS[:2],
        lists.Column("In stock", lists.text(_stock), "less"),
        _COLUMNS[3],
        lists.Column[Held, ProjectContext](
            "Created", lists.project_time(lambda held: held.offer.created_at), sort="newest"
        ),
    ],
    actions=[PLANS.actions[0], lists.Action("New product", "/new-tier", "sell")],
    empty=lists.Empty(
        "No products yet",
        "A product has a price and, if you track it, a stock quantity.",
        lists.Action("Create a product", "/new-tier", "sell"),
    ),
)


@router.get(_PATH)
async def list_tiers(db: Db, settings: SettingsDep, visit: ProjectPage, asked: Asked) -> Response:
    headers = f'-H "Authorization: Bearer sk_{visit.mode}_…" -H "Content-Type: application/json"'
    tier = '{"name": "pro", "prices": [{"price": "19.99", "currency": "usd"}]}'
    command = f"curl {settings.link_base}/tiers {headers} -d '{tier}'"
    return await _page_of(visit).show(db, visit, asked, _fetch(visit, asked), command=command)


@router.get(_PATH + ".csv")
async def export_tiers(db: Db, visit: ProjectExport, asked: Asked) -> Response:
    return _page_of(visit).export(db, f"tiers-{visit.mode}", _fetch(visit, asked))


def _page_of(visit: ProjectContext) -> lists.ListPage[Held, ProjectContext]:
    return PRODUCTS if visit.project.type == "store" else PLANS


def _fetch(visit: ProjectContext, asked: TierQuery) -> Fetch[Held]:
    async def fetch(tx: Tx, _: int, __: None) -> list[Held]:
        offers = await catalog.list_tiers(tx, visit.platform_no, visit.project.id, visit.mode, archived_too=True)
        inventory = await store.get_inventory(tx, visit.scope, [offer.id for offer in offers])
        subscribers = await billing.subscribers_by_plan(tx, visit.scope)
        held = [Held(offer, inventory[offer.id], subscribers.get(offer.name, 0)) for offer in offers]
        wanted = (asked.state,) if asked.state else ("visible", "hidden")
        return sorted((each for each in held if each.state in wanted), key=_SORTS[asked.sort])

    return fetch

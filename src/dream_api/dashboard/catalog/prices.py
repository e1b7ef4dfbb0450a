"""`/dashboard/{projectId}/{mode}/tiers/{name}/prices`: create and archive prices, which are never changed."""

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import catalog
from dream_api.catalog import NewPrice, PriceCreate, TierWithPrices
from dream_api.core.db import Database, Tx
from dream_api.core.errors import AppError, NotFound
from dream_api.core.http import Form, parse_json_body
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.audit import record
from dream_api.dashboard.catalog.tier_page import Name, find, show_tier, tier_url
from dream_api.dashboard.dependencies import ProjectContext, ProjectPageCanSell
from dream_api.dashboard.forms import FormErrors, Given, SentForm, parse_integer, submits
from dream_api.dashboard.layout import PageRoute, render_page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/tiers/{name}/prices"
# Rows for the steps of a tiered or volume price.
_STEPS = 6
_STEP = ("upTo", "unitAmount", "flatAmount")
_AT = "prices.0"


@router.get(_PATH + "/new")
async def ask_for_price(db: Db, visit: ProjectPageCanSell, name: Name) -> Response:
    return await _show(db, visit, name, {"currency": "usd", "interval": "month", "type": "recurring"})


async def _lock_tier(tx: Tx, visit: ProjectContext, name: str) -> TierWithPrices:
    offer = await catalog.lock_tier(tx, visit.project, visit.mode, name)
    if offer is None:
        raise NotFound("Plan or product not found.")
    return offer


def _parse_price(form: Form, *, is_store: bool) -> NewPrice:
    """What the form asks for; refuses it as the API does."""
    currency = form.get("currency", "")
    asked: dict[str, Any] = {"currency": currency, "price": form.get("price") or None, "tiers": _steps(form, currency)}
    asked["billingScheme"] = form.get("billingScheme") or None
    asked["per"] = parse_integer(form, "per") or 1
    if not is_store:
        asked |= {"type": form.get("type") or None, "interval": form.get("interval") or None}
        asked |= {"intervalCount": parse_integer(form, "intervalCount"), "meter": form.get("meter") or None}
    return catalog.new_price(parse_json_body(PriceCreate, json.dumps(asked).encode(), "application/json"), _AT)


def _steps(form: Form, currency: str) -> list[dict[str, Any]]:
    """The rows that something was typed into; amounts in major units there, in minor ones from here on."""
    steps: list[dict[str, Any]] = []
    for row in range(_STEPS):
        typed = {part: form.get(f"tiers.{row}.{part}", "") for part in _STEP}
        if any(typed.values()):
            amounts = {
                part: catalog.parse_amount(typed[part] or "0", currency, f"tiers.{row}.{part}") for part in _STEP[1:]
            }
            steps.append({"upTo": parse_integer(form, f"tiers.{row}.upTo"), **amounts})
    return steps


def _form_errors(error: AppError, _: Given) -> FormErrors:
    param = (error.param or "").removeprefix(_AT).removeprefix(".")
    sentence = error.sentence.removeprefix(f"{param}: ")
    return {"price" if param == "amount" else param: sentence[:1].upper() + sentence[1:]}


async def _show(
    db: Database, visit: ProjectContext, name: str, form: Form, problems: FormErrors | None = None
) -> Response:
    async with db.read() as tx:
        held = await find(tx, visit, name)
    return render_page(
        visit,
        "catalog/price.html",
        here="tiers",
        status=422 if problems else 200,
        mode_path="/tiers",
        held=held,
        form=form,
        rows=range(_STEPS),
        is_store=visit.project.type == "store",
        problems=problems or {},
    )


@submits(router, _PATH, _show, fields=_form_errors)
async def create_price(request: Request, db: Db, visit: ProjectPageCanSell, name: Name, form: SentForm) -> str:
    """On sale within a second."""
    new = _parse_price(form, is_store=visit.project.type == "store")
    async with db.write() as tx:
        offer = await _lock_tier(tx, visit, name)
        await catalog.add_price(tx, visit.project, visit.mode, offer, new, keep_others="keep_others" in form)
        await record(tx, request, visit, "tier.changed", about=offer.id, tier=name, price="new")
    return tier_url(visit, name, "price")


async def _show_tier(db: Db, visit: ProjectContext, name: str, problems: FormErrors) -> Response:
    return await show_tier(db, visit, name, problems=problems)


@submits(router, _PATH + "/archive", _show_tier, fields={"priceId": "prices"})
async def archive_price(request: Request, db: Db, visit: ProjectPageCanSell, name: Name, form: SentForm) -> str:
    """Nobody new can buy at it; existing subscribers keep it."""
    async with db.write() as tx:
        offer = await _lock_tier(tx, visit, name)
        await catalog.archive_price(tx, visit.project, visit.mode, offer, form.get("price", ""))
        await record(tx, request, visit, "tier.changed", about=offer.id, tier=name, price="archived")
    return tier_url(visit, name, "archived-price")

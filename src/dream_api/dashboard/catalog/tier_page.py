"""Renders the page of one tier, for all views that change it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Path
from starlette.responses import Response

from dream_api import billing, catalog, store
from dream_api.catalog import TierWithPrices
from dream_api.core.db import Database, Tx
from dream_api.core.http import Form
from dream_api.dashboard.catalog import tier_form
from dream_api.dashboard.dependencies import ProjectContext
from dream_api.dashboard.forms import FormErrors
from dream_api.dashboard.layout import project_url, render_page
from dream_api.store import Inventory

Name = Annotated[str, Path(max_length=63)]
WINDOWS = (
    ("period", "billing period"),
    ("hour", "hour"),
    ("day", "day"),
    ("month", "calendar month"),
    ("lifetime", "no reset"),
)
DONE = {
    "made": "Created. Next, add a price.",
    "saved": "Saved. Changes apply within a second.",
    "price": "Price added.",
    "archived-price": "Price archived. Existing subscribers keep it.",
}


@dataclass(frozen=True, slots=True)
class Held:
    """A tier with its inventory and its number of subscribers."""

    offer: TierWithPrices
    inventory: Inventory
    subscribers: int

    @property
    def state(self) -> Literal["visible", "hidden", "archived"]:
        if self.offer.is_archived:
            return "archived"
        return "visible" if self.offer.is_visible else "hidden"


async def find(tx: Tx, visit: ProjectContext, name: str) -> Held:
    """NotFound where the project has no such tier in this mode."""
    offer = await catalog.find_tier(tx, visit.platform_no, visit.project.id, visit.mode, name)
    inventory = await store.get_inventory(tx, visit.scope, [offer.id])
    subscribers = await billing.subscribers_by_plan(tx, visit.scope)
    return Held(offer, inventory[offer.id], subscribers.get(offer.name, 0))


def tier_url(visit: ProjectContext, name: str, done: str = "") -> str:
    return project_url(visit, f"/tiers/{name}") + (f"?done={done}" if done else "")


async def show_tier(
    db: Database,
    visit: ProjectContext,
    name: str,
    *,
    form: Form | None = None,
    problems: FormErrors | None = None,
    done: str = "",
) -> Response:
    """The editor; without `form` it begins with what the tier is."""
    async with db.read() as tx:
        held = await find(tx, visit, name)
    begun = tier_form.form_of(held.offer, held.inventory) if form is None else form
    return _editor(visit, held, begun, problems or {}, DONE.get(done))


def show_new(visit: ProjectContext, form: Form, problems: FormErrors | None = None) -> Response:
    return _editor(visit, None, form, problems or {}, None)


def _editor(visit: ProjectContext, held: Held | None, form: Form, problems: FormErrors, done: str | None) -> Response:
    return render_page(
        visit,
        "catalog/tier.html",
        here="tiers",
        status=422 if problems else 200,
        mode_path="/tiers",
        held=held,
        form=form,
        rows=tier_form.rows_in(form),
        windows=WINDOWS,
        problems=problems,
        done=done,
        is_store=visit.project.type == "store",
        may_sell=visit.may("sell"),
    )

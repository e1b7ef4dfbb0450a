"""`/checkout/{projectId}/{checkoutId}/{secret}`: thanks the buyer; and `…/canceled`, after a canceled checkout."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, Response

from dream_api import billing, catalog, platforms
from dream_api.core import clock
from dream_api.core.db import Row, Tx
from dream_api.core.html import format as formats
from dream_api.core.html.renderer import TemplateRenderer
from dream_api.core.http.dependencies import Db
from dream_api.hosted.headers import HEADERS, POLICY
from dream_api.platforms import Project

router = APIRouter(prefix="/checkout/{projectId}/{checkoutId}/{secret}", include_in_schema=False)

_PAGES = TemplateRenderer(
    "dream_api.hosted",
    amount=formats.format_amount,
    day=formats.day,
    instant=formats.format_time,
    rfc3339=clock.rfc3339,
)
_TEXT = r"^[A-Za-z0-9_-]+$"
ProjectId = Annotated[str, Path(alias="projectId", max_length=64, pattern=_TEXT)]
CheckoutId = Annotated[str, Path(alias="checkoutId", max_length=64, pattern=_TEXT)]
Secret = Annotated[str, Path(max_length=64, pattern=_TEXT)]


@dataclass(frozen=True, slots=True)
class Line:
    """What was bought, and its price: `$19.99 per month`; `amount`: None where it is billed by usage."""

    name: str
    price_text: str
    amount: int | None


@dataclass(frozen=True, slots=True)
class CheckoutReturn:
    """A checkout as its buyer may see it; all amounts in minor units of the currency."""

    project: Project
    checkout: Row[Any]
    lines: Sequence[Line]
    trial_days: int

    @property
    def may_be_paid(self) -> bool:
        return self.checkout.status in ("opening", "open")

    @property
    def discount(self) -> int:
        return 0 if self.trial_days else self.checkout.subtotal - (self.checkout.total or 0)

    @property
    def website(self) -> str | None:
        return next((origin for origin in self.project.origins if "*" not in origin), None)


@router.get("")
async def show_success(
    request: Request, db: Db, project_id: ProjectId, checkout_id: CheckoutId, secret: Secret
) -> Response:
    shown = await _read(db, project_id, checkout_id, secret)
    return _page(request, shown, "confirming" if shown.may_be_paid else shown.checkout.status)


@router.get("/canceled")
async def show_canceled(
    request: Request, db: Db, project_id: ProjectId, checkout_id: CheckoutId, secret: Secret
) -> Response:
    shown = await _read(db, project_id, checkout_id, secret)
    return _page(request, shown, "complete" if shown.checkout.status == "complete" else "canceled")


async def _read(db: Db, project_id: str, checkout_id: str, secret: str) -> CheckoutReturn:
    async with db.read() as tx:
        project = await platforms.load_project(tx, project_id)
        checkout = await billing.find_by_return_page(tx, project, checkout_id, secret)
        assert project is not None
        wanted = json.loads(checkout.wanted)
        lines = [await _line(tx, project, checkout, line) for line in wanted["lines"]]
    return CheckoutReturn(project, checkout, lines, wanted["trialDays"])


async def _line(tx: Tx, project: Project, checkout: Row[Any], line: dict[str, Any]) -> Line:
    price = await catalog.find_price(tx, project.platform_no, project.id, checkout.mode, line["price"])
    quantity: int = line["quantity"]
    name = line["name"] if quantity <= 1 else f"{formats.number(quantity)} × {line['name']}"
    return Line(name, catalog.describe_price(price), catalog.amount_of(price, quantity) if quantity else None)


def _page(request: Request, shown: CheckoutReturn, state: str) -> Response:
    with formats.in_locale(formats.negotiate_locale(request.headers.get("accept-language", ""))):
        text = _PAGES.render("checkout_return.html", shown=shown, checkout=shown.checkout, state=state)
    return HTMLResponse(text, headers={**HEADERS, "Content-Security-Policy": f"{POLICY}'none'"})

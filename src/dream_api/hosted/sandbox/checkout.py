"""`/sandbox/checkout/{id}`: the checkout page of the sandbox gateway, paid with test cards."""

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import billing
from dream_api.billing import BillingContext, sandbox_checkout
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock
from dream_api.core.errors import ValidationFailed
from dream_api.core.html.format import format_amount
from dream_api.core.http import read_form
from dream_api.gateways.contract import AuthenticationRequired, CardRefused
from dream_api.gateways.sandbox import CheckoutSession
from dream_api.hosted.sandbox.card_form import CardForm, attempt_of, card_error, chosen
from dream_api.hosted.sandbox.checkout_summary import CheckoutSummary, read_checkout_summary
from dream_api.hosted.sandbox.page import Id, PageRoute, page, redirect, seller_of

router = APIRouter(prefix="/sandbox/checkout", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """A checkout with all that its pages show."""

    session: CheckoutSession
    seller: str
    asked: CheckoutSummary
    state: Literal["open", "complete", "expired"]
    expires_at: int

    @property
    def address(self) -> str:
        return f"/sandbox/checkout/{self.session.document['id']}"


async def _visit(billing_context: BillingContext, session_id: str) -> Visit:
    session = await sandbox_checkout.sandbox_of(billing_context).find_session(session_id)
    async with billing_context.database.read() as tx:
        now = await billing.account_now(tx, session.account)
        seller = await seller_of(tx, session.account)
        asked = await read_checkout_summary(tx, session, now)
    expires_at = session.document["expires_at"] * clock.SECOND
    is_over = session.document["status"] == "open" and expires_at <= now
    return Visit(session, seller, asked, "expired" if is_over else session.document["status"], expires_at)


@router.get("/{id}")
async def show_checkout(billing_context: BillingDep, session_id: Id, card: str = "") -> Response:
    visit = await _visit(billing_context, session_id)
    if visit.state != "open":
        return _ended(visit)
    return _form(visit, chosen(card))


@router.post("/{id}")
async def answer_checkout(request: Request, billing_context: BillingDep, session_id: Id) -> Response:
    """Pays with what was typed, or leaves."""
    form = await read_form(request)
    visit = await _visit(billing_context, session_id)
    if visit.state != "open":
        return redirect(visit.address)
    if form.get("do") == "leave":
        return redirect(
            sandbox_checkout.cancel_url(await sandbox_checkout.abandon_checkout(billing_context, session_id))
        )
    return await _pay(billing_context, visit, attempt_of(form))


async def _pay(billing_context: BillingContext, visit: Visit, attempt: CardForm) -> Response:
    if attempt.refused is not None:
        return _form(visit, attempt, attempt.refused, status=CardRefused.status)
    card = attempt.card if visit.asked.wants_card else None
    session_id: str = visit.session.document["id"]
    try:
        session = await sandbox_checkout.pay_checkout(
            billing_context, session_id, card, authenticate=attempt.is_confirmed
        )
    except AuthenticationRequired:
        due = format_amount(visit.asked.due, visit.asked.currency) if visit.asked.due else None
        return page("bank.html", action=visit.address, attempt=attempt, due=due, **_shown(visit))
    except (CardRefused, ValidationFailed) as refused:
        return _form(visit, attempt, card_error(refused), status=refused.status)
    return redirect(sandbox_checkout.success_url(session))


def _form(visit: Visit, attempt: CardForm, problem: str | None = None, *, status: int = 200) -> Response:
    return page("checkout.html", status, attempt=attempt, problem=problem, **_shown(visit))


def _ended(visit: Visit) -> Response:
    return page(f"{visit.state}.html", way_on=sandbox_checkout.success_url(visit.session), **_shown(visit))


def _shown(visit: Visit) -> dict[str, Any]:
    document = visit.session.document
    way_on, way_back = sandbox_checkout.success_url(visit.session), sandbox_checkout.cancel_url(visit.session)
    return {
        "visit": visit,
        "asked": visit.asked,
        "seller": visit.seller,
        "email": document["customer_details"]["email"],
        "way_back": way_back,
        "leads_to": (way_on, way_back),
    }

"""`/sandbox/portal/{id}/card`: change the card."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api.billing import sandbox_checkout
from dream_api.billing.dependencies import BillingDep
from dream_api.core.errors import ValidationFailed
from dream_api.core.http import read_form
from dream_api.gateways.contract import AuthenticationRequired, CardRefused
from dream_api.hosted.sandbox.card_form import CardForm, attempt_of, card_error, chosen
from dream_api.hosted.sandbox.page import Id, PageRoute, page, redirect
from dream_api.hosted.sandbox.portal import Visit, visit_of

router = APIRouter(prefix="/sandbox/portal", route_class=PageRoute, include_in_schema=False)


@router.get("/{id}/card")
async def show_card(billing_context: BillingDep, portal_id: Id, card: str = "") -> Response:
    return _form(await visit_of(billing_context, portal_id), chosen(card))


@router.post("/{id}/card")
async def change_card(request: Request, billing_context: BillingDep, portal_id: Id) -> Response:
    """What is not paid yet is paid with it at once."""
    attempt = attempt_of(await read_form(request))
    visit = await visit_of(billing_context, portal_id)
    if attempt.refused is not None:
        return _form(visit, attempt, attempt.refused, status=CardRefused.status)
    try:
        await sandbox_checkout.change_card(billing_context, portal_id, attempt.card, authenticate=attempt.is_confirmed)
    except AuthenticationRequired:
        return page("bank.html", action=f"{visit.address}/card", attempt=attempt, seller=visit.seller, due=None)
    except (CardRefused, ValidationFailed) as refused:
        return _form(visit, attempt, card_error(refused), status=refused.status)
    return redirect(f"{visit.address}?done=card")


def _form(visit: Visit, attempt: CardForm, problem: str | None = None, *, status: int = 200) -> Response:
    return page("card.html", status, visit=visit, seller=visit.seller, attempt=attempt, problem=problem)

"""`/sandbox/portal/{id}/subscriptions/{…}/cancel` and `/resume`: cancel and resume a subscription."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import billing
from dream_api.billing import subscription_changes
from dream_api.billing.dependencies import BillingDep
from dream_api.core.errors import ValidationFailed
from dream_api.core.http import Form, read_form
from dream_api.hosted.sandbox.page import Id, PageRoute, page, redirect
from dream_api.hosted.sandbox.portal import PortalSubscription, Visit, visit_of

router = APIRouter(prefix="/sandbox/portal", route_class=PageRoute, include_in_schema=False)

_LONGEST_REASON = 255


@router.get("/{id}/subscriptions/{subscription_id}/cancel")
async def ask_whether_to_cancel(billing_context: BillingDep, portal_id: Id, subscription_id: str) -> Response:
    visit = await visit_of(billing_context, portal_id)
    return _form(visit, visit.find(subscription_id), {})


@router.post("/{id}/subscriptions/{subscription_id}/cancel")
async def cancel(request: Request, billing_context: BillingDep, portal_id: Id, subscription_id: str) -> Response:
    """At the period's end; at once only for a customer who typed the plan's name."""
    form = await read_form(request)
    visit = await visit_of(billing_context, portal_id)
    held = visit.find(subscription_id)
    is_now = form.get("when") == "now"
    if len(form.get("reason", "")) > _LONGEST_REASON:
        return _form(visit, held, form, reason=f"Enter at most {_LONGEST_REASON} characters.")
    if is_now and form.get("name", "").casefold() != held.name.casefold():
        return _form(visit, held, form, name=f"Type {held.name} to confirm.")
    await subscription_changes.cancel(
        billing_context, visit.account, held.row, at_period_end=not is_now, reason=form.get("reason") or None, key=None
    )
    await billing.deliver_events(billing_context, visit.account)
    return redirect(f"{visit.address}?done=cancel")


@router.post("/{id}/subscriptions/{subscription_id}/resume")
async def resume(billing_context: BillingDep, portal_id: Id, subscription_id: str) -> Response:
    visit = await visit_of(billing_context, portal_id)
    await subscription_changes.resume(billing_context, visit.account, visit.find_changeable(subscription_id).row, None)
    await billing.deliver_events(billing_context, visit.account)
    return redirect(f"{visit.address}?done=resume")


def _form(visit: Visit, held: PortalSubscription, form: Form, **problems: str) -> Response:
    status = ValidationFailed.status if problems else 200
    return page("cancel.html", status, visit=visit, seller=visit.seller, held=held, form=form, problems=problems)

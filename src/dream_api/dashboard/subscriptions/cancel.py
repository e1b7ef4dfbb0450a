"""Cancel or resume a subscription."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api.auth.csrf import read_csrf_form
from dream_api.billing import subscription_changes
from dream_api.billing.dependencies import BillingDep
from dream_api.core.errors import Conflict, Invalid, ValidationFailed
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectPageCanSell
from dream_api.dashboard.forms import form_errors, require_confirmation
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.dashboard.subscriptions.detail import Id, show_subscription, subscription_url

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/subscriptions/{id}"
_LONGEST_REASON = 255


@router.post(_PATH + "/cancel")
async def cancel_subscription(
    request: Request, billing_context: BillingDep, visit: ProjectPageCanSell, subscription_id: Id
) -> Response:
    """At the end of what was paid for; or now, which is confirmed by the customer's user id."""
    form = await read_csrf_form(request, visit.user)
    is_now = form.get("at") == "now"
    reason = form.get("reason") or None
    try:
        if reason is not None and len(reason) > _LONGEST_REASON:
            raise ValidationFailed(f"A reason has at most {_LONGEST_REASON} characters.", param="reason")
        async with billing_context.database.read() as tx:
            account, row = await subscription_changes.find_subscription(tx, visit.scope, subscription_id)
        if is_now:
            require_confirmation(form, row.user_id)
        await subscription_changes.cancel(
            billing_context, account, row, at_period_end=not is_now, reason=reason, key=None
        )
    except (Invalid, Conflict) as error:
        problems = form_errors(error, {"id": ""})
        return await show_subscription(billing_context, visit, subscription_id, form=form, problems=problems)
    async with billing_context.database.write() as tx:
        at = "now" if is_now else "period_end"
        await record(tx, request, visit, "subscription.canceled", about=subscription_id, at=at)
    return redirect(subscription_url(visit, subscription_id, "canceled"))


@router.post(_PATH + "/resume")
async def resume_subscription(
    request: Request, billing_context: BillingDep, visit: ProjectPageCanSell, subscription_id: Id
) -> Response:
    """Take back a cancellation at the period's end."""
    await read_csrf_form(request, visit.user)
    try:
        async with billing_context.database.read() as tx:
            account, row = await subscription_changes.find_subscription(tx, visit.scope, subscription_id)
        await subscription_changes.resume(billing_context, account, row, None)
    except (Invalid, Conflict) as error:
        return await show_subscription(billing_context, visit, subscription_id, problems=form_errors(error, {"id": ""}))
    async with billing_context.database.write() as tx:
        await record(tx, request, visit, "subscription.resumed", about=subscription_id)
    return redirect(subscription_url(visit, subscription_id, "resumed"))

"""Cancel or resume a subscription."""

from fastapi import APIRouter, Request

from dream_api.billing import subscription_changes
from dream_api.billing.dependencies import BillingDep
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectPageCanSell
from dream_api.dashboard.forms import SentForm, parse_reason, require_confirmation, submits
from dream_api.dashboard.layout import PageRoute
from dream_api.dashboard.subscriptions.detail import Id, show_subscription, subscription_url

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/subscriptions/{id}"
_FIELDS = {"id": ""}


@submits(router, _PATH + "/cancel", show_subscription, fields=_FIELDS)
async def cancel_subscription(
    request: Request, billing_context: BillingDep, visit: ProjectPageCanSell, subscription_id: Id, form: SentForm
) -> str:
    """At the end of the billing period; or now, which is confirmed by the customer's user id."""
    is_now = form.get("at") == "now"
    reason = parse_reason(form)
    async with billing_context.database.read() as tx:
        account, row = await subscription_changes.find_subscription(tx, visit.scope, subscription_id)
    if is_now:
        require_confirmation(form, row.user_id)
    await subscription_changes.cancel(billing_context, account, row, at_period_end=not is_now, reason=reason, key=None)
    async with billing_context.database.write() as tx:
        at = "now" if is_now else "period_end"
        await record(tx, request, visit, "subscription.canceled", about=subscription_id, at=at)
    return subscription_url(visit, subscription_id, "canceled")


@submits(router, _PATH + "/resume", show_subscription, fields=_FIELDS)
async def resume_subscription(
    request: Request, billing_context: BillingDep, visit: ProjectPageCanSell, subscription_id: Id, form: SentForm
) -> str:
    """Undo a cancellation at the period's end."""
    async with billing_context.database.read() as tx:
        account, row = await subscription_changes.find_subscription(tx, visit.scope, subscription_id)
    await subscription_changes.resume(billing_context, account, row, None)
    async with billing_context.database.write() as tx:
        await record(tx, request, visit, "subscription.resumed", about=subscription_id)
    return subscription_url(visit, subscription_id, "resumed")

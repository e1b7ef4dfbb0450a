"""Billing: checkouts, subscriptions, invoices, payments and refunds, in sync with the payment gateways.

A sale takes three steps, because a gateway is called with no transaction open:

    checkout = await billing.create_checkout(tx, account, wanted, …)     the intent, and its outgoing key
    checkout = await billing.open_page(context, account, checkout)      the gateway's page
    …                                                                   the gateway's event, and `sync_object` reads it

Higher packages handle the events that `context.py` names, in the transaction that stores the change.
"""

from dream_api.billing.checkout_expiry import expire_checkout
from dream_api.billing.checkouts import OPEN_FOR, create_checkout, open_page
from dream_api.billing.context import (
    CHECKOUT_COMPLETED,
    CHECKOUT_EXPIRED,
    EVENT_DESCRIPTIONS,
    PLAN_CHANGED,
    REFUND_FAILED,
    REFUND_SUCCEEDED,
    BillingContext,
    DueTask,
)
from dream_api.billing.customer_status import (
    CustomerSubscribed,
    end_subscriptions,
    follow_at_once,
    record_status_change,
    require_not_subscribed,
)
from dream_api.billing.due_work import DUE_TASKS, TestClockNeedsSandbox, advance, run_due
from dream_api.billing.event_sync import apply_event, sync_object
from dream_api.billing.gateway_accounts import (
    CustomerNeverPaid,
    GatewayMissing,
    account_now,
    ensure_account,
    find_account,
    find_gateway_customer,
    find_payer,
    scope_of,
    to_gateway_account,
)
from dream_api.billing.idempotency import find_started_checkout, find_started_refund
from dream_api.billing.integrity import checks
from dream_api.billing.queries import (
    checkout_by_id,
    granting_subscriptions_of_user,
    has_payments,
    lock_payment,
    payments_of_checkout,
    refunds_of,
    subscribers_by_plan,
    user_ids_by_invoice,
    user_ids_by_payment,
)
from dream_api.billing.refunds import (
    RefundLimitExceeded,
    RefundTooLarge,
    create_refund,
    find_payment,
    require_refund_limit,
    send_refund,
)
from dream_api.billing.return_pages import ReturnPages, create_return_pages, find_by_return_page
from dream_api.billing.sandbox_delivery import deliver_events
from dream_api.billing.subscription_checkout import AlreadySubscribed, create_subscription_checkout
from dream_api.billing.webhook_intake import receive
from dream_api.billing.wind_down import end_sales_to, follow_closure

__all__ = [
    "CHECKOUT_COMPLETED",
    "CHECKOUT_EXPIRED",
    "DUE_TASKS",
    "EVENT_DESCRIPTIONS",
    "OPEN_FOR",
    "PLAN_CHANGED",
    "REFUND_FAILED",
    "REFUND_SUCCEEDED",
    "AlreadySubscribed",
    "BillingContext",
    "CustomerNeverPaid",
    "CustomerSubscribed",
    "DueTask",
    "GatewayMissing",
    "RefundLimitExceeded",
    "RefundTooLarge",
    "ReturnPages",
    "TestClockNeedsSandbox",
    "account_now",
    "advance",
    "apply_event",
    "checkout_by_id",
    "checks",
    "create_checkout",
    "create_refund",
    "create_return_pages",
    "create_subscription_checkout",
    "deliver_events",
    "end_sales_to",
    "end_subscriptions",
    "ensure_account",
    "expire_checkout",
    "find_account",
    "find_by_return_page",
    "find_gateway_customer",
    "find_payer",
    "find_payment",
    "find_started_checkout",
    "find_started_refund",
    "follow_at_once",
    "follow_closure",
    "granting_subscriptions_of_user",
    "has_payments",
    "lock_payment",
    "open_page",
    "payments_of_checkout",
    "receive",
    "record_status_change",
    "refunds_of",
    "require_not_subscribed",
    "require_refund_limit",
    "run_due",
    "scope_of",
    "send_refund",
    "subscribers_by_plan",
    "sync_object",
    "to_gateway_account",
    "user_ids_by_invoice",
    "user_ids_by_payment",
]

"""Gateways, checkouts, subscriptions: how money comes in, and what follows from it.

Selling takes three steps, because a gateway is asked with no transaction open:

    checkout = await billing.begin_checkout(tx, account, wanted, …)     what is wanted, and its outgoing key
    checkout = await billing.open_page(desk, account, checkout)         the gateway's page
    …                                                                   the gateway tells, and `refresh` reads it

A room above hears of what was bought by the events that `billing.py` names, in the transaction that writes it down.
"""

from dream_api.billing.checkout_expiry import end as end_checkout
from dream_api.billing.checkouts import OPEN_FOR, open_page
from dream_api.billing.checkouts import begin as begin_checkout
from dream_api.billing.context import (
    CHECKOUT_COMPLETED,
    CHECKOUT_EXPIRED,
    PLAN_CHANGED,
    REFUND_FAILED,
    REFUND_SUCCEEDED,
    SENTENCES,
    BillingContext,
    DueTask,
)
from dream_api.billing.due_work import DUES, TestClockNeedsSandbox, advance, run_due
from dream_api.billing.event_sync import apply_event, sync_object
from dream_api.billing.gateway_accounts import (
    GatewayMissing,
    NotACustomerYet,
    account_of,
    find_account,
    find_gateway_customer,
    find_payer,
    now_in,
    scope_of,
    to_gateway_account,
)
from dream_api.billing.idempotency import begun_checkout, begun_refund
from dream_api.billing.integrity import checks
from dream_api.billing.queries import (
    checkout_by_id,
    has_payments,
    hold_payment,
    holding_of_user,
    payments_of_checkout,
    refunds_of,
    subscribers_by_plan,
    user_ids_by_invoice,
    user_ids_by_payment,
)
from dream_api.billing.refunds import RefundBeyondLimit, RefundTooLarge, find_payment, refuse_beyond
from dream_api.billing.refunds import begin as begin_refund
from dream_api.billing.refunds import send as send_refund
from dream_api.billing.sandbox_delivery import deliver_events
from dream_api.billing.subscription_checkout import AlreadySubscribed, begin_subscription
from dream_api.billing.webhook_intake import receive

__all__ = [
    "CHECKOUT_COMPLETED",
    "CHECKOUT_EXPIRED",
    "DUES",
    "OPEN_FOR",
    "PLAN_CHANGED",
    "REFUND_FAILED",
    "REFUND_SUCCEEDED",
    "SENTENCES",
    "AlreadySubscribed",
    "BillingContext",
    "DueTask",
    "GatewayMissing",
    "NotACustomerYet",
    "RefundBeyondLimit",
    "RefundTooLarge",
    "TestClockNeedsSandbox",
    "account_of",
    "advance",
    "apply_event",
    "begin_checkout",
    "begin_refund",
    "begin_subscription",
    "begun_checkout",
    "begun_refund",
    "checkout_by_id",
    "checks",
    "deliver_events",
    "end_checkout",
    "find_account",
    "find_gateway_customer",
    "find_payer",
    "find_payment",
    "has_payments",
    "hold_payment",
    "holding_of_user",
    "now_in",
    "open_page",
    "payments_of_checkout",
    "receive",
    "refunds_of",
    "refuse_beyond",
    "run_due",
    "scope_of",
    "send_refund",
    "subscribers_by_plan",
    "sync_object",
    "to_gateway_account",
    "user_ids_by_invoice",
    "user_ids_by_payment",
]

"""What selling needs besides a transaction: the gateways, and who hears of what was bought."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from dream_api.core.db import Database, Tx
from dream_api.core.events import Events
from dream_api.core.secrets import InstanceKey
from dream_api.gateways.contract import Gateway, GatewayAccount, Kind

# The events that rooms above may hear, each told in the transaction of what happened.
CHECKOUT_COMPLETED = "checkout.completed"
CHECKOUT_EXPIRED = "checkout.expired"
REFUND_SUCCEEDED = "refund.succeeded"
REFUND_FAILED = "refund.failed"
PLAN_CHANGED = "plan.changed"

SENTENCES = {
    CHECKOUT_COMPLETED: "A checkout was paid, or needs no payment: (checkout, payment, now).",
    CHECKOUT_EXPIRED: "Nobody can pay a checkout any more: (checkout, failed: whether a payment was tried, now).",
    REFUND_SUCCEEDED: "Money went back: (refund, payment, now).",
    REFUND_FAILED: "Money could not go back: (refund, payment, now).",
    PLAN_CHANGED: "What a customer has bought gives another plan: (account, user_id, plan, None where it gives none).",
}


@dataclass(frozen=True, slots=True)
class DueTask:
    """Something that falls due in a project by itself; `run` does the first of it and tells whether there was any."""

    next_at: Callable[[Tx, GatewayAccount], Awaitable[int | None]]
    run: Callable[["BillingContext", GatewayAccount, int], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class BillingContext:
    """One for each process."""

    database: Database
    gateways: Mapping[Kind, Gateway]
    events: Events
    instance_key: InstanceKey
    # In the order in which they run where they fall due at the same moment.
    dues: list[DueTask]

    def gateway_of(self, account: GatewayAccount) -> Gateway:
        return self.gateways[account.gateway]

"""Shared context of billing: gateways, event bus, signing key, due tasks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from dream_api.core.db import Database, Tx
from dream_api.core.events import Events
from dream_api.core.secrets import InstanceKey
from dream_api.gateways.contract import Gateway, GatewayAccount, Kind

# Events for higher packages, each emitted in the transaction of the change.
CHECKOUT_COMPLETED = "checkout.completed"
CHECKOUT_EXPIRED = "checkout.expired"
REFUND_SUCCEEDED = "refund.succeeded"
REFUND_FAILED = "refund.failed"
PLAN_CHANGED = "plan.changed"

EVENT_DESCRIPTIONS = {
    CHECKOUT_COMPLETED: "A checkout was paid, or needs no payment: (checkout, payment, now).",
    CHECKOUT_EXPIRED: "Nobody can pay a checkout any more: (checkout, failed: whether a payment was tried, now).",
    REFUND_SUCCEEDED: "Money went back: (refund, payment, now).",
    REFUND_FAILED: "Money could not go back: (refund, payment, now).",
    PLAN_CHANGED: "What a customer has bought gives another plan: (account, user_id, plan, None where it gives none).",
}


@dataclass(frozen=True, slots=True)
class DueTask:
    """Work that falls due in a project over time; `run` does the first item and returns whether there was one."""

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
    due_tasks: list[DueTask]

    def gateway_of(self, account: GatewayAccount) -> Gateway:
        return self.gateways[account.gateway]

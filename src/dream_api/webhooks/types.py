"""All types of events: what each one tells."""

from typing import Literal

EventType = Literal[
    "usage.threshold_reached",
    "level.threshold_reached",
    "subscription.created",
    "subscription.updated",
    "subscription.canceled",
    "invoice.paid",
    "invoice.payment_failed",
    "payment.succeeded",
    "payment.failed",
    "payment.refunded",
    "payment.disputed",
]

SENTENCES: dict[EventType, str] = {
    "usage.threshold_reached": "A customer's count has come to 50, 80 or 100 % of a limit; once per window.",
    "level.threshold_reached": "The platform has come to 50, 80 or 100 % of a limit of its level; once per window.",
    "subscription.created": "A customer has subscribed.",
    "subscription.updated": "A subscription has another status, plan, quantity, period or end.",
    "subscription.canceled": "A subscription has ended.",
    "invoice.paid": "An invoice was paid.",
    "invoice.payment_failed": "An invoice could not be paid; once for each try.",
    "payment.succeeded": "Money was paid.",
    "payment.failed": "A payment was tried and failed.",
    "payment.refunded": "Money went back.",
    "payment.disputed": "A customer's bank asks for money back.",
}

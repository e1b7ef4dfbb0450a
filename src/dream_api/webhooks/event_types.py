"""All event types, each with a sentence about when it occurs."""

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
    "order.completed",
    "order.failed",
    "order.canceled",
    "order.refunded",
    "stock.low",
    "stock.sold_out",
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
    "order.completed": "An order was paid, and its goods were taken from stock.",
    "order.failed": "An order could not be paid, or was paid when nothing was left: then the money goes back.",
    "order.canceled": "An order will not be paid: its checkout expired or was canceled.",
    "order.refunded": "Money of an order went back, all of it or a part.",
    "stock.low": "A sale left so few of a product that its mark is reached; once each time.",
    "stock.sold_out": "A sale took the last one of a product.",
}

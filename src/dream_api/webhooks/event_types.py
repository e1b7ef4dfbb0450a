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
    "usage.threshold_reached": "A customer has used 50, 80 or 100% of a limit; sent once per window.",
    "level.threshold_reached": "The platform has used 50, 80 or 100% of a limit of its level; sent once per window.",
    "subscription.created": "A customer subscribed.",
    "subscription.updated": "A subscription changed its status, plan, quantity, billing period or end.",
    "subscription.canceled": "A subscription ended.",
    "invoice.paid": "An invoice was paid.",
    "invoice.payment_failed": "The payment of an invoice failed; sent for each attempt.",
    "payment.succeeded": "A payment succeeded.",
    "payment.failed": "A payment failed.",
    "payment.refunded": "A payment was refunded.",
    "payment.disputed": "A customer disputed a payment.",
    "order.completed": "An order was paid, and its items were taken from stock.",
    "order.failed": "An order could not be paid, or was sold out and is refunded.",
    "order.canceled": "An order was canceled, or its checkout expired.",
    "order.refunded": "An order was refunded, in full or in part.",
    "stock.low": "A sale brought a product to its low stock level.",
    "stock.sold_out": "A product sold out.",
}

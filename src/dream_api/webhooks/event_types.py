"""All event types, each with a sentence about when it occurs."""

from typing import Literal

EventType = Literal[
    "usage.threshold_reached",
    "level.threshold_reached",
    "subscription.created",
    "subscription.updated",
    "subscription.canceled",
    "usage.not_billable",
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
    "usage.threshold_reached": "The count of a customer reached 50, 80 or 100% of a limit. Created once per window.",
    "level.threshold_reached": "The platform reached 50, 80 or 100% of a limit of its level. Created once per window.",
    "subscription.created": "A customer subscribed.",
    "subscription.updated": "The status, plan, quantity, billing period or end of a subscription changed.",
    "subscription.canceled": "A subscription ended.",
    "usage.not_billable": "Usage of a billing period costs more than one payment can be. It is kept, and not invoiced.",
    "invoice.paid": "An invoice was paid.",
    "invoice.payment_failed": "The payment of an invoice failed. Created for each attempt.",
    "payment.succeeded": "A payment succeeded.",
    "payment.failed": "A payment failed.",
    "payment.refunded": "A payment was refunded, completely or partially.",
    "payment.disputed": "A customer disputed a payment at their bank.",
    "order.completed": "An order was paid, and its units were taken from stock.",
    "order.failed": "The payment of an order failed, or it arrived when the stock was empty and was refunded.",
    "order.canceled": "An order was canceled, or its checkout expired.",
    "order.refunded": "An order was refunded, completely or partially.",
    "stock.low": "A sale reduced the stock of a product to its low stock level.",
    "stock.sold_out": "A sale took the last unit of a product.",
}

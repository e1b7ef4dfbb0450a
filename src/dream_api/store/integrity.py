"""Integrity checks of stock and orders, for `doctor`."""

from typing import Any

from sqlalchemy import BigInteger, ScalarSelect, and_, cast, func, or_, select

from dream_api.billing.tables import checkouts, refunds
from dream_api.core.integrity import IntegrityCheck
from dream_api.store.tables import order_lines, orders, stock, stock_holds

s = stock.c
h = stock_holds.c
o = orders.c


def checks() -> list[IntegrityCheck]:
    held = _sum(h.quantity, h.platform_no == s.platform_no, h.tier_id == s.tier_id, h.state == "held")
    lines = _sum(order_lines.c.amount, order_lines.c.platform_no == o.platform_no, order_lines.c.order_id == o.id)
    refunded = _sum(
        refunds.c.amount,
        refunds.c.platform_no == o.platform_no,
        refunds.c.payment_id == o.payment_id,
        refunds.c.status == "succeeded",
    )
    of_checkout = and_(checkouts.c.platform_no == h.platform_no, checkouts.c.id == h.checkout_id)
    return [
        IntegrityCheck(
            "stock_held_is_wanted",
            "The held quantity of each product is the sum of its open stock holds.",
            select(s.platform_no, s.tier_id, s.held, held.label("expected")).where(s.held != held),
        ),
        IntegrityCheck(
            "holds_end_with_their_checkouts",
            "Stock is held for every checkout that can still be paid, and for no other checkout.",
            select(h.platform_no, h.checkout_id, h.tier_id, h.state, checkouts.c.status)
            .join(checkouts, of_checkout)
            .where((h.state == "held") != checkouts.c.status.in_(["opening", "open"])),
        ),
        IntegrityCheck(
            "orders_are_sums_of_lines",
            "The subtotal of each order is the sum of its lines, and the total is the subtotal minus the discount.",
            select(o.platform_no, o.id, o.subtotal, o.discount, o.total, lines.label("expected")).where(
                or_(o.subtotal != lines, o.total != o.subtotal - o.discount)
            ),
        ),
        IntegrityCheck(
            "orders_match_their_refunds",
            "The refunded amount of each order is the sum of its payment's successful refunds.",
            select(o.platform_no, o.id, o.refunded_amount, refunded.label("expected")).where(
                o.refunded_amount != refunded
            ),
        ),
    ]


def _sum(amount: Any, *which: Any) -> ScalarSelect[int]:
    total = select(cast(func.coalesce(func.sum(amount), 0), BigInteger)).where(*which)
    return total.correlate(stock, orders).scalar_subquery()

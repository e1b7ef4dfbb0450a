"""Integrity checks of billing, for `doctor`."""

from sqlalchemy import BigInteger, and_, cast, func, or_, select

from dream_api.billing.bill_recomputation import find_wrong_bills
from dream_api.billing.tables import checkouts, invoices, payments, refunds, subscriptions, usage_bills
from dream_api.core import clock
from dream_api.core.integrity import IntegrityCheck
from dream_api.platforms import GRACE
from dream_api.platforms.integrity import rows_without_project
from dream_api.platforms.tables import platforms
from dream_api.usage.tables import usage_hours

# How long the sales of a closed platform may take to end.
_WIND_DOWN = clock.HOUR


def checks() -> list[IntegrityCheck]:
    return [
        _usage_is_billed(),
        _usage_has_its_price(),
        _usage_reaches_invoices(),
        _refunds_add_up(),
        _plans_are_held(),
        _closed_platforms_sell_nothing(),
        _accounts_have_projects(),
    ]


def _usage_is_billed() -> IntegrityCheck:
    b, h = usage_bills.c, usage_hours.c
    period = (b.platform_no, b.subscription_id, b.meter, b.period_starts_at)
    billed = (
        select(
            *period,
            func.max(b.period_ends_at).label("period_ends_at"),
            func.max(b.customer_no).label("customer_no"),
            func.max(b.meter_no).label("meter_no"),
            cast(func.sum(b.quantity), BigInteger).label("quantity"),
        )
        .group_by(*period)
        .subquery()
    )
    p = billed.c
    counted = (
        select(cast(func.coalesce(func.sum(h.total), 0), BigInteger))
        .where(
            h.platform_no == p.platform_no,
            h.customer_no == p.customer_no,
            h.meter_no == p.meter_no,
            h.period_starts_at >= p.period_starts_at,
            h.period_starts_at < p.period_ends_at,
        )
        .correlate(billed)
        .scalar_subquery()
    )
    return IntegrityCheck(
        "usage_is_billed",
        "The billed quantity of each meter and billing period is the counted quantity.",
        select(
            p.platform_no, p.subscription_id, p.meter, p.period_starts_at, p.quantity, counted.label("counted")
        ).where(p.quantity != counted),
    )


def _usage_has_its_price() -> IntegrityCheck:
    return IntegrityCheck(
        "usage_has_its_price",
        "Each part of a billed period has the price that was in force when it was counted, and costs what it says.",
        find_wrong_bills,
    )


def _usage_reaches_invoices() -> IntegrityCheck:
    b, i = usage_bills.c, invoices.c
    finished = (
        select(i.id)
        .where(i.platform_no == b.platform_no, i.gateway_id == b.invoice, i.status != "draft")
        .correlate(usage_bills)
    )
    return IntegrityCheck(
        "usage_reaches_invoices",
        "All billed usage is on an invoice.",
        select(b.platform_no, b.subscription_id, b.meter, b.period_starts_at, b.segment, b.quantity, b.amount).where(
            b.price_id.is_not(None),
            or_(b.amount.is_(None), and_(b.amount > 0, b.sent_at.is_(None), finished.exists())),
        ),
        hint="Usage without an amount costs more than one payment can be: invoice it by hand. All other usage is put "
        "on the next invoice.",
    )


def _refunds_add_up() -> IntegrityCheck:
    p, r = payments.c, refunds.c
    refunded = (
        select(cast(func.coalesce(func.sum(r.amount), 0), BigInteger))
        .where(r.platform_no == p.platform_no, r.payment_id == p.id, r.status == "succeeded")
        .correlate(payments)
        .scalar_subquery()
    )
    return IntegrityCheck(
        "refunds_add_up",
        "The refunded amount of each payment is the sum of its successful refunds.",
        select(p.platform_no, p.id, p.refunded, refunded.label("refunds")).where(p.refunded != refunded),
    )


def _plans_are_held() -> IntegrityCheck:
    s = subscriptions.c
    holds = s.status.in_(("trialing", "active"))
    may_hold = s.status.in_(("trialing", "active", "past_due"))
    return IntegrityCheck(
        "plans_are_held",
        "Subscriptions give their customer a plan while they are trialing or active, and never after they have ended.",
        select(s.platform_no, s.id, s.status, s.holds).where(or_(holds & ~s.holds, ~may_hold & s.holds)),
    )


def _closed_platforms_sell_nothing() -> IntegrityCheck:
    closed_at = platforms.c.deletes_at - GRACE
    closed = closed_at < clock.now() - _WIND_DOWN, platforms.c.gone_at.is_(None)
    c, s = checkouts.c, subscriptions.c
    payable = select(c.platform_no, c.id, c.status).join(platforms, platforms.c.no == c.platform_no)
    renewing = select(s.platform_no, s.id, s.status).join(platforms, platforms.c.no == s.platform_no)
    return IntegrityCheck(
        "closed_platforms_sell_nothing",
        "On platforms that are being deleted, no checkout is open and no subscription renews.",
        payable.where(*closed, c.status.in_(("opening", "open"))).union_all(
            renewing.where(*closed, s.status != "canceled", s.cancel_at.is_(None))
        ),
        hint="A worker ends them within seconds. Check that one is running, and read its log.",
    )


def _accounts_have_projects() -> IntegrityCheck:
    return IntegrityCheck(
        "gateway_accounts_have_projects",
        "Each account at a payment gateway belongs to a project.",
        rows_without_project("gateway_accounts", "id"),
    )

"""Draft invoices: lines and totals."""

from collections.abc import Sequence
from typing import Any

from dream_api.catalog import LARGEST_CHARGE
from dream_api.core import ids
from dream_api.gateways.contract import GatewayRefused, LineItem
from dream_api.gateways.sandbox import objects
from dream_api.gateways.sandbox.line_items import discounts
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

Json = dict[str, Any]
Period = tuple[int, int]


def new_line(
    amount: int, description: str, period: Period, price: Json, *, quantity: int | None = None, key: str | None = None
) -> Json:
    """`key`: of usage, our own name of what is billed."""
    return {
        "id": ids.new("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "livemode": False,
        "metadata": {"price": price["id"]} | ({} if key is None else {"key": key}),
        "period": {"start": period[0], "end": period[1]},
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "subtotal": amount,
        "taxes": [],
    }


def create_draft(
    work: UnitOfWork,
    subscription: StoredObject,
    reason: str,
    lines: Sequence[Json],
    closed: Period,
    *,
    coupon: Json | None = None,
    due: int | None = None,
) -> StoredObject:
    """`closed`: the period that is over, whose usage is billed; `due`: when it will be finalized and charged."""
    document = _document(work, subscription, reason, closed, due)
    document["lines"] = objects.list_object(lines, f"/v1/invoices/{document['id']}/lines")
    set_totals(document, coupon)
    subscription.document["latest_invoice"] = document["id"]
    made = work.add(document, parent=subscription.id, due=due, coupon=coupon, payment=None, failed=None)
    work.emit_event("invoice.created", made)
    return made


def _document(work: UnitOfWork, subscription: StoredObject, reason: str, closed: Period, due: int | None) -> Json:
    of = subscription.document
    details = {"metadata": dict(of["metadata"]), "subscription": subscription.id}
    return {
        "id": ids.new("in"),
        "object": "invoice",
        "account_country": None,
        "account_name": None,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "automatically_finalizes_at": due,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": work.at,
        "currency": of["currency"],
        "customer": of["customer"],
        "customer_email": None,
        "customer_name": None,
        "default_payment_method": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": due,
        "number": None,
        "parent": {"type": "subscription_details", "quote_details": None, "subscription_details": details},
        "payment_settings": dict.fromkeys(("default_mandate", "payment_method_options", "payment_method_types")),
        "payments": objects.list_object([], "/v1/invoice_payments"),
        "period_end": closed[1],
        "period_start": closed[0],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "total_taxes": [],
    }


def set_totals(document: Json, coupon: Json | None) -> None:
    """Subtotal, discounts and total of the lines, which may sum to less than nothing."""
    lines: list[Json] = sorted(document["lines"]["data"], key=is_usage)
    plan, usage = ([one["amount"] for one in lines if is_usage(one) is wanted] for wanted in (False, True))
    all_off = discounts(coupon, plan, usage, document["currency"])
    discount = "" if coupon is None else f"di_{coupon['id']}"
    for one, off in zip(lines, all_off, strict=True):
        one["discount_amounts"] = [{"amount": off, "discount": discount}] if off else []
    subtotal, off = sum(one["amount"] for one in lines), sum(all_off)
    total = subtotal - off
    document |= {
        "amount_due": max(total, 0),
        "amount_remaining": max(total, 0),
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": [{"amount": off, "discount": discount}] if off else [],
        "total_excluding_tax": total,
    }
    document["lines"] = objects.list_object(lines, document["lines"]["url"])


def is_usage(line: Json) -> bool:
    return "key" in line["metadata"]


def add_usage_line(work: UnitOfWork, invoice: StoredObject, usage: LineItem, amount: int, key: str) -> None:
    """The same key stands on an invoice once; it is added to drafts only."""
    document = invoice.document
    lines: list[Json] = document["lines"]["data"]
    if any(one["metadata"].get("key") == key for one in lines):
        return
    if document["status"] != "draft":
        raise GatewayRefused("The invoice is finalized: no line can be added to it.")
    if document["total"] + amount > LARGEST_CHARGE:
        raise GatewayRefused("The invoice would be more than one payment can be.")
    price, period = objects.price(usage, work.at), (document["period_start"], document["period_end"])
    lines.append(new_line(amount, usage.name, period, price, quantity=usage.quantity, key=key))
    set_totals(document, invoice.hidden["coupon"])
    work.emit_event("invoice.updated", invoice)


def add_lines(work: UnitOfWork, invoice: StoredObject, lines: Sequence[Json]) -> None:
    """Put lines on a draft."""
    if lines:
        invoice.document["lines"]["data"] += lines
        set_totals(invoice.document, invoice.hidden["coupon"])
        work.emit_event("invoice.updated", invoice)


def remove_plan_lines(work: UnitOfWork, invoice: StoredObject) -> None:
    """Only usage remains on the draft: a period that was not paid for and is not had costs nothing."""
    kept = [one for one in invoice.document["lines"]["data"] if is_usage(one)]
    if len(kept) == len(invoice.document["lines"]["data"]):
        return
    invoice.document["lines"]["data"] = kept
    set_totals(invoice.document, invoice.hidden["coupon"])
    work.emit_event("invoice.updated", invoice)

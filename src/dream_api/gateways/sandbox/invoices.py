"""Finalizes invoices, and marks them paid or uncollectible; the credit balance pays first."""

from typing import Any

from dream_api.core import ids, money
from dream_api.gateways.sandbox import objects
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

Json = dict[str, Any]


def credit_balance(customer: StoredObject, currency: str) -> int:
    """What the customer is owed, and following invoices are paid with; below nothing: what they owe with the next."""
    return -customer.document["invoice_credit_balance"].get(currency, 0)


def finalize(work: UnitOfWork, invoice: StoredObject, customer: StoredObject, *, uses_credit: bool = True) -> None:
    """Numbered, and open for payment; a total below nothing becomes credit, and credit pays a total above."""
    document, payer = invoice.document, customer.document
    currency, total = document["currency"], document["total"]
    credit = credit_balance(customer, currency)
    used = min(credit if uses_credit else 0, total)
    if 0 < total - used < money.smallest_charge(currency):
        used = total  # what is too little to be charged is owed with the next invoice
    _set_credit(customer, currency, credit - used)
    number = payer["next_invoice_sequence"]
    payer["next_invoice_sequence"] = number + 1
    document |= {
        "number": f"{payer['invoice_prefix']}-{number:04}",
        "customer_email": payer["email"],
        "status": "open",
        "effective_at": work.at,
        "automatically_finalizes_at": None,
        "starting_balance": -credit,
        "ending_balance": used - credit,
        "amount_due": max(total - used, 0),
        "amount_remaining": max(total - used, 0),
    }
    document["status_transitions"]["finalized_at"] = work.at
    work.emit_event("invoice.finalized", invoice)


def _set_credit(customer: StoredObject, currency: str, credit: int) -> None:
    customer.document["invoice_credit_balance"][currency] = -credit
    if currency == customer.document["currency"]:
        customer.document["balance"] = -credit


def mark_paid(work: UnitOfWork, invoice: StoredObject, payment: StoredObject | None) -> None:
    """Paid, by the payment or because nothing was due."""
    document = invoice.document
    due = document["amount_due"]
    document |= {
        "status": "paid",
        "amount_paid": due,
        "amount_remaining": 0,
        "attempted": True,
        "next_payment_attempt": None,
    }
    document["status_transitions"]["paid_at"] = work.at
    if payment is not None:
        document["payments"] = objects.list_object([_payment(work, invoice, payment)], "/v1/invoice_payments")
    invoice.due = None
    work.emit_event("invoice.paid", invoice)


def _payment(work: UnitOfWork, invoice: StoredObject, payment: StoredObject) -> Json:
    due = invoice.document["amount_due"]
    return {
        "id": ids.new("inpay"),
        "object": "invoice_payment",
        "amount_paid": due,
        "amount_requested": due,
        "created": work.at,
        "currency": invoice.document["currency"],
        "invoice": invoice.id,
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": payment.id},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": work.at},
    }


def void(work: UnitOfWork, invoice: StoredObject) -> None:
    """It bills nothing any more."""
    invoice.document |= {"status": "void", "auto_advance": False, "next_payment_attempt": None}
    invoice.document |= {"automatically_finalizes_at": None, "amount_due": 0, "amount_remaining": 0}
    invoice.document["status_transitions"]["voided_at"] = work.at
    invoice.due = None
    work.emit_event("invoice.voided", invoice)


def mark_uncollectible(work: UnitOfWork, invoice: StoredObject) -> None:
    """Nobody is asked for it any more."""
    invoice.document |= {"status": "uncollectible", "auto_advance": False, "next_payment_attempt": None}
    invoice.document["status_transitions"]["marked_uncollectible_at"] = work.at
    invoice.due = None
    work.emit_event("invoice.marked_uncollectible", invoice)

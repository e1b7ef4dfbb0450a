"""Payment intents, their charges, disputes and refunds."""

from typing import Any

from dream_api.core import ids
from dream_api.gateways.contract import CardRefused, GatewayRefused
from dream_api.gateways.sandbox.billing_cycle import DAY
from dream_api.gateways.sandbox.test_cards import Card, decline_error, find_card
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

Json = dict[str, Any]
_DISPUTE_DAYS = 7
# Stripe's words for why: `code`, and `decline_code` where the bank gave one.
_REASONS = {
    "card_declined": ("card_declined", "generic_decline"),
    "insufficient_funds": ("card_declined", "insufficient_funds"),
    "authentication_required": ("authentication_required", "authentication_required"),
}


def create_intent(
    work: UnitOfWork, amount: int, currency: str, customer: str | None, metadata: dict[str, str]
) -> StoredObject:
    """So much is to be paid; nothing is charged yet."""
    document = {
        "id": ids.new("pi"),
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": None,
        "confirmation_method": "automatic",
        "created": work.at,
        "currency": currency,
        "customer": customer,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": metadata,
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "status": "requires_payment_method",
    }
    return work.add(document, parent=customer)


def charge_card(
    work: UnitOfWork, payment: StoredObject, card: Card, *, is_present: bool, is_authenticated: bool = False
) -> CardRefused | None:
    """Charge the card; None where it paid. Either outcome is stored and emits events."""
    refused = decline_error(card, is_present=is_present, is_authenticated=is_authenticated)
    charge = _charge(work, payment, card, refused)
    payment.document["latest_charge"] = charge.id
    if refused is not None:
        payment.document["last_payment_error"] = _error(refused, charge)
        work.emit_event("payment_intent.payment_failed", payment)
        return refused
    payment.document |= {
        "status": "succeeded",
        "amount_received": payment.document["amount"],
        "last_payment_error": None,
        "payment_method": charge.document["payment_method"],
    }
    work.emit_event("charge.succeeded", charge)
    work.emit_event("payment_intent.succeeded", payment)
    if card.behaviour == "disputed":
        _dispute(work, charge)
    return None


def _error(refused: CardRefused, charge: StoredObject) -> Json:
    code, decline_code = _REASONS[refused.code]
    return {
        "type": "card_error",
        "code": code,
        "decline_code": decline_code,
        "message": refused.sentence,
        "charge": charge.id,
    }


def _charge(work: UnitOfWork, payment: StoredObject, card: Card, refused: CardRefused | None) -> StoredObject:
    asked, is_paid = payment.document, refused is None
    document = {
        "id": ids.new("ch"),
        "object": "charge",
        "amount": asked["amount"],
        "amount_captured": asked["amount"] if is_paid else 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "captured": is_paid,
        "created": work.at,
        "currency": asked["currency"],
        "customer": asked["customer"],
        "description": None,
        "disputed": False,
        "failure_code": None if refused is None else _REASONS[refused.code][0],
        "failure_message": None if refused is None else refused.sentence,
        "livemode": False,
        "metadata": dict(asked["metadata"]),
        "paid": is_paid,
        "payment_intent": payment.id,
        "payment_method": ids.new("pm"),
        "payment_method_details": {"type": "card", "card": {"brand": card.brand, "last4": card.last4, "country": "US"}},
        "receipt_url": None,
        "refunded": False,
        "status": "succeeded" if is_paid else "failed",
    }
    return work.add(document, parent=payment.id, card=card.number)


def _dispute(work: UnitOfWork, charge: StoredObject) -> None:
    charge.document["disputed"] = True
    lost_at = work.at + _DISPUTE_DAYS * DAY
    document: Json = {
        "id": ids.new("dp"),
        "object": "dispute",
        "amount": charge.document["amount"],
        "balance_transactions": [],
        "charge": charge.id,
        "created": work.at,
        "currency": charge.document["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {"due_by": lost_at, "has_evidence": False, "past_due": False, "submission_count": 0},
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge.document["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
    }
    work.emit_event("charge.dispute.created", work.add(document, parent=charge.parent, due=lost_at))


def lose_dispute(work: UnitOfWork, dispute: StoredObject) -> None:
    """Nobody answered it in time: the money is the buyer's again."""
    dispute.document["status"] = "lost"
    dispute.document["evidence_details"]["past_due"] = True
    dispute.due = None
    work.emit_event("charge.dispute.closed", dispute)


async def refund(
    work: UnitOfWork, payment: StoredObject, amount: int, *, reason: str | None, metadata: dict[str, str]
) -> StoredObject:
    """All refunds together never give back more than was paid."""
    if payment.document["status"] != "succeeded":
        raise GatewayRefused("Only successful payments can be refunded.")
    charge = await work.find("charge", payment.document["latest_charge"])
    left = charge.document["amount"] - charge.document["amount_refunded"]
    if charge.document["disputed"]:
        raise GatewayRefused("The payment is disputed and cannot be refunded.")
    if not 0 < amount <= left:
        raise GatewayRefused(f"At most {left} of this payment can be refunded, not {amount}.")
    fails = find_card(charge.hidden["card"]).behaviour == "keeps_refunds"
    made = work.add(_refund(work, charge, amount, reason, metadata, fails=fails), parent=payment.id)
    work.emit_event("refund.created", made)
    if not fails:
        charge.document["amount_refunded"] += amount
        charge.document["refunded"] = amount == left
        work.emit_event("charge.refunded", charge)
    return made


def _refund(
    work: UnitOfWork, charge: StoredObject, amount: int, reason: str | None, metadata: dict[str, str], *, fails: bool
) -> Json:
    return {
        "id": ids.new("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge.id,
        "created": work.at,
        "currency": charge.document["currency"],
        "failure_reason": "declined" if fails else None,
        "metadata": metadata,
        "payment_intent": charge.document["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "status": "failed" if fails else "succeeded",
    }

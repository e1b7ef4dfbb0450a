"""State machine: advances a due object by one transition."""

from dream_api.gateways.sandbox import checkout_sessions, dunning, payment_intents, subscriptions
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork


async def advance_object(work: UnitOfWork, stored: StoredObject) -> None:
    match stored.kind:
        case "checkout.session":
            checkout_sessions.expire(work, stored)
        case "subscription":
            await subscriptions.renew(work, stored)
        case "invoice" if stored.document["status"] == "draft":
            await dunning.finalize_and_charge(work, stored)
        case "invoice":
            await dunning.retry_payment(work, stored)
        case "dispute":
            payment_intents.lose_dispute(work, stored)
        case kind:
            raise AssertionError(f"Nothing of the kind {kind} falls due.")

"""What happens by itself: each object's step, at the moment at which it falls due."""

from dream_api.gateways.sandbox import checkout_sessions, dunning, payment_intents, subscriptions
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork


async def advance_object(books: UnitOfWork, thing: StoredObject) -> None:
    match thing.kind:
        case "checkout.session":
            checkout_sessions.expire(books, thing)
        case "subscription":
            await subscriptions.renew(books, thing)
        case "invoice" if thing.document["status"] == "draft":
            await dunning.finalize_and_charge(books, thing)
        case "invoice":
            await dunning.retry_payment(books, thing)
        case "dispute":
            payment_intents.lose_dispute(books, thing)
        case kind:
            raise AssertionError(f"Nothing of the kind {kind} falls due.")

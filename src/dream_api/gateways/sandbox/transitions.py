"""What happens by itself: each object's step, at the moment at which it falls due."""

from dream_api.gateways.sandbox import checkout_sessions, dunning, payment_intents, subscriptions
from dream_api.gateways.sandbox.unit_of_work import Books, Thing


async def step(books: Books, thing: Thing) -> None:
    match thing.kind:
        case "checkout.session":
            checkout_sessions.expire(books, thing)
        case "subscription":
            await subscriptions.turn(books, thing)
        case "invoice" if thing.document["status"] == "draft":
            await dunning.bill(books, thing)
        case "invoice":
            await dunning.ask_again(books, thing)
        case "dispute":
            payment_intents.lose(books, thing)
        case kind:
            raise AssertionError(f"Nothing of the kind {kind} falls due.")

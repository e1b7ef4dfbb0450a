"""What happens by itself: each object's step, at the moment at which it falls due."""

from dream_api.billing.sandbox import charging, checkouts, collecting, subscribing
from dream_api.billing.sandbox.books import Books, Thing


async def step(books: Books, thing: Thing) -> None:
    match thing.kind:
        case "checkout.session":
            checkouts.expire(books, thing)
        case "subscription":
            await subscribing.turn(books, thing)
        case "invoice" if thing.document["status"] == "draft":
            await collecting.bill(books, thing)
        case "invoice":
            await collecting.ask_again(books, thing)
        case "dispute":
            charging.lose(books, thing)
        case kind:
            raise AssertionError(f"Nothing of the kind {kind} falls due.")

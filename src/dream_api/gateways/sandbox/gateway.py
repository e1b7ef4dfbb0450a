"""The sandbox as a gateway: each verb is one transaction, alone on the account's books."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from dream_api import platforms
from dream_api.core import clock
from dream_api.core.db import Database, Tx
from dream_api.core.errors import NotFound
from dream_api.gateways import stripe_objects
from dream_api.gateways.contract import (
    CheckoutFacts,
    GatewayAccount,
    InvoiceFacts,
    LineItem,
    NewCheckout,
    Opened,
    PaymentFacts,
    Preview,
    SubscriptionChange,
    SubscriptionFacts,
)
from dream_api.gateways.sandbox import (
    cancellation,
    checkout_sessions,
    invoice_drafts,
    page_ids,
    payment_intents,
    plan_changes,
    portal,
    queries,
    transitions,
)
from dream_api.gateways.sandbox.portal import Portal
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

Json = dict[str, Any]
_DELIVERED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Session:
    """A checkout as its page needs it; `hidden` has the trial's days and the coupon."""

    account: GatewayAccount
    document: Json
    hidden: Json


class Sandbox:
    """A gateway without money, for test mode: what `Gateway` asks, its pages, and its own passing of time."""

    def __init__(self, database: Database, link_base: str) -> None:
        self._database = database
        self._link_base = link_base

    # What billing asks.

    async def open_checkout(self, account: GatewayAccount, wanted: NewCheckout, *, key: str) -> Opened:
        async def act(books: UnitOfWork) -> Json:
            session = await checkout_sessions.open_session(books, wanted, self._link_base)
            return {"id": session.id, "url": session.document["url"]}

        return Opened(**await self._once(account, "open_checkout", key, act))

    async def expire_checkout(self, account: GatewayAccount, checkout_id: str) -> None:
        async with self._writing(account.id) as books:
            checkout_sessions.expire(books, await books.find("checkout.session", checkout_id))

    async def open_portal(self, account: GatewayAccount, customer: str, return_url: str) -> Opened:
        async with self._writing(account.id) as books:
            opened = await portal.open_portal(books, customer, return_url, self._link_base)
        return Opened(opened.id, opened.document["url"])

    async def read_checkout(self, account: GatewayAccount, checkout_id: str) -> CheckoutFacts:
        async with self._reading(account.id) as books:
            return stripe_objects.checkout_of((await books.find("checkout.session", checkout_id)).document)

    async def read_subscription(self, account: GatewayAccount, subscription_id: str) -> SubscriptionFacts:
        async with self._reading(account.id) as books:
            subscription = (await books.find("subscription", subscription_id)).document
            invoice = await books.find("invoice", subscription["latest_invoice"])
            return stripe_objects.subscription_of(subscription | {"latest_invoice": invoice.document})

    async def read_invoice(self, account: GatewayAccount, invoice_id: str) -> InvoiceFacts:
        async with self._reading(account.id) as books:
            return stripe_objects.invoice_of((await books.find("invoice", invoice_id)).document)

    async def read_payment(self, account: GatewayAccount, payment_id: str) -> PaymentFacts:
        async with self._reading(account.id) as books:
            payment = (await books.find("payment_intent", payment_id)).document
            charge = (
                (await books.find("charge", payment["latest_charge"])).document if payment["latest_charge"] else None
            )
            refunds, disputes = [await books.children(payment_id, kind) for kind in ("refund", "dispute")]
            documents = [[one.document for one in found] for found in (refunds, disputes)]
            return stripe_objects.payment_of(payment, charge, *documents)

    async def preview_change(
        self, account: GatewayAccount, subscription_id: str, change: SubscriptionChange
    ) -> Preview:
        async with self._reading(account.id) as books:
            return plan_changes.preview(books, *await _with_customer(books, subscription_id), change)

    async def change_subscription(
        self, account: GatewayAccount, subscription_id: str, change: SubscriptionChange, *, key: str
    ) -> None:
        async def act(books: UnitOfWork) -> None:
            await plan_changes.change(books, *await _with_customer(books, subscription_id), change)

        await self._once(account, f"change_subscription:{subscription_id}", key, act)

    async def cancel_subscription(
        self, account: GatewayAccount, subscription_id: str, *, at_period_end: bool, reason: str | None, key: str
    ) -> None:
        async def act(books: UnitOfWork) -> None:
            subscription = await books.find("subscription", subscription_id)
            await cancellation.cancel(books, subscription, at_period_end=at_period_end, reason=reason)

        await self._once(account, f"cancel_subscription:{subscription_id}", key, act)

    async def resume_subscription(self, account: GatewayAccount, subscription_id: str, *, key: str) -> None:
        async def act(books: UnitOfWork) -> None:
            cancellation.resume(books, await books.find("subscription", subscription_id))

        await self._once(account, f"resume_subscription:{subscription_id}", key, act)

    async def add_invoice_line(
        self, account: GatewayAccount, invoice_id: str, line: LineItem, *, amount: int, line_key: str, key: str
    ) -> None:
        async def act(books: UnitOfWork) -> None:
            invoice_drafts.add_usage(books, await books.find("invoice", invoice_id), line, amount, line_key)

        await self._once(account, f"add_invoice_line:{invoice_id}", key, act)

    async def refund(
        self,
        account: GatewayAccount,
        payment_id: str,
        amount: int,
        *,
        reason: str | None,
        metadata: dict[str, str],
        key: str,
    ) -> str:
        async def act(books: UnitOfWork) -> str:
            payment = await books.find("payment_intent", payment_id)
            return (await payment_intents.refund(books, payment, amount, reason=reason, metadata=metadata)).id

        return await self._once(account, f"refund:{payment_id}", key, act)

    # What its pages ask. They know an id, and nothing else; what they change, they tell by the ids of its events.

    async def find_session(self, session_id: str) -> Session:
        """NotFound where there is none."""
        async with self._reading(page_ids.account_in(page_ids.CHECKOUT, session_id)) as books:
            session = await _page(books, "checkout.session", session_id)
            return Session(books.account, session.document, session.hidden)

    async def pay(self, session_id: str, card: str | None, authenticate: bool = False) -> list[str]:
        """Once; raises CardRefused where the card does not pay, and the session stays open.

        `authenticate`: the buyer has confirmed it with their bank.
        """
        async with self._writing(page_ids.account_in(page_ids.CHECKOUT, session_id)) as books:
            session = await _page(books, "checkout.session", session_id)
            refused = await checkout_sessions.pay(books, session, card, is_authenticated=authenticate)
        # Only now, so that what the refused attempt left behind is kept.
        if refused is not None:
            raise refused
        return books.told

    async def leave(self, session_id: str) -> list[str]:
        """The buyer went away: nobody can pay it any more."""
        async with self._writing(page_ids.account_in(page_ids.CHECKOUT, session_id)) as books:
            checkout_sessions.expire(books, await _page(books, "checkout.session", session_id))
        return books.told

    async def find_portal(self, portal_id: str) -> Portal:
        """NotFound where there is none, and an hour after it was opened."""
        async with self._reading(page_ids.account_in(page_ids.PORTAL, portal_id)) as books:
            return await portal.look(books, await _page(books, "billing_portal.session", portal_id))

    async def change_card(self, portal_id: str, card: str, authenticate: bool = False) -> list[str]:
        """Open invoices are paid with it at once; CardRefused where it pays nothing, and all stays as it was."""
        async with self._writing(page_ids.account_in(page_ids.PORTAL, portal_id)) as books:
            opened = await _page(books, "billing_portal.session", portal_id)
            await portal.change_card(books, opened, card, is_authenticated=authenticate)
        return books.told

    # What time brings.

    @staticmethod
    async def next_due(tx: Tx, account: GatewayAccount) -> int | None:
        """When something changes by itself, in the project's own time."""
        row = await queries.first_due(tx, account.platform_id, account.id)
        return None if row is None else row.due_at

    async def run_next(self, account: GatewayAccount, until: int) -> int | None:
        """Do the one thing that falls due first, as of its moment, and tell that; None where nothing is due by then."""
        async with self._writing(account.id) as books:
            thing = await books.first_due()
            if thing is None or thing.due is None or thing.due * clock.SECOND > until:
                return None
            books.at = thing.due
            await transitions.advance_object(books, thing)
        return books.at * clock.SECOND

    async def undelivered(self, account: GatewayAccount, only: Collection[str] | None = None) -> list[tuple[str, str]]:
        """Ids and payloads of events that nobody has received yet, oldest first; `only`: of these. Not all at once."""
        async with self._database.read() as tx:
            rows = await queries.undelivered(tx, account.platform_id, account.id, only, _DELIVERED_AT_ONCE)
        return [(row.id, row.payload) for row in rows]

    async def mark_delivered(self, account: GatewayAccount, event_ids: Sequence[str]) -> None:
        async with self._database.write() as tx:
            await queries.mark_delivered(tx, account.platform_id, account.id, event_ids, clock.now())

    @asynccontextmanager
    async def _writing(self, account_id: str, key: str | None = None) -> AsyncGenerator[UnitOfWork]:
        async with self._database.write() as tx:
            books = await _books(tx, await queries.hold_account(tx, account_id), key)
            yield books
            await books.save()

    @asynccontextmanager
    async def _reading(self, account_id: str) -> AsyncGenerator[UnitOfWork]:
        async with self._database.read() as tx:
            yield await _books(tx, await queries.account_by_id(tx, account_id))

    async def _once(
        self, account: GatewayAccount, what: str, key: str, act: Callable[[UnitOfWork], Awaitable[Any]]
    ) -> Any:
        """The same thing asked for with the same key is done once, and answered the same again."""
        async with self._writing(account.id, key) as books:
            asked = f"{what}:{key}"
            remembered = await queries.answer_to(books.tx, account.platform_id, account.id, asked)
            if remembered is not None:
                return json.loads(remembered)
            answer = await act(books)
            row = {"key": asked, "answer": json.dumps(answer), "created_at": clock.now()}
            await queries.remember_answer(books.tx, account.platform_id, account.id, row)
        return answer


async def _books(tx: Tx, account: GatewayAccount | None, key: str | None = None) -> UnitOfWork:
    if account is None:
        raise _unknown()
    return UnitOfWork(tx, account, await _now(tx, account) // clock.SECOND, key)


async def _now(tx: Tx, account: GatewayAccount) -> int:
    """The project's own time."""
    return await platforms.project_now(tx, account.platform_id, account.project_id, account.mode)


async def _page(books: UnitOfWork, kind: str, page_id: str) -> StoredObject:
    found = await books.get(page_id)
    if found is None or found.kind != kind:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound("There is no such page.", hint="Open it again by the link that led here.")


async def _with_customer(books: UnitOfWork, subscription_id: str) -> tuple[StoredObject, StoredObject]:
    subscription = await books.find("subscription", subscription_id)
    return subscription, await books.find("customer", subscription.document["customer"])

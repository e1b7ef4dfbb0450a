"""The sandbox as a gateway: each verb is one transaction, with the account's row locked."""

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
    CardRefused,
    CheckoutSnapshot,
    GatewayAccount,
    HostedPage,
    InvoiceSnapshot,
    LineItem,
    NewCheckout,
    PaymentSnapshot,
    Preview,
    SubscriptionChange,
    SubscriptionSnapshot,
)
from dream_api.gateways.sandbox import (
    cancellation,
    checkout_sessions,
    collection_pause,
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
class CheckoutSession:
    """A checkout as its page needs it; `hidden` has the trial's days and the coupon."""

    account: GatewayAccount
    document: Json
    hidden: Json


@dataclass(frozen=True, slots=True)
class PaymentAttempt:
    """The events that it caused, and why the card did not pay; None: it did."""

    event_ids: list[str]
    refused: CardRefused | None


class Sandbox:
    """A gateway without money, for test mode: what `Gateway` asks, its pages, and its own passing of time."""

    def __init__(self, database: Database, link_base: str) -> None:
        self._database = database
        self._link_base = link_base

    # The gateway contract.

    async def open_checkout(self, account: GatewayAccount, wanted: NewCheckout, *, key: str) -> HostedPage:
        async def act(work: UnitOfWork) -> Json:
            session = await checkout_sessions.open_session(work, wanted, self._link_base)
            return {"id": session.id, "url": session.document["url"]}

        return HostedPage(**await self._once(account, "open_checkout", key, act))

    async def expire_checkout(self, account: GatewayAccount, checkout_id: str) -> None:
        async with self._write_transaction(account.id) as work:
            checkout_sessions.expire(work, await work.find("checkout.session", checkout_id))

    async def open_portal(self, account: GatewayAccount, customer: str, return_url: str) -> HostedPage:
        async with self._write_transaction(account.id) as work:
            opened = await portal.open_portal(work, customer, return_url, self._link_base)
        return HostedPage(opened.id, opened.document["url"])

    async def read_checkout(self, account: GatewayAccount, checkout_id: str) -> CheckoutSnapshot:
        async with self._read_transaction(account.id) as work:
            return stripe_objects.parse_checkout((await work.find("checkout.session", checkout_id)).document)

    async def read_subscription(self, account: GatewayAccount, subscription_id: str) -> SubscriptionSnapshot:
        async with self._read_transaction(account.id) as work:
            subscription = (await work.find("subscription", subscription_id)).document
            invoice = await work.find("invoice", subscription["latest_invoice"])
            return stripe_objects.parse_subscription(subscription | {"latest_invoice": invoice.document})

    async def read_invoice(self, account: GatewayAccount, invoice_id: str) -> InvoiceSnapshot:
        async with self._read_transaction(account.id) as work:
            return stripe_objects.parse_invoice((await work.find("invoice", invoice_id)).document)

    async def read_payment(self, account: GatewayAccount, payment_id: str) -> PaymentSnapshot:
        async with self._read_transaction(account.id) as work:
            payment = (await work.find("payment_intent", payment_id)).document
            charge = (
                (await work.find("charge", payment["latest_charge"])).document if payment["latest_charge"] else None
            )
            refunds, disputes = [await work.children(payment_id, kind) for kind in ("refund", "dispute")]
            documents = [[one.document for one in found] for found in (refunds, disputes)]
            return stripe_objects.parse_payment(payment, charge, *documents)

    async def preview_change(
        self, account: GatewayAccount, subscription_id: str, change: SubscriptionChange
    ) -> Preview:
        async with self._read_transaction(account.id) as work:
            return await plan_changes.preview(work, *await _with_customer(work, subscription_id), change)

    async def change_subscription(
        self, account: GatewayAccount, subscription_id: str, change: SubscriptionChange, *, key: str
    ) -> None:
        async def act(work: UnitOfWork) -> None:
            await work.refuse_closed_seller()
            await plan_changes.change(work, *await _with_customer(work, subscription_id), change)

        await self._once(account, f"change_subscription:{subscription_id}", key, act)

    async def cancel_subscription(
        self,
        account: GatewayAccount,
        subscription_id: str,
        *,
        at_period_end: bool,
        reason: str | None,
        key: str,
        bills_usage: bool = True,
    ) -> None:
        async def act(work: UnitOfWork) -> None:
            subscription = await work.find("subscription", subscription_id)
            await cancellation.cancel(
                work, subscription, at_period_end=at_period_end, reason=reason, bills_usage=bills_usage
            )

        await self._once(account, f"cancel_subscription:{subscription_id}", key, act)

    async def resume_subscription(self, account: GatewayAccount, subscription_id: str, *, key: str) -> None:
        async def act(work: UnitOfWork) -> None:
            await work.refuse_closed_seller()
            cancellation.resume(work, await work.find("subscription", subscription_id))

        await self._once(account, f"resume_subscription:{subscription_id}", key, act)

    async def pause_collection(self, account: GatewayAccount, subscription_id: str, *, key: str) -> None:
        async def act(work: UnitOfWork) -> None:
            await collection_pause.pause(work, await work.find("subscription", subscription_id))

        await self._once(account, f"pause_collection:{subscription_id}", key, act)

    async def resume_collection(self, account: GatewayAccount, subscription_id: str, *, key: str) -> None:
        async def act(work: UnitOfWork) -> None:
            await collection_pause.resume(work, await work.find("subscription", subscription_id))

        await self._once(account, f"resume_collection:{subscription_id}", key, act)

    async def add_invoice_line(
        self, account: GatewayAccount, invoice_id: str, line: LineItem, *, amount: int, line_key: str, key: str
    ) -> None:
        async def act(work: UnitOfWork) -> None:
            invoice_drafts.add_usage_line(work, await work.find("invoice", invoice_id), line, amount, line_key)

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
        async def act(work: UnitOfWork) -> str:
            payment = await work.find("payment_intent", payment_id)
            return (await payment_intents.refund(work, payment, amount, reason=reason, metadata=metadata)).id

        return await self._once(account, f"refund:{payment_id}", key, act)

    # Actions of its pages, which know an id only; they return the ids of the events that they caused.

    async def find_session(self, session_id: str) -> CheckoutSession:
        """NotFound where there is none."""
        async with self._read_transaction(page_ids.account_in(page_ids.CHECKOUT, session_id)) as work:
            session = await _page(work, "checkout.session", session_id)
            return CheckoutSession(work.account, session.document, session.hidden)

    async def pay(self, session_id: str, card: str | None, authenticate: bool = False) -> list[str]:
        """Once; raises CardRefused where the card does not pay, and the session stays open.

        `authenticate`: the buyer has confirmed it with their bank.
        """
        attempt = await self.attempt_payment(session_id, card, authenticate)
        # Only now, so that what the refused attempt left behind is kept.
        if attempt.refused is not None:
            raise attempt.refused
        return attempt.event_ids

    async def attempt_payment(self, session_id: str, card: str | None, authenticate: bool = False) -> PaymentAttempt:
        """As `pay`; a card that does not pay is returned, with the events of the failed attempt."""
        async with self._write_transaction(page_ids.account_in(page_ids.CHECKOUT, session_id)) as work:
            session = await _page(work, "checkout.session", session_id)
            refused = await checkout_sessions.pay(work, session, card, is_authenticated=authenticate)
        return PaymentAttempt(work.event_ids, refused)

    async def abandon(self, session_id: str) -> list[str]:
        """The buyer went away: nobody can pay it any more."""
        async with self._write_transaction(page_ids.account_in(page_ids.CHECKOUT, session_id)) as work:
            checkout_sessions.expire(work, await _page(work, "checkout.session", session_id))
        return work.event_ids

    async def find_portal(self, portal_id: str) -> Portal:
        """NotFound where there is none, and an hour after it was opened."""
        async with self._read_transaction(page_ids.account_in(page_ids.PORTAL, portal_id)) as work:
            return await portal.read_portal(work, await _page(work, "billing_portal.session", portal_id))

    async def change_card(self, portal_id: str, card: str, authenticate: bool = False) -> list[str]:
        """Open invoices are paid with it at once; CardRefused where it pays nothing, and all stays as it was."""
        async with self._write_transaction(page_ids.account_in(page_ids.PORTAL, portal_id)) as work:
            opened = await _page(work, "billing_portal.session", portal_id)
            await portal.change_card(work, opened, card, is_authenticated=authenticate)
        return work.event_ids

    # Due objects and event delivery.

    @staticmethod
    async def next_due(tx: Tx, account: GatewayAccount) -> int | None:
        """When something changes by itself, in the project's own time."""
        row = await queries.first_due(tx, account.platform_no, account.id)
        return None if row is None else row.due_at

    async def advance_next_due(self, account: GatewayAccount, until: int) -> int | None:
        """Advance the first due object, as of its time, and return that time; None where nothing is due by `until`."""
        async with self._write_transaction(account.id) as work:
            stored = await work.first_due()
            if stored is None or stored.due is None or stored.due * clock.SECOND > until:
                return None
            work.at = stored.due
            await transitions.advance_object(work, stored)
        return work.at * clock.SECOND

    async def undelivered(self, account: GatewayAccount, only: Collection[str] | None = None) -> list[tuple[str, str]]:
        """Ids and payloads of events that nobody has received yet, oldest first; `only`: of these. Not all at once."""
        async with self._database.read() as tx:
            rows = await queries.undelivered(tx, account.platform_no, account.id, only, _DELIVERED_AT_ONCE)
        return [(row.id, row.payload) for row in rows]

    async def mark_delivered(self, account: GatewayAccount, event_ids: Sequence[str]) -> None:
        async with self._database.write() as tx:
            await queries.mark_delivered(tx, account.platform_no, account.id, event_ids, clock.now())

    @staticmethod
    async def claim_event(tx: Tx, account: GatewayAccount, event_id: str) -> bool:
        """Mark the event as delivered by this transaction; False where another one has delivered it."""
        return await queries.mark_delivered(tx, account.platform_no, account.id, [event_id], clock.now()) == 1

    @asynccontextmanager
    async def _write_transaction(self, account_id: str, key: str | None = None) -> AsyncGenerator[UnitOfWork]:
        async with self._database.write() as tx:
            work = await _unit_of_work(tx, await queries.lock_account(tx, account_id), key)
            yield work
            await work.save()

    @asynccontextmanager
    async def _read_transaction(self, account_id: str) -> AsyncGenerator[UnitOfWork]:
        async with self._database.read() as tx:
            yield await _unit_of_work(tx, await queries.account_by_id(tx, account_id))

    async def _once(
        self, account: GatewayAccount, what: str, key: str, act: Callable[[UnitOfWork], Awaitable[Any]]
    ) -> Any:
        """Run `act` once for each key; a retry returns the stored response."""
        async with self._write_transaction(account.id, key) as work:
            asked = f"{what}:{key}"
            remembered = await queries.find_response(work.tx, account.platform_no, account.id, asked)
            if remembered is not None:
                return json.loads(remembered)
            answer = await act(work)
            row = {"key": asked, "answer": json.dumps(answer), "created_at": clock.now()}
            await queries.insert_response(work.tx, account.platform_no, account.id, row)
        return answer


async def _unit_of_work(tx: Tx, account: GatewayAccount | None, key: str | None = None) -> UnitOfWork:
    if account is None:
        raise _unknown()
    return UnitOfWork(tx, account, await _now(tx, account) // clock.SECOND, key)


async def _now(tx: Tx, account: GatewayAccount) -> int:
    """The project's own time."""
    return await platforms.project_now(tx, account.platform_no, account.project_id, account.mode)


async def _page(work: UnitOfWork, kind: str, page_id: str) -> StoredObject:
    found = await work.get(page_id)
    if found is None or found.kind != kind:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound("Page not found.", hint="Go back to the website that sent you here and open the link again.")


async def _with_customer(work: UnitOfWork, subscription_id: str) -> tuple[StoredObject, StoredObject]:
    subscription = await work.find("subscription", subscription_id)
    return subscription, await work.find("customer", subscription.document["customer"])

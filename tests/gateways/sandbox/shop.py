"""A shop that sells through the sandbox, in a time that stands still until a test moves it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from dream_api import platforms
from dream_api.billing import gateway_accounts
from dream_api.catalog import Coupon, Price
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.gateways.contract import (
    GatewayAccount,
    InvoiceSnapshot,
    LineItem,
    NewCheckout,
    PaymentSnapshot,
    SubscriptionChange,
    SubscriptionSnapshot,
)
from dream_api.gateways.sandbox import Sandbox
from dream_api.gateways.sandbox.tables import sandbox_events, sandbox_objects
from dream_api.platforms import ProjectScope

Json = dict[str, Any]
VISA = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
CONFIRMS = "4000 0025 0000 3155"
DECLINED_LATER = "4000 0000 0000 0341"
DISPUTED = "4000 0000 0000 0259"
KEEPS_REFUNDS = "4000 0000 0000 5126"

PRO = Price(
    id="price_pro",
    tier_id="tier_pro",
    currency="usd",
    type="recurring",
    billing_scheme="per_unit",
    unit_amount=3000,
    interval="month",
    interval_count=1,
)
MAX = replace(PRO, id="price_max", tier_id="tier_max", unit_amount=9000)
YEARLY = replace(PRO, id="price_yearly", unit_amount=30_000, interval="year")
TOKENS = Price(
    id="price_tokens",
    tier_id="tier_pro",
    currency="usd",
    type="usage",
    billing_scheme="per_unit",
    unit_amount=1,
    meter="tokens",
)
BOOK = Price(
    id="price_book", tier_id="tier_book", currency="usd", type="one_time", billing_scheme="per_unit", unit_amount=1500
)


def moment(text: str) -> int:
    return clock.from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def coupon(**more: Any) -> Coupon:
    """Half of everything, for ever, unless told otherwise."""
    told: dict[str, Any] = {"amount_off": None, "currency": None, "duration": "forever", "duration_months": None}
    percent = more.pop("percent_off", 50)
    told["basis_points"] = None if percent is None else 100 * percent
    return Coupon(
        id="cpn_half",
        project_id="prj_shop",
        mode="test",
        code="HALF",
        max_redemptions=None,
        redeemed=0,
        expires_at=None,
        archived_at=None,
        created_at=0,
        **(told | more),
    )


def line(price: Price, quantity: int = 1) -> LineItem:
    return LineItem(price, price.id.removeprefix("price_").title(), 0 if price.type == "usage" else quantity)


def change_to(*prices: Price, quantity: int = 1) -> SubscriptionChange:
    return SubscriptionChange(tuple(line(price, quantity) for price in prices))


@dataclass
class Shop:
    database: Database
    sandbox: Sandbox
    account: GatewayAccount
    now: int
    keys: int = 0

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    async def open(self, *prices: Price, quantity: int = 1, **more: Any) -> str:
        """A checkout's id."""
        wanted = NewCheckout(
            lines=tuple(line(price, quantity) for price in prices),
            **{
                "currency": "usd",
                "customer": None,
                "email": "ada@example.com",
                "success_url": "https://shop.example.com/thanks",
                "cancel_url": "https://shop.example.com/cart",
                "expires_at": self.now + 30 * clock.MINUTE,
                "metadata": {"checkout": "chk_1"},
            }
            | more,
        )
        return (await self.sandbox.open_checkout(self.account, wanted, key=self.key())).id

    async def buy(self, *prices: Price, card: str = VISA, **more: Any) -> Json:
        """A paid checkout."""
        session_id = await self.open(*prices, **more)
        await self.sandbox.pay(session_id, card, authenticate=True)
        return await self.document(session_id)

    async def subscribe(self, *prices: Price, card: str = VISA, **more: Any) -> str:
        """A subscription's id."""
        return (await self.buy(*(prices or (PRO,)), card=card, **more))["subscription"]

    async def go(self, to: str | int, then: Callable[[], Awaitable[None]] | None = None) -> list[int]:
        """Let time pass, and all that falls due on the way; the moments at which something did."""
        until = moment(to) if isinstance(to, str) else to
        moments: list[int] = []
        while (at := await self.sandbox.advance_next_due(self.account, until)) is not None:
            self.now = max(self.now, at)
            moments.append(at)
            if then is not None:
                await then()
        self.now = max(self.now, until)
        return moments

    async def wait(self, **time: int) -> list[int]:
        units = {"days": clock.DAY, "hours": clock.HOUR, "minutes": clock.MINUTE}
        return await self.go(self.now + sum(units[unit] * many for unit, many in time.items()))

    async def open_portal(self, subscription_id: str) -> str:
        customer = (await self.document(subscription_id))["customer"]
        return (await self.sandbox.open_portal(self.account, customer, "https://shop.example.com")).id

    async def document(self, object_id: str) -> Json:
        async with self.database.read() as tx:
            row = await tx.scalar(select(sandbox_objects.c.document).where(sandbox_objects.c.id == object_id))
        return json.loads(row)

    async def documents(self, kind: str) -> list[Json]:
        """Oldest first."""
        o = sandbox_objects.c
        async with self.database.read() as tx:
            rows = await tx.all(select(o.document).where(o.account == self.account.id, o.kind == kind).order_by(o.id))
        return [json.loads(row.document) for row in rows]

    async def events(self) -> list[Json]:
        """As they happened."""
        async with self.database.read() as tx:
            e = sandbox_events.c
            rows = await tx.all(select(e.payload).where(e.account == self.account.id).order_by(e.id))
        return [json.loads(row.payload) for row in rows]

    async def told(self, since: int = 0) -> list[str]:
        """The types of all events but the first so many."""
        return [event["type"] for event in await self.events()][since:]

    async def subscription(self, subscription_id: str) -> SubscriptionSnapshot:
        return await self.sandbox.read_subscription(self.account, subscription_id)

    async def invoices(self) -> list[InvoiceSnapshot]:
        """Oldest first."""
        found = await self.documents("invoice")
        return [await self.sandbox.read_invoice(self.account, one["id"]) for one in found]

    async def payments(self) -> list[PaymentSnapshot]:
        found = await self.documents("payment_intent")
        return [await self.sandbox.read_payment(self.account, one["id"]) for one in found]

    async def change(self, subscription_id: str, change: SubscriptionChange) -> None:
        await self.sandbox.change_subscription(self.account, subscription_id, change, key=self.key())

    async def cancel(self, subscription_id: str, *, at_period_end: bool, reason: str | None = None) -> None:
        await self.sandbox.cancel_subscription(
            self.account, subscription_id, at_period_end=at_period_end, reason=reason, key=self.key()
        )

    async def refund(self, payment_id: str, amount: int, **more: Any) -> str:
        told = {"reason": None, "metadata": {}, "key": self.key()} | more
        return await self.sandbox.refund(self.account, payment_id, amount, **told)

    async def use(self, invoice_id: str, amount: int, line_key: str = "usage:tokens:1") -> None:
        await self.sandbox.add_invoice_line(
            self.account,
            invoice_id,
            replace(line(TOKENS), quantity=amount),
            amount=amount,
            line_key=line_key,
            key=self.key(),
        )


async def open_shop(database: Database) -> Shop:
    async with database.write() as tx:
        platform = await platforms.create(tx, "Alice")
        project = await platforms.create_project(tx, platform, "Alice", "saas")
        account = await gateway_accounts.ensure_account(tx, ProjectScope(platform.no, project.id, "test"))
    return Shop(database, Sandbox(database, "http://dream.test"), account, clock.now())

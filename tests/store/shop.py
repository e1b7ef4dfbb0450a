"""A store on a fresh database, whose gateway says what a test has it say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Row, select, update

from dream_api import billing, catalog, gateways, platforms, store
from dream_api.app import open_billing
from dream_api.billing import BillingContext
from dream_api.billing.tables import checkouts, refunds
from dream_api.catalog import PriceTerms, TierAttributes, TierDraft
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.integrity import run_check
from dream_api.core.settings import Settings
from dream_api.gateways import Gateway
from dream_api.platforms import Project, ProjectScope
from dream_api.store import Cart, Item, RefundRequest
from dream_api.store.tables import order_events, orders, stock, stock_holds
from dream_api.webhooks.tables import events
from tests.store.scripted_gateway import Till


@dataclass
class Shop:
    database: Database
    desk: BillingContext
    till: Till
    project: Project
    scope: ProjectScope
    # The price of each product, and its tier.
    prices: dict[str, str] = field(default_factory=dict[str, str])
    tiers: dict[str, str] = field(default_factory=dict[str, str])

    async def sell(
        self, name: str, amount: int = 1_000, inventory: int | None = None, *, currency: str = "usd", **texts: Any
    ) -> None:
        """Put a product on sale."""
        terms = PriceTerms(currency=currency, type="one_time", billing_scheme="per_unit", unit_amount=amount)
        async with self.database.write() as tx:
            draft = TierDraft(cast(TierAttributes, texts), prices=[terms])
            made = await catalog.create_tier(tx, self.project, "test", name, draft)
            offer = await catalog.find_tier(tx, self.scope.platform_no, self.project.id, "test", name)
            if inventory is not None:
                await store.set_inventory(tx, self.scope, made.id, inventory)
        self.tiers[name], self.prices[name] = made.id, offer.prices[0].id

    async def begin(self, wanted: Mapping[str, int], coupon: str | None = None) -> Row[Any]:
        """A checkout of so many of each product; the gateway has not been asked for its page."""
        items = [Item(self.prices[name], quantity) for name, quantity in wanted.items()]
        cart = Cart(
            email="ada@example.com",
            items=items,
            success_url="http://localhost:3000/thanks",
            cancel_url="http://localhost:3000/cart",
            coupon=coupon,
        )
        async with self.database.write() as tx:
            return await store.create_checkout(tx, self.project, self.scope, cart)

    async def checkout(self, wanted: Mapping[str, int], coupon: str | None = None) -> Row[Any]:
        """The same with its page open."""
        begun = await self.begin(wanted, coupon)
        return await billing.open_page(self.desk, await self.account(), begun)

    async def bought(self, wanted: Mapping[str, int], coupon: str | None = None) -> Row[Any]:
        """The order of a checkout that was paid."""
        checkout = await self.checkout(wanted, coupon)
        await self.pay(checkout)
        return await self.order_of(checkout)

    async def pay(self, checkout: Row[Any]) -> None:
        self.till.pay(checkout.gateway_id)
        await self.hear("checkout", checkout.gateway_id)

    async def expire(self, checkout: Row[Any]) -> None:
        await billing.expire_checkout(self.desk, await self.account(), checkout)

    async def hear(self, kind: Any, gateway_id: str) -> None:
        """The gateway is read, as after one of its events."""
        await billing.sync_object(self.desk, await self.account(), kind, gateway_id)

    async def tell_paid(self, checkout: Row[Any]) -> None:
        """Billing tells once how a checkout ended; what the store makes of more than that is asked here."""
        total = self.till.checkouts[checkout.gateway_id].total
        async with self.database.write() as tx:
            ending = update(checkouts).where(checkouts.c.id == checkout.id).values(status="complete", total=total)
            ended = await tx.first(ending.returning(*checkouts.c))
            paid = await billing.payments_of_checkout(tx, checkout.platform_no, checkout.id)
            payment = next((each for each in paid if each.status == "succeeded"), None)
            await self.desk.events.emit(
                tx, billing.CHECKOUT_COMPLETED, checkout=ended, payment=payment, now=clock.now()
            )

    async def tell_expired(self, checkout: Row[Any], *, failed: bool = False) -> None:
        """The same of its expiry, whatever became of it before."""
        async with self.database.write() as tx:
            await self.desk.events.emit(tx, billing.CHECKOUT_EXPIRED, checkout=checkout, failed=failed, now=clock.now())

    async def refund(self, order: Row[Any], asked: RefundRequest | None = None) -> Row[Any]:
        async with self.database.write() as tx:
            account, _ = await store.find_payment(tx, self.scope, order)
            refund = await store.create_refund(tx, account, order, asked or RefundRequest())
        return await billing.send_refund(self.desk, account, refund)

    async def send_refunds(self) -> None:
        """As the job does."""
        async with self.database.read() as tx:
            of_shop = select(refunds).where(refunds.c.platform_no == self.scope.platform_no)
            asked = await tx.all(of_shop.where(refunds.c.status == "asked"))
        for refund in asked:
            await billing.send_refund(self.desk, await self.account(), refund)

    async def account(self) -> gateways.GatewayAccount:
        async with self.database.write() as tx:
            return await billing.ensure_account(tx, self.scope)

    async def order_of(self, checkout: Row[Any]) -> Row[Any]:
        async with self.database.read() as tx:
            order = await store.order_of_checkout(tx, self.scope, checkout.id)
        assert order is not None
        return order

    async def order(self, order: Row[Any]) -> Row[Any]:
        """The order as it is now."""
        async with self.database.read() as tx:
            return await store.find_order(tx, self.scope, order.id)

    async def lines(self, order: Row[Any]) -> list[tuple[int, int]]:
        """How many of each line were refunded, and how many went back on sale."""
        async with self.database.read() as tx:
            lines = await store.lines_of(tx, self.scope.platform_no, order.id)
        return [(line.refunded_quantity, line.restocked_quantity) for line in lines]

    async def stock(self, name: str) -> tuple[int, int]:
        """How many there are, and how many of them are held."""
        async with self.database.read() as tx:
            row = await tx.first(select(stock).where(stock.c.tier_id == self.tiers[name]))
        assert row is not None
        return row.on_hand, row.held

    async def holds(self) -> list[str]:
        async with self.database.read() as tx:
            return [row.state for row in await tx.all(select(stock_holds.c.state))]

    async def statuses(self) -> list[str]:
        """Of all orders, oldest first."""
        async with self.database.read() as tx:
            return [row.status for row in await tx.all(select(orders.c.status).order_by(orders.c.id))]

    async def happened(self) -> list[str]:
        """The types of all events of orders, in their order."""
        async with self.database.read() as tx:
            return [row.type for row in await tx.all(select(order_events.c.type).order_by(order_events.c.id))]

    async def told(self, *rooms: str) -> list[str]:
        """What developers were told of orders and stock."""
        async with self.database.read() as tx:
            rows = await tx.all(select(events.c.type).order_by(events.c.id))
        return [row.type for row in rows if row.type.partition(".")[0] in (rooms or ("order", "stock"))]

    async def contradictions(self) -> list[str]:
        findings = [await run_check(self.database, check) for check in store.checks()]
        return [finding.check.name for finding in findings if not finding.holds]


async def open_shop(settings: Settings, database: Database) -> Shop:
    async with database.write() as tx:
        platform = await platforms.create(tx, "Alice")
        project = await platforms.create_project(tx, platform, "Shop", "store")
    scope = ProjectScope(platform.no, project.id, "test")
    till = Till()
    desk = open_billing(settings, database, lambda *_: {"sandbox": cast(Gateway, till)})
    return Shop(database, desk, till, project, scope)

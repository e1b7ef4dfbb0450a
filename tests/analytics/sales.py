"""What a project has sold, written into the tables."""

from dataclasses import dataclass
from random import Random
from typing import Any

from sqlalchemy import Table, insert

from dream_api.billing.tables import checkouts, disputes, payments, refunds, subscriptions
from dream_api.catalog.tables import prices
from dream_api.core import clock, ids
from dream_api.core.db import Tx
from dream_api.platforms import Mode, Project
from dream_api.store.tables import orders, stock

CURRENCIES = ("usd", "jpy", "kwd")
# Some are there twice: they are seen more often.
STATUSES = ("trialing", "trialing", "active", "active", "past_due", "paused", "canceled", "canceled")
ORDER_STATUSES = ("processing", "completed", "failed", "canceled", "refunded")
Rows = list[dict[str, Any]]


@dataclass
class Sold:
    """Writes the rows of one project and mode; `now` is the project's present moment."""

    tx: Tx
    project: Project
    mode: Mode
    random: Random
    now: int

    @property
    def whose(self) -> dict[str, Any]:
        return {"platform_no": self.project.platform_no, "project_id": self.project.id, "mode": self.mode}

    def before(self, days: float = 60) -> int:
        """Some moment of the last so many days."""
        return self.now - self.random.randrange(int(days * clock.DAY))

    async def write(self, table: Table, rows: Rows) -> Rows:
        if rows:
            await self.tx.execute(insert(table), rows)
        return rows

    async def subscriptions(self, people: Rows, plans: Rows, many: int) -> Rows:
        price = {
            "id": ids.new("price"),
            "tier_id": plans[0]["id"],
            "currency": "usd",
            "type": "recurring",
            "billing_scheme": "flat_rate",
            "unit_amount": 1000,
            "per": 1,
            "interval": "month",
            "interval_count": 1,
            "created_at": self.now,
        }
        await self.write(prices, [self.whose | price])
        return await self.write(subscriptions, [self.subscription(people, price["id"], n) for n in range(many)])

    def subscription(self, people: Rows, price_id: str, n: int) -> dict[str, Any]:
        one = self.random.choice(people)
        status = self.random.choice(
            ["trialing", "trialing", "active", "active", "past_due", "paused", "canceled", "canceled"]
        )
        started = self.before(90)
        ended = self.random.randint(started, self.now) if status == "canceled" else None
        trial = started + self.random.choice([7, 14, 30]) * clock.DAY if self.random.random() < 0.6 else None
        amount = self.random.randint(0, 5000)
        return self.whose | {
            "id": ids.new("sub"),
            "customer_id": one["id"],
            "user_id": one["user_id"],
            "plan": "plan00",
            "price_id": price_id,
            "product_id": "tier",
            "usage_prices": "[]",
            "amount": amount * 12,
            "monthly_amount": amount,
            "currency": self.random.choice(CURRENCIES),
            "quantity": 1,
            "status": status,
            "holds": status in ("trialing", "active") or (status == "past_due" and self.random.random() < 0.5),
            "started_at": started,
            "ended_at": ended,
            "period_starts_at": started,
            "period_ends_at": clock.add_months(started, 1),
            "trial_ends_at": trial or (self.now + clock.DAY if status == "trialing" else None),
            "account": "acct",
            "gateway": "sandbox",
            "gateway_id": f"{self.project.id}-{self.mode}-{n}",
            "gateway_customer": "cus",
            "created_at": started,
            "updated_at": self.now,
        }

    async def payments(self, many: int) -> Rows:
        rows = [
            self.whose
            | {
                "id": ids.new("pay"),
                "status": self.random.choice(["pending", "succeeded", "succeeded", "succeeded", "failed", "canceled"]),
                "currency": self.random.choice(CURRENCIES),
                "amount": self.random.randint(0, 100_000),
                "refunded": 0,
                "account": "acct",
                "gateway_id": f"{self.project.id}-{self.mode}-{n}",
                "created_at": self.before(),
                "updated_at": self.now,
            }
            for n in range(many)
        ]
        # The first and the last moment of the span's first day, and the moment before it.
        first = self.now - self.now % clock.DAY - 29 * clock.DAY
        edges = (first, first + clock.DAY - 1, first - 1)
        rows[:3] = [row | {"created_at": at, "status": "succeeded"} for row, at in zip(rows, edges, strict=False)]
        return await self.write(payments, rows)

    async def refunds(self, paid: Rows) -> Rows:
        rows = [
            self.whose
            | {
                "id": ids.new("ref"),
                "payment_id": of["id"],
                "status": self.random.choice(["asked", "pending", "succeeded", "succeeded", "failed"]),
                "currency": of["currency"],
                "amount": self.random.randint(1, 5000),
                "account": "acct",
                "created_at": self.before(),
                "updated_at": self.now,
            }
            for of in self.random.sample(paid, len(paid) // 2)
        ]
        return await self.write(refunds, rows)

    async def disputes(self, paid: Rows) -> Rows:
        rows = [
            self.whose
            | {
                "account": "acct",
                "id": ids.new("dp"),
                "payment_id": of["id"],
                "status": self.random.choice(["open", "won", "lost", "lost"]),
                "reason": "fraudulent",
                "currency": of["currency"],
                "amount": self.random.randint(1, 5000),
                "created_at": self.before(),
                "updated_at": self.now,
            }
            for of in self.random.sample(paid, len(paid) // 4)
        ]
        return await self.write(disputes, rows)

    async def stock(self, plans: Rows) -> None:
        rows: Rows = []
        for plan in plans:
            on_hand = self.random.randint(0, 7)
            rows.append(
                self.whose
                | {
                    "tier_id": plan["id"],
                    "on_hand": on_hand,
                    "held": self.random.randint(0, on_hand),
                    "low_at": self.random.choice([None, 0, 4, 5]),
                    "updated_at": self.now,
                }
            )
        await self.write(stock, rows)

    async def orders(self, many: int) -> None:
        paid: Rows = []
        ordered: Rows = []
        for n in range(many):
            at = self.before()
            checkout = {
                "id": ids.new("chk"),
                "purpose": "cart",
                "currency": "usd",
                "subtotal": 100,
                "wanted": "{}",
                "success_url": "",
                "cancel_url": "",
                "account": "acct",
                "status": "complete",
                "created_at": at,
                "expires_at": at,
            }
            order = {
                "id": ids.new("ord"),
                "number": n,
                "checkout_id": checkout["id"],
                "email": "ada@example.com",
                "status": ORDER_STATUSES[n % len(ORDER_STATUSES)],
                "currency": "usd",
                "subtotal": 100,
                "discount": 0,
                "total": 100,
                "refunded_amount": 0,
                "created_at": at,
                "updated_at": at,
            }
            paid.append(self.whose | checkout)
            ordered.append(self.whose | order)
        await self.write(checkouts, paid)
        await self.write(orders, ordered)

"""What docs/guide/figures.md says, told once more: in plain Python, over all rows of the tables."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row, Table, select

from dream_api import customers, usage
from dream_api.billing.tables import disputes, payments, refunds, subscriptions
from dream_api.catalog.tables import tier_limits, tiers
from dream_api.core import clock, money
from dream_api.core.db import Tx
from dream_api.customers.tables import customers as customer_table
from dream_api.platforms import Mode, Project
from dream_api.store.tables import orders, stock
from dream_api.usage import Limit, Period, Window
from dream_api.usage.tables import meters, usage_counters, usage_hours
from dream_api.webhooks.tables import events

STATUSES = ("free", "trialing", "active", "past_due", "paused", "canceled")
_WINDOWS = {"life": "lifetime"}


class Ledger:
    """All rows of all platforms, and what they come to in some projects and a mode; `now` is the project's time."""

    rows: Mapping[str, list[Row[Any]]]

    def __init__(self, projects: Iterable[Project], mode: Mode, now: int, days: int) -> None:
        self.project_ids = {project.id for project in projects}
        self.mode = mode
        self.now = now
        self.ends_at = now - now % clock.DAY + clock.DAY
        self.starts_at = self.ends_at - days * clock.DAY

    async def read(self, tx: Tx) -> None:
        tables = (
            subscriptions,
            payments,
            refunds,
            disputes,
            customer_table,
            orders,
            stock,
            tiers,
            tier_limits,
            meters,
            usage_counters,
            usage_hours,
            events,
        )
        self.rows = {table.name: list(await tx.all(select(table))) for table in tables}

    def own(self, table: Table) -> list[Row[Any]]:
        return [row for row in self.rows[table.name] if row.project_id in self.project_ids and row.mode == self.mode]

    def lately(self, at: int | None) -> bool:
        return at is not None and self.starts_at <= at < self.ends_at

    def span(self) -> dict[str, str]:
        return {"from": clock.rfc3339(self.starts_at), "to": clock.rfc3339(self.ends_at)}

    def days(self) -> range:
        return range(self.starts_at, self.ends_at, clock.DAY)

    def mrr(self, *, of_trials: bool = False) -> list[Any]:
        sums: Counter[str] = Counter()
        for row in self.own(subscriptions):
            pays = row.status == "trialing" if of_trials else row.holds and row.status in ("active", "past_due")
            sums[row.currency] += row.monthly_amount if pays else 0
        return [shown(currency, sums[currency]) for currency in sorted(sums) if sums[currency]]

    def subscriptions(self) -> dict[str, Any]:
        rows = self.own(subscriptions)
        statuses = Counter(row.status for row in rows)
        held, lost, over, converted = [], [], [], []
        for row in rows:
            was_there = row.started_at < self.starts_at and (row.ended_at or self.now) >= self.starts_at
            if was_there and (row.trial_ends_at is None or row.trial_ends_at <= self.starts_at):
                held.append(row)
                lost += [row] if row.ended_at is not None else []
            if row.trial_ends_at is not None and row.status != "trialing":
                ended_inside = row.ended_at is not None and row.ended_at <= row.trial_ends_at
                if self.lately(row.ended_at if ended_inside else row.trial_ends_at):
                    over.append(row)
                    converted += [row] if not ended_inside and row.status != "paused" else []
        return {
            "byStatus": {status: statuses[status] for status in STATUSES},
            "holding": sum(row.holds for row in rows),
            "started": sum(self.lately(row.started_at) for row in rows),
            "ended": sum(self.lately(row.ended_at) for row in rows),
            "heldAtStart": len(held),
            "lost": len(lost),
            "churn": round(len(lost) / len(held), 4) if held else None,
            "trialsOver": len(over),
            "trialsConverted": len(converted),
            "trialConversion": round(len(converted) / len(over), 4) if over else None,
        }

    def customers(self) -> dict[str, int]:
        rows = self.own(customer_table)
        return {
            "active": sum(row.status == "active" for row in rows),
            "new": sum(self.lately(row.created_at) for row in rows),
        }

    def revenue(self) -> list[Any]:
        moved = [
            (name, row.currency, row.created_at // clock.DAY * clock.DAY, row.amount)
            for name, table, status in (
                ("gross", payments, "succeeded"),
                ("refunded", refunds, "succeeded"),
                ("lost", disputes, "lost"),
            )
            for row in self.own(table)
            if row.status == status and self.lately(row.created_at)
        ]
        told: list[Any] = []
        for currency in sorted({one[1] for one in moved}):
            days = [_day(at, [(one[0], one[3]) for one in moved if one[1:3] == (currency, at)]) for at in self.days()]
            sums = {
                name: shown(currency, sum(day[name] for day in days)) for name in ("gross", "refunded", "lost", "net")
            }
            told.append({"currency": currency, **sums, "days": days})
        return told

    def usage(self, project: Project) -> list[Any]:
        numbers = {row.no for row in self.own(customer_table)}
        hours = [
            row
            for row in self.rows["usage_hours"]
            if row.platform_no == project.platform_no and row.customer_no in numbers and self.lately(row.hour)
        ]
        told: list[Any] = []
        for meter in sorted(self.rows["meters"], key=lambda row: row.name):
            if project.type == "store" or (meter.platform_no, meter.project_no) != (project.platform_no, project.no):
                continue
            of_meter = [row for row in hours if row.meter_no == meter.meter_no]
            days = [
                {
                    "at": clock.rfc3339(at),
                    "total": sum(row.total for row in of_meter if at <= row.hour < at + clock.DAY),
                    "calls": sum(row.calls for row in of_meter if at <= row.hour < at + clock.DAY),
                }
                for at in self.days()
            ]
            sums = {name: sum(row[name] for row in days) for name in ("total", "calls")}
            told.append({"meter": meter.name, **sums, "days": days})
        return told

    def near_limits(self, project: Project) -> list[Any]:
        plans = {row.name: row for row in self.own(tiers)}
        default = next((row for row in plans.values() if row.is_default), None)
        names = {row.meter_no: row.name for row in self.rows["meters"] if row.platform_no == project.platform_no}
        counts = {
            (row.customer_no, row.meter_no, row.window, row.starts_at): row.count
            for row in self.rows["usage_counters"]
            if row.platform_no == project.platform_no
        }
        found: list[tuple[Any, ...]] = []
        for who in self.own(customer_table):
            plan = plans.get(who.plan, default)
            if who.status != "active" or plan is None:
                continue
            period = Period(*(customers.period_of(who, self.now) or clock.month_of(self.now)))
            for row in self.rows["tier_limits"]:
                if (row.platform_no, row.tier_id, row.kind) != (plan.platform_no, plan.id, "hard") or not row.max:
                    continue
                limit = usage.window_at(
                    Limit(row.meter_no, Window[row.window.upper()], "hard", row.max), self.now, period
                )
                count = counts.get((who.no, row.meter_no, limit.window, limit.starts_at), 0)
                if count / row.max >= 0.8:
                    told = {
                        "customer": who.id,
                        "userId": who.user_id,
                        "plan": plan.name,
                        "meter": names[row.meter_no],
                        "window": _WINDOWS.get(row.window, row.window),
                        "count": count,
                        "limit": row.max,
                        "percent": int(100 * count / row.max),
                        "periodEnd": None if limit.ends_at is None else clock.rfc3339(limit.ends_at),
                    }
                    found.append((-count / row.max, who.id, row.meter_no, row.window, told))
        return [one[-1] for one in sorted(found, key=lambda one: one[:-1])[:10]]

    def orders(self) -> dict[str, int]:
        found = Counter(row.status for row in self.own(orders) if self.lately(row.created_at))
        return {status: found[status] for status in ("processing", "completed", "failed", "canceled", "refunded")}

    def low_stock(self) -> list[Any]:
        named = {row.id: row for row in self.own(tiers) if row.archived_at is None}
        told = [
            {
                "tier": named[row.tier_id].name,
                "displayName": named[row.tier_id].display_name,
                "inventory": row.on_hand,
                "held": row.held,
                "available": row.on_hand - row.held,
                "lowAt": row.low_at,
            }
            for row in self.own(stock)
            if row.tier_id in named and row.on_hand - row.held <= max(0, row.low_at or 0)
        ]
        return sorted(told, key=lambda one: (one["available"], one["tier"]))[:10]

    def events(self) -> list[Any]:
        newest = sorted(self.own(events), key=lambda row: row.id, reverse=True)[:10]
        return [
            {"id": row.id, "type": row.type, "createdAt": clock.rfc3339(row.created_at), "data": json.loads(row.data)}
            for row in newest
        ]


def shown(currency: str, amount: int) -> dict[str, Any]:
    return {"currency": currency, "amount": amount, "price": money.to_major(amount, currency)}


def _day(at: int, moved: list[tuple[str, int]]) -> dict[str, Any]:
    sums = {name: sum(amount for kind, amount in moved if kind == name) for name in ("gross", "refunded", "lost")}
    return {"at": clock.rfc3339(at), **sums, "net": sums["gross"] - sums["refunded"] - sums["lost"]}


async def dashboard(tx: Tx, project: Project, mode: Mode, now: int, days: int) -> dict[str, Any]:
    """What `GET /api/dashboard` has to answer."""
    ledger = Ledger([project], mode, now, days)
    await ledger.read(tx)
    return {
        "mode": mode,
        **ledger.span(),
        "mrr": ledger.mrr(),
        "trialMrr": ledger.mrr(of_trials=True),
        "subscriptions": ledger.subscriptions(),
        "customers": ledger.customers(),
        "revenue": ledger.revenue(),
        "usage": ledger.usage(project),
        "nearLimits": ledger.near_limits(project),
        "orders": ledger.orders(),
        "lowStock": ledger.low_stock(),
        "events": ledger.events(),
    }


async def totals(tx: Tx, projects: list[Project], days: int) -> dict[str, Any]:
    """What `GET /api/dashboard/totals` has to answer."""
    together = Ledger(projects, "live", clock.now(), days)
    await together.read(tx)
    told: list[Any] = []
    for project in projects:
        alone = Ledger([project], "live", clock.now(), days)
        alone.rows = together.rows
        told.append(live(alone) | {"project": project.id, "name": project.name, "type": project.type})
    return live(together) | together.span() | {"projects": told}


def live(ledger: Ledger) -> dict[str, Any]:
    return {
        "mrr": ledger.mrr(),
        "trialMrr": ledger.mrr(of_trials=True),
        "subscriptions": ledger.subscriptions()["holding"],
        "customers": ledger.customers(),
        "revenue": [{name: value for name, value in one.items() if name != "days"} for one in ledger.revenue()],
    }

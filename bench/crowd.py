"""A project with very many customers, who have used, subscribed and paid for a month."""

from typing import Any

from sqlalchemy import select, text

from dream_api import platforms
from dream_api.catalog import NewPrice, set_tier
from dream_api.catalog.tables import prices
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.platforms import Project
from dream_api.usage.tables import meters

_MODE = "test"
_COUNT = "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {many})"
# Numbers that look scattered, and are the same in every run and on both databases. Few at a time: a statement of
# PostgreSQL may take eight seconds.
_STEP = 10
_STATEMENTS = (
    """
    INSERT INTO customers (platform_id, id, no, project_id, mode, user_id, email, status, plan, created_at, updated_at)
    {counted}
    SELECT '{platform}', 'cus_' || substr('00000000000000000000000000', 1, 26 - length(CAST(i AS TEXT))) || i, i,
      '{project}',
      'test', 'user_' || i, 'user' || i || '@example.com', 'active', CASE WHEN i % 3 = 0 THEN 'pro' END,
      {now} - (i * 7919 % 5184000) * 1000000, {now} FROM n
    """,
    """
    INSERT INTO usage_counters (platform_no, customer_no, meter_no, "window", starts_at, count, announced, held,
      windows)
    {counted}
    SELECT {no}, n.i, {meter}, w.w, CASE w.w WHEN 0 THEN 0 ELSE {month} END, n.i * 7919 % 990, 0, 0, 0
    FROM n CROSS JOIN (SELECT 0 AS w UNION ALL SELECT 4) AS w
    """,
    """
    INSERT INTO usage_hours (platform_no, customer_no, meter_no, hour, period_starts_at, total, calls)
    {counted}, m(i) AS (SELECT CAST({first} AS BIGINT) UNION ALL SELECT i + 1 FROM m WHERE i < {last})
    SELECT {no}, n.i, {meter}, {hour} - (m.i * (720 / {hours}) + n.i % (720 / {hours})) * 3600000000, {month},
      (n.i * 7919 + m.i * 104729) % 20 + 1, (n.i * 7919 + m.i * 104729) % 20 + 1
    FROM n CROSS JOIN m
    """,
    """
    INSERT INTO subscriptions (platform_id, id, project_id, mode, customer_id, user_id, plan, price_id, product_id,
      usage_prices, amount, monthly_amount, currency, quantity, status, holds, started_at, period_starts_at,
      period_ends_at, account, gateway, gateway_id, gateway_customer, created_at, updated_at)
    SELECT '{platform}', 'sub' || substr(id, 4), '{project}', 'test', id, user_id, 'pro', '{price}', 'tier', '{{}}',
      1999, 1999,
      'usd', 1, CASE WHEN no % 50 = 0 THEN 'past_due' ELSE 'active' END, TRUE, created_at, created_at, {now}, 'acc',
      'sandbox', 'g' || no, 'gc' || no, created_at, created_at
    FROM customers WHERE platform_id = '{platform}' AND no % 3 = 0
    """,
    """
    INSERT INTO payments (platform_id, id, project_id, mode, customer_id, status, currency, amount, refunded, account,
      gateway_id, created_at, updated_at)
    SELECT '{platform}', 'pay' || substr(id, 4), '{project}', 'test', id,
      CASE WHEN no % 40 = 0 THEN 'failed' ELSE 'succeeded'
      END, 'usd', 1999, 0, 'acc', 'p' || no, created_at, created_at
    FROM customers WHERE platform_id = '{platform}'
    """,
    """
    INSERT INTO events (platform_id, id, project_id, mode, type, data, created_at)
    {counted}
    SELECT '{platform}', 'evt_' || substr('00000000000000000000000000', 1, 26 - length(CAST(i AS TEXT))) || i,
      '{project}',
      'test', 'payment.succeeded', '{{"userId":"user_1","amount":1999,"currency":"usd"}}',
      {now} - ({customers} - i) * 60000000 FROM n
    """,
)


async def fill(database: Database, project: Project, *, customers: int, hours: int) -> str:
    """As if they had come for a month; answers the id of one of them."""
    now = clock.now()
    async with database.write() as tx:
        terms = NewPrice(amount=1999, currency="usd", type="recurring", billing_scheme="flat_rate", interval="month")
        await set_tier(tx, project, _MODE, "pro", [], prices=[terms])
    async with database.write() as tx:
        price = await tx.scalar(select(prices.c.id).where(prices.c.platform_id == project.platform_id))
        meter = await tx.scalar(select(meters.c.meter_no).where(meters.c.platform_no == project.platform_no))
    told: dict[str, Any] = {
        "platform": project.platform_id,
        "no": project.platform_no,
        "project": project.id,
        "price": price,
        "meter": meter,
        "now": now,
        "hour": clock.hour_of(now),
        "month": clock.month_of(now)[0],
        "customers": customers,
        "hours": hours,
        "counted": _COUNT.format(many=customers),
    }
    for statement in _STATEMENTS:
        for first in range(1, hours + 1, _STEP) if "{first}" in statement else (1,):
            told |= {"first": first, "last": min(first + _STEP - 1, hours)}
            async with database.write() as tx:
                await tx.connection.exec_driver_sql(statement.format(**told))
    async with database.write() as tx:
        await platforms.draw(tx, f"customers:{project.platform_no}", customers)
        if not database.is_sqlite:
            await tx.execute(text("ANALYZE"))  # as its autovacuum does
    return "cus_" + "7".rjust(26, "0")

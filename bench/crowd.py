"""A project with very many customers, who have used, subscribed and paid for a month; a store with as many orders."""

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
    INSERT INTO customers (platform_no, id, no, project_id, mode, user_id, email, status, plan, created_at, updated_at)
    {counted}
    SELECT {platform}, 'cus_' || substr('00000000000000000000000000', 1, 26 - length(CAST(i AS TEXT))) || i, i,
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
    INSERT INTO subscriptions (platform_no, id, project_id, mode, customer_id, user_id, plan, price_id, product_id,
      usage_prices, amount, monthly_amount, currency, quantity, status, holds, started_at, period_starts_at,
      period_ends_at, account, gateway, gateway_id, gateway_customer, created_at, updated_at)
    SELECT {platform}, 'sub' || substr(id, 4), '{project}', 'test', id, user_id, 'pro', '{price}', 'tier', '{{}}',
      1999, 1999,
      'usd', 1, CASE WHEN no % 50 = 0 THEN 'past_due' ELSE 'active' END, TRUE, created_at, created_at, {now}, 'acc',
      'sandbox', 'g' || no, 'gc' || no, created_at, created_at
    FROM customers WHERE platform_no = {platform} AND no % 3 = 0
    """,
    """
    INSERT INTO payments (platform_no, id, project_id, mode, customer_id, status, currency, amount, refunded, account,
      gateway_id, created_at, updated_at)
    SELECT {platform}, 'pay' || substr(id, 4), '{project}', 'test', id,
      CASE WHEN no % 40 = 0 THEN 'failed' ELSE 'succeeded'
      END, 'usd', 1999, 0, 'acc', 'p' || no, created_at, created_at
    FROM customers WHERE platform_no = {platform}
    """,
    """
    INSERT INTO events (platform_no, id, project_id, mode, type, data, created_at)
    {counted}
    SELECT {platform}, 'evt_' || substr('00000000000000000000000000', 1, 26 - length(CAST(i AS TEXT))) || i,
      '{project}',
      'test', 'payment.succeeded', '{{"userId":"user_1","amount":1999,"currency":"usd"}}',
      {now} - ({customers} - i) * 60000000 FROM n
    """,
)

_OF_STORE = (
    """
    INSERT INTO checkouts (platform_no, id, project_id, mode, purpose, currency, subtotal, total, wanted, success_url,
      cancel_url, account, status, created_at, expires_at, ended_at)
    {counted}
    SELECT {platform}, 'chk_' || substr('00000000000000000000000000', 1, 26 - length(CAST(i AS TEXT))) || i,
      '{project}', 'test', 'cart', 'usd', 1999, 1999, '[]', '', '', 'acc', 'complete', {now} - ({many} - i) * {apart},
      {now}, {now} FROM n
    """,
    """
    INSERT INTO payments (platform_no, id, project_id, mode, status, currency, amount, refunded, account, gateway_id,
      created_at, updated_at)
    SELECT platform_no, 'pay_s' || substr(id, 5), project_id, mode, 'succeeded', currency, total, 0, account, 's' || id,
      created_at, created_at
    FROM checkouts WHERE platform_no = {platform} AND project_id = '{project}'
    """,
    """
    INSERT INTO orders (platform_no, id, project_id, mode, number, checkout_id, payment_id, email, status, currency,
      subtotal, discount, total, refunded_amount, created_at, paid_at, updated_at)
    SELECT platform_no, 'ord' || substr(id, 4), project_id, mode, CAST(substr(id, 5) AS BIGINT), id,
      'pay_s' || substr(id, 5), 'user' || CAST(substr(id, 5) AS BIGINT) || '@example.com', 'completed', currency,
      subtotal, 0, total, 0, created_at, created_at, created_at
    FROM checkouts WHERE platform_no = {platform} AND project_id = '{project}'
    """,
    """
    INSERT INTO order_lines (platform_no, order_id, line, tier_id, price_id, name, quantity, unit_amount, amount,
      refunded_quantity, restocked_quantity)
    SELECT platform_no, 'ord' || substr(id, 4), 1, '{tier}', '{price}', 'Mug', 1, 1999, 1999, 0, 0
    FROM checkouts WHERE platform_no = {platform} AND project_id = '{project}'
    """,
)


async def fill(database: Database, project: Project, *, customers: int, hours: int) -> str:
    """As if they had come for a month; answers the id of one of them."""
    now = clock.now()
    async with database.write() as tx:
        terms = NewPrice(amount=1999, currency="usd", type="recurring", billing_scheme="flat_rate", interval="month")
        await set_tier(tx, project, _MODE, "pro", [], prices=[terms])
    async with database.write() as tx:
        price = await tx.scalar(select(prices.c.id).where(prices.c.platform_no == project.platform_no))
        meter = await tx.scalar(select(meters.c.meter_no).where(meters.c.platform_no == project.platform_no))
    parameters: dict[str, Any] = {
        "platform": project.platform_no,
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
            parameters |= {"first": first, "last": min(first + _STEP - 1, hours)}
            async with database.write() as tx:
                await tx.connection.exec_driver_sql(statement.format(**parameters))
    async with database.write() as tx:
        await platforms.next_customer_number(tx, project.platform_no, customers)
    await _analyze(database)
    return "cus_" + "7".rjust(26, "0")


async def fill_store(database: Database, project: Project, *, orders: int) -> None:
    """As if one mug after the other had been sold in two months."""
    async with database.write() as tx:
        terms = NewPrice(amount=1999, currency="usd", type="one_time", billing_scheme="flat_rate")
        await set_tier(tx, project, _MODE, "mug", [], prices=[terms])
    async with database.write() as tx:
        of_mug = select(prices.c.id, prices.c.tier_id).where(prices.c.project_id == project.id)
        (price,) = await tx.all(of_mug)
    parameters = {
        "platform": project.platform_no,
        "project": project.id,
        "tier": price.tier_id,
        "price": price.id,
        "now": clock.now(),
        "many": orders,
        "apart": 60 * clock.DAY // orders,
        "counted": _COUNT.format(many=orders),
    }
    for statement in _OF_STORE:
        async with database.write() as tx:
            await tx.connection.exec_driver_sql(statement.format(**parameters))
    await _analyze(database)


async def _analyze(database: Database) -> None:
    """As PostgreSQL's autovacuum does."""
    if not database.is_sqlite:
        async with database.write() as tx:
            await tx.execute(text("ANALYZE"))

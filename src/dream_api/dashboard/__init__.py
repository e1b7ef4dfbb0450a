"""Developers' HTML pages: their layout, forms and charts, and one package per section."""

from dream_api.dashboard import (
    account,
    catalog,
    customers,
    events,
    home,
    keys,
    operator,
    orders,
    platform,
    security_log,
    subscriptions,
    usage,
)

# The instance's pages first: /dashboard/operator is no platform, nor is a section of a platform a mode of a project.
ROUTERS = (
    *account.ROUTERS,
    *operator.ROUTERS,
    *platform.ROUTERS,
    *security_log.ROUTERS,
    *catalog.ROUTERS,
    *keys.ROUTERS,
    *orders.ROUTERS,
    *subscriptions.ROUTERS,
    *home.ROUTERS,
    *customers.ROUTERS,
    *usage.ROUTERS,
    *events.ROUTERS,
)

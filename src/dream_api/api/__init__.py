"""JSON endpoints, one module or package per resource."""

from dream_api.api import (
    analytics,
    assets,
    billing,
    catalog,
    customers,
    events,
    keys,
    platforms,
    security_log,
    store,
    usage,
)

ROUTERS = (
    *usage.ROUTERS,
    customers.endpoints,
    *billing.ROUTERS,
    *store.ROUTERS,
    *catalog.ROUTERS,
    *platforms.ROUTERS,
    keys.endpoints,
    events.endpoints,
    analytics.endpoints,
    security_log.endpoints,
    *assets.ROUTERS,
)

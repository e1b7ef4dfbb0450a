"""What programs ask of billing."""

from dream_api.billing.api import checkouts, clock, hooks, invoices, payments, sandbox, subscriptions

ROUTERS = (
    checkouts.router,
    subscriptions.router,
    invoices.router,
    payments.router,
    clock.router,
    hooks.router,
    sandbox.router,
)

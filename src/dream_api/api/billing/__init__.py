"""Endpoints of billing: checkouts, subscriptions, invoices, payments and gateway webhooks."""

from dream_api.api.billing import checkouts, gateway_webhook, invoices, payments, sandbox, subscriptions, test_clock

ROUTERS = (
    checkouts.router,
    subscriptions.router,
    invoices.router,
    payments.router,
    test_clock.router,
    gateway_webhook.router,
    sandbox.router,
)

"""Endpoints of billing: checkouts, subscriptions, invoices, payments and gateway webhooks."""

from dream_api.api.billing import checkouts, gateway_webhook, invoices, payments, sandbox, subscriptions, test_clock

ROUTERS = (
    checkouts.endpoints,
    subscriptions.endpoints,
    invoices.endpoints,
    payments.endpoints,
    test_clock.endpoints,
    gateway_webhook.endpoints,
    sandbox.endpoints,
)

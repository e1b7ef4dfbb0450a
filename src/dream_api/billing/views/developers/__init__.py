"""Developers' pages of what they sell by the period: subscriptions, their money, and links by which customers pay."""

from dream_api.billing.views.developers import changes, endings, links, refunds, subscriptions

ROUTERS = (links.router, subscriptions.router, changes.router, endings.router, refunds.router)
